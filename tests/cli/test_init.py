"""`multus-site init`: what it writes, and what it leaves alone."""

import json

import pytest
import yaml
from typer.testing import CliRunner

from multus_site import __version__
from multus_site.__main__ import app
from multus_site.cli.init import contents
from multus_site.cli.schema import schema_text
from multus_site.model.load import SiteError, defaults_beside, parse_stack_text
from tests.workflows.running import PROJECT

TEMPLATE = PROJECT / "template"


def init(folder, status=0):
    done = CliRunner().invoke(app, ["init", str(folder)])
    assert done.exit_code == status, done.output
    return done.output


def test_it_writes_a_pulumi_project_that_installs_this_release(tmp_path):
    said = init(tmp_path / "deep" / "sites")
    folder = tmp_path / "deep" / "sites"
    assert said.count("written  ") == len(list(contents())) == sum(file.is_file() for file in folder.rglob("*"))
    assert f"cd {folder}" in said
    assert (folder / "requirements.txt").read_text() == f"multus-site[pulumi]=={__version__}\n"
    assert len((folder / "__main__.py").read_text().splitlines()) == 3
    assert yaml.safe_load((folder / "Pulumi.yaml").read_text()) == yaml.safe_load((PROJECT / "Pulumi.yaml").read_text())
    assert (folder / "stacks" / "site.schema.json").read_text() == schema_text()
    assert (folder / ".gitignore").exists()
    assert not (folder / "stacks" / "site.schema.json").is_symlink()


def test_its_policy_pack_runs_as_ours_does():
    ours, theirs = (
        yaml.safe_load((folder / "policy" / "PulumiPolicy.yaml").read_text()) for folder in (PROJECT, TEMPLATE)
    )
    del ours["version"]  # theirs has none: the one number to change is in requirements.txt
    assert ours == theirs
    assert json.loads((TEMPLATE / "policy" / "organisation.json").read_text()) == {}


def test_its_defaults_are_defaults(tmp_path):
    init(tmp_path)
    defaults = defaults_beside(tmp_path / "stacks" / "Pulumi.dallas.yaml")
    with pytest.raises(SiteError) as raised:  # nothing is wrong with them; all that lacks is a site
        parse_stack_text("config: {multus-site:site: {}}", source="x", defaults=defaults)
    assert {mistake.message.partition(";")[0] for mistake, _ in raised.value.mistakes} == {"missing"}


def test_a_file_that_is_there_stays(tmp_path):
    (tmp_path / "requirements.txt").write_text("mine\n")
    (tmp_path / "Pulumi.yaml").symlink_to("nowhere")
    said = init(tmp_path)
    assert f"kept     {tmp_path / 'requirements.txt'}\n" in said
    assert f"kept     {tmp_path / 'Pulumi.yaml'}\n" in said
    assert (tmp_path / "requirements.txt").read_text() == "mine\n"
    assert "written" not in init(tmp_path)


def test_a_folder_that_cannot_be_is_a_usage_error(tmp_path):
    (tmp_path / "file").write_text("")
    assert "is not a folder" in init(tmp_path / "file", 2)
    assert "cannot be created" in init(tmp_path / "file" / "below", 2)
