"""The organisation's settings: what is read, and what is said of a file that holds none."""

import json
from pathlib import Path

import pytest
from pulumi_policy import EnforcementLevel

from policy import organisation
from policy.organisation import SettingsError, settings
from policy.pack import POLICIES


def test_levels_and_settings(tmp_path):
    file = tmp_path / "organisation.json"
    file.write_text(json.dumps({"resources-set": "advisory", "sites-protected": {"sites": ["dallas"]}}))
    assert settings(POLICIES, file) == {
        "resources-set": EnforcementLevel.ADVISORY,
        "sites-protected": {"sites": ["dallas"], "enforcementLevel": EnforcementLevel.MANDATORY},
    }
    file.write_text(json.dumps({"no-forbidden-ranges": {"ranges": ["10.0.0.1/16", "fd00::/8"]}}))
    assert settings(POLICIES, file)["no-forbidden-ranges"]["ranges"] == ["10.0.0.1/16", "fd00::/8"]


def test_the_project_has_a_file():
    assert settings(POLICIES, Path(organisation.__file__).with_name("organisation.json")) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "not an object. Write {}"),
        ('{"image-pinned": {}}', "image-pinned: there is no such policy; there are host-keys-pinned, images-pinned"),
        ('{"resources-set": {"enforcementLevel": 3}}', "resources-set: 3 is no level"),
        (
            '{"images-pinned": {"digets": true}}',
            "images-pinned.digets: there is no such setting; there are digest, registries, enforcementLevel",
        ),
        ('{"secrets-encrypted": {"x": 1}}', "secrets-encrypted.x: there is no such setting; there is enforcementLevel"),
        ('{"no-forbidden-ranges": {"ranges": ["10.0.0.0/8", "10.0.0.0/33"]}}', "ranges: '10.0.0.0/33' is no subnet"),
        ('{"no-forbidden-ranges": {"ranges": "10.0.0.0/33"}}', "ranges: '10.0.0.0/33' is no subnet; write a list"),
        ('{"no-forbidden-ranges": {"ranges": [10]}}', "ranges: 10 is no subnet"),
        ('{"resources-set": "sometimes"}', "'sometimes' is no level; write one of advisory, mandatory"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, words):
    file = tmp_path / "organisation.json"
    file.write_text(text)
    with pytest.raises(SettingsError, match=r"organisation\.json: ") as raised:
        settings(POLICIES, file)
    assert words in str(raised.value)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(SettingsError, match="No such file"):
        settings(POLICIES, tmp_path / "organisation.json")
