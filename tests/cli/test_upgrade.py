"""`multus-site upgrade --check` in a user's repository; tests/engine/test_own_repository.py has the state of an applied stack."""

import copy
import json
import shutil
import subprocess

import pytest
import yaml
from typer.testing import CliRunner

from multus_site import __version__
from multus_site.__main__ import app
from tests.engine.applied import dallas


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A repository as init writes it, all of it committed, on a machine with git and without pulumi."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").symlink_to(shutil.which("git"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    folder = tmp_path / "sites"
    assert CliRunner().invoke(app, ["init", str(folder)]).exit_code == 0
    monkeypatch.chdir(folder)
    git("init", "--quiet", "--initial-branch", "main")
    return folder


def git(*arguments):
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example.invalid", *arguments], check=True)


def commit():
    git("add", "--all")
    git("commit", "--quiet", "--message", "as it is")


def write(folder, site):
    text = yaml.safe_dump({"config": {"multus-site:site": site}}, sort_keys=False)
    (folder / "stacks" / "Pulumi.dallas.yaml").write_text(text)


def check(status):
    done = CliRunner().invoke(app, ["upgrade", "--check"])
    assert done.exit_code == status, done.output
    return done.stdout


@pytest.mark.usefixtures("project")
def test_a_new_repository_has_nothing_to_do():
    commit()
    assert "Nothing to do." in check(0)


def test_after_the_number_was_changed_the_changelog_is_shown_and_the_schema_is_old(project):
    (project / "requirements.txt").write_text("multus-site[pulumi]==0.1.0\n")
    schema = json.loads((project / "stacks" / "site.schema.json").read_text())
    schema["$defs"]["Multus"]["properties"]["memoryLimit"]["default"] = "50Mi"
    (project / "stacks" / "site.schema.json").write_text(json.dumps(schema))
    write(project, dallas())
    commit()
    (project / "requirements.txt").write_text(f"multus-site[pulumi]=={__version__}\n")
    said = check(1)
    assert said.startswith(f"multus-site 0.1.0 → {__version__}\n")
    assert "stacks/site.schema.json belongs to another release" in said
    assert "dallas: multus.memoryLimit is not set, and its default changes from 50Mi to " in said
    assert "\n## 0.2.0\n" in said
    assert "\n## 0.1.0\n" not in said
    assert CliRunner().invoke(app, ["schema", "-o", "stacks/site.schema.json"]).exit_code == 0
    said = check(2)  # all is done but for the state, which nobody could look at
    assert "dallas: its state: pulumi is not on PATH" in said
    assert "To do" not in said


def test_a_number_that_is_not_installed(project):
    (project / "requirements.txt").write_text("multus-site[pulumi]==0.1.0\n")
    commit()
    assert f"requirements.txt pins 0.1.0, but {__version__} is installed" in check(1)


def test_what_a_release_does_not_take_is_told_with_its_line(project):
    site = copy.deepcopy(dallas())
    site["networks"]["media"]["mastre"] = "ens7"
    write(project, site)
    assert "stacks/Pulumi.dallas.yaml:" in (said := check(1))
    assert "mastre" in said
    (project / "stacks" / "defaults.yaml").write_bytes(b"\xff")
    assert "stacks/defaults.yaml:1" in check(1)


@pytest.mark.usefixtures("project")
def test_an_unknown_site_and_no_site_are_usage_errors():
    assert CliRunner().invoke(app, ["upgrade", "austin", "--check"]).exit_code == 2
    assert CliRunner().invoke(app, ["upgrade"]).exit_code == 2
