"""What another release means for a site: sections of the changelog, defaults, deprecated keys."""

import copy
import json

import pytest

from multus_site.cli.schema import schema_text
from multus_site.model.load import parse_site
from multus_site.review.release_changes import changed_defaults, deprecated, keys, pinned, sections
from tests.engine.applied import dallas

SCHEMA = json.loads(schema_text())


def given(site):
    return parse_site(site, source="dallas").model_dump(mode="json", by_alias=True, exclude_unset=True)


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("multus-site[pulumi]==0.3.0\n", "0.3.0"),
        ("# ours\n-c constraints.txt\nmultus-site[pulumi, diagram] == 1.2.10  # from the mirror\n", "1.2.10"),
        ("multus-site-extra==9.0.0\n", None),
        ("multus-site[pulumi]>=0.3\n", None),
        ("-e .[pulumi]\n", None),
        ("", None),
    ],
)
def test_the_release_that_is_pinned(text, release):
    assert pinned(text) == release


def test_sections_between_two_releases_as_numbers_not_as_text():
    changelog = (
        "# Changes\n\n## Unreleased\n\n- soon\n\n## 0.10.0\n\n- ten\n\n## 0.9.0\n\n- nine\n\n## 0.2.0\n\n- two\n"
    )
    assert sections(changelog, "0.2.0", "0.10.0") == ["## 0.10.0\n\n- ten", "## 0.9.0\n\n- nine"]
    assert sections(changelog, "0.2.0", "0.9.0") == ["## 0.9.0\n\n- nine"]
    assert sections(changelog, "0.10.0", "0.10.0") == []


def test_a_default_that_changes_is_told_where_a_site_leaves_it():
    old = copy.deepcopy(SCHEMA)
    old["$defs"]["Multus"]["properties"]["memoryLimit"]["default"] = "50Mi"
    old["$defs"]["Kubespray"]["properties"]["version"]["default"] = "v2.29.0"
    old["$defs"]["Macvlan"]["properties"]["mode"]["default"] = "private"
    told = list(changed_defaults(given(dallas()), old, SCHEMA))
    assert [line.partition(" ")[0] for line in told] == [
        "multus.memoryLimit",  # the site says nothing of multus at all
        "networks.media.mode",
        "networks.signalling.mode",  # and nothing of a network's mode; kubespray.version is its own
    ]
    assert told[0].endswith("to keep the old one, set memoryLimit: 50Mi")
    assert list(changed_defaults(given(dallas()), SCHEMA, SCHEMA)) == []


def test_a_deprecated_key_is_told_where_a_site_uses_it():
    schema = copy.deepcopy(SCHEMA)
    schema["$defs"]["Macvlan"]["properties"]["master"]["deprecated"] = True
    schema["$defs"]["Macvlan"]["properties"]["mode"]["deprecated"] = True
    assert deprecated(given(dallas()), schema) == ["networks.media.master", "networks.signalling.master"]
    assert deprecated(given(dallas()), SCHEMA) == []


def test_every_key_of_a_site_is_known_by_its_path():
    """What the model takes, the walk through its schema finds: also in lists, and where a type decides."""
    site = given(dallas())
    found = {path for path, key in keys(site, SCHEMA).items() if key.given}
    assert {
        "nodes.backend",
        "nodes.ssh.user",
        "nodes.hosts.node1.hostKey",
        "networks.media.ipam.ranges[0].gateway",
        "networks.signalling.ipam.range",
        "workloads.core.replicas",
    } <= found
