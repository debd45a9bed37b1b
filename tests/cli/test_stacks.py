"""Which file a command is about that asks pulumi of it."""

import pytest
from typer.testing import CliRunner

from multus_site.__main__ import app
from multus_site.cli import stacks


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("stacks", "x"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "Pulumi.dallas.yaml").write_text("config: {}")
    return tmp_path


@pytest.mark.parametrize("command", ["review", "policies"])
@pytest.mark.parametrize(
    "file", ["x/Pulumi.dallas.yaml", "x/dallas.yaml", "stacks/Pulumi.dallas.yml", "stacks/dallas.yaml"]
)
@pytest.mark.usefixtures("project")
def test_a_file_that_pulumi_does_not_read_is_a_usage_error(command, file):
    result = CliRunner().invoke(app, [command, file])
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{file} is not the file of stack dallas: pulumi reads stacks/Pulumi.dallas.yaml" in result.stderr


def test_the_stacks_own_file_by_any_path(project):
    for named in (
        "dallas",
        "stacks/Pulumi.dallas.yaml",
        "./stacks/../stacks/Pulumi.dallas.yaml",
        str(project / "stacks" / "Pulumi.dallas.yaml"),
    ):
        name, file = stacks.own(named)
        assert (name, str(file)) == ("dallas", "stacks/Pulumi.dallas.yaml")
