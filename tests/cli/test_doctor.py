"""`multus-site doctor` with each thing that it looks for there, and taken away."""

import importlib.metadata
import json
import re
import tomllib
import venv
from pathlib import Path

import pytest
from typer.testing import CliRunner

from multus_site.__main__ import app
from multus_site.cli import machine

ROOT = Path(__file__).parents[2]
PULUMI = """\
#!/bin/sh
case $1 in
    version) echo v3.272.0 ;;
    whoami) [ -n "$PULUMI_BACKEND_URL" ] || { echo 'error: not logged in' >&2; exit 1; }
        printf '{"user": "anna", "url": "%s"}' "$PULUMI_BACKEND_URL" ;;
esac
"""
SALTED = "encryptionsalt: v1:x\nconfig: {'multus-site:site': {name: dallas}}\n"


@pytest.fixture
def tools(tmp_path):
    """A folder with every program that is looked for."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in {
        "pulumi": PULUMI,
        **dict.fromkeys(
            ("pulumi-language-python", "pulumi-resource-command", "pulumi-resource-kubernetes"), "#!/bin/sh\n"
        ),
        **dict.fromkeys(("ssh", "git"), "#!/bin/sh\n"),
        "ssh-add": "#!/bin/sh\nexit 0\n",
    }.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def project(tmp_path, tools, monkeypatch):
    """A project where nothing is missing."""
    folder = tmp_path / "project"
    (folder / "stacks").mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text('{name: x, runtime: python, requiredPulumiVersion: ">=3.219.0 <4.0.0"}')
    (folder / "stacks" / "Pulumi.dallas.yaml").write_text(SALTED)
    for name in ("PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "PATH": str(tools),
        "HOME": str(tmp_path),
        "PULUMI_HOME": str(tmp_path / ".pulumi"),
        "PULUMI_BACKEND_URL": "file:///state",
        "PULUMI_CONFIG_PASSPHRASE": "",
        "SSH_AUTH_SOCK": "/agent",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(folder)
    return folder


def checked():
    """Exit status, and name → its row."""
    result = CliRunner().invoke(app, ["doctor", "--format", "json"])
    return result.exit_code, {row["name"]: row for row in json.loads(result.stdout)}


def lacking(name):
    """The row of the one thing that is missing."""
    status, rows = checked()
    assert (status, [row["name"] for row in rows.values() if row["state"] == "missing"]) == (1, [name])
    return rows[name]


@pytest.mark.usefixtures("project")
def test_nothing_is_missing():
    status, rows = checked()
    assert (status, {row["state"] for row in rows.values()}) == (0, {"ok"}), rows
    assert {"extra diagram", "extra cluster", "extra pulumi"} < set(rows)
    assert rows["backend"]["found"] == "file:///state, as anna"
    text = CliRunner().invoke(app, ["doctor"]).stdout
    assert re.search(r"^ok +pulumi +v3\.272\.0, ", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("program", "name", "command"),
    [
        ("pulumi-language-python", "language host", "curl -fsSL https://get.pulumi.com | sh"),
        ("ssh", "ssh", "apt-get install openssh-client"),
        ("git", "git", "apt-get install git"),
    ],
)
@pytest.mark.usefixtures("project")
def test_a_program_that_is_not_on_path(program, name, command, tools):
    (tools / program).unlink()
    assert lacking(name)["command"].startswith(command)


@pytest.mark.usefixtures("project")
def test_no_pulumi(tools):
    (tools / "pulumi").unlink()
    row = lacking("pulumi")
    assert (row["found"], row["command"]) == (
        "not on PATH",
        f"curl -fsSL https://get.pulumi.com | sh -s -- --version {importlib.metadata.version('pulumi')}",
    )


@pytest.mark.parametrize("version", ["v3.218.9", "v4.0.0"])
@pytest.mark.usefixtures("project")
def test_a_pulumi_that_pulumi_yaml_does_not_take(version, tools):
    (tools / "pulumi").write_text(PULUMI.replace("v3.272.0", version))
    assert lacking("pulumi")["found"] == f"{version}; Pulumi.yaml asks for >=3.219.0 <4.0.0"


@pytest.mark.parametrize("provider", ["command", "kubernetes"])
@pytest.mark.usefixtures("project")
def test_a_provider_is_missing_where_pulumi_may_not_download_it(provider, tools, tmp_path, monkeypatch):
    (tools / f"pulumi-resource-{provider}").unlink()
    version = importlib.metadata.version(f"pulumi-{provider}")
    status, rows = checked()
    assert (status, rows[f"provider {provider}"]["state"]) == (0, "optional")
    monkeypatch.setenv("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "true")
    assert lacking(f"provider {provider}")["command"] == f"pulumi plugin install resource {provider} {version}"
    (tmp_path / ".pulumi" / "plugins" / f"resource-{provider}-v{version}").mkdir(parents=True)
    assert checked()[0] == 0


@pytest.mark.usefixtures("project")
def test_no_backend(monkeypatch):
    monkeypatch.delenv("PULUMI_BACKEND_URL")
    row = lacking("backend")
    assert row["found"] == "pulumi cannot use it: not logged in"
    assert row["command"].startswith("pulumi login")


@pytest.mark.usefixtures("project")
def test_no_passphrase(monkeypatch, tmp_path):
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE")
    assert lacking("passphrase")["found"] == "not set; needed by dallas"
    file = tmp_path / "passphrase"
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", str(file))
    assert "cannot be read" in lacking("passphrase")["found"]
    file.write_text("x")
    assert checked()[0] == 0


def test_no_passphrase_is_needed_where_no_stack_has_one(project, monkeypatch):
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE")
    (project / "stacks" / "Pulumi.dallas.yaml").write_text("secretsprovider: awskms://x\n")
    assert "passphrase" not in checked()[1]


def test_no_ssh_key(project, tmp_path, monkeypatch):
    monkeypatch.delenv("SSH_AUTH_SOCK")
    assert lacking("SSH key")["command"] == "ssh-keygen -t ed25519"
    stack = project / "stacks" / "Pulumi.dallas.yaml"
    stack.write_text(SALTED.replace("name: dallas}", "name: dallas}, 'multus-site:sshPrivateKey': {secure: x}"))
    assert checked()[1]["SSH key"]["found"] == "in the stacks"
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "id_ed25519").touch()
    assert checked()[1]["SSH key"]["found"] == "~/.ssh/id_ed25519"


def test_an_environment_that_is_not_there(project):
    file = project / "Pulumi.yaml"
    file.write_text(
        file.read_text().replace("runtime: python", "runtime: {name: python, options: {virtualenv: .venv}}")
    )
    row = lacking("virtualenv")
    assert (row["found"], row["command"]) == ("Pulumi.yaml names .venv, which does not exist", "pulumi install")


def test_an_environment_without_the_program(project):
    file = project / "Pulumi.yaml"
    file.write_text(
        file.read_text().replace("runtime: python", "runtime: {name: python, options: {virtualenv: .venv}}")
    )
    venv.create(project / ".venv", with_pip=False)
    row = lacking("virtualenv")
    assert (row["found"], row["command"]) == (
        ".venv: ModuleNotFoundError: No module named 'multus_site'",
        "pulumi install",
    )


def test_without_a_project_only_the_machine_counts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    rows = checked()[1]
    assert rows["backend"]["state"] == "optional"
    assert "virtualenv" not in rows


def test_the_python_is_that_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == f">={'.'.join(map(str, machine.PYTHON))}"


@pytest.mark.parametrize(
    ("version", "wanted", "fits"),
    [
        ("v3.219.0", ">=3.219.0 <4.0.0", True),
        ("v3.218.0", ">=3.219.0 <4.0.0", False),
        ("3.300.1", ">3.300.0", True),
        ("v4.0.0-alpha.1", "<4.0.0", False),
        ("v3.0.0", "3.0.0", True),
        ("v3.0.0", "", True),
    ],
)
def test_versions(version, wanted, fits):
    assert machine.fits(version, wanted) is fits
