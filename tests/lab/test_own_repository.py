"""The lab's stack from a repository outside of the checkout, where multus-site comes from its wheel: there is nothing to change."""

import json
import shutil

import pytest

from multus_site.cli.init import contents
from tests.engine.wheel import install
from tests.lab.running import PROJECT

pytestmark = pytest.mark.lab


def test_the_lab_has_nothing_to_change_in_a_repository_of_its_own(lab, tmp_path):
    for name, content in contents():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "stacks" / "defaults.yaml").unlink()  # the checkout has none
    shutil.copy(PROJECT / "stacks" / "Pulumi.lab.yaml", tmp_path / "stacks")
    for name in (".lab", ".work", "lab"):  # what the lab's site names by paths, and the record of Kubespray's runs
        (tmp_path / name).symlink_to(PROJECT / name)
    install(tmp_path / ".venv")
    preview = ("pulumi", "preview", "--json", "--expect-no-changes", "--non-interactive", "--color", "never")
    seen = json.loads(lab.run("env", "-C", str(tmp_path), *preview).stdout)
    assert seen["changeSummary"].keys() <= {"same", "read"}
    verified = lab.run("env", "-C", str(tmp_path), ".venv/bin/multus-site", "verify", "lab")
    assert "samplepod" in verified.stdout
