"""`multus-site new`: a stack file that is right but for what only a person can say."""

import pytest
import yaml
from typer.testing import CliRunner

from multus_site.__main__ import app
from multus_site.cli import new as module
from multus_site.model.load import load_stack_file
from tests.graph.recording import ED25519


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def new(*arguments, answers=None):
    return CliRunner().invoke(app, ["new", *arguments], input=answers)


FLAGS = [
    "austin",
    "--node",
    "node1=10.2.1.5",
    "--node",
    "node2=10.2.1.6",
    "--network",
    "core=ens6,10.20.0.0/24,10.20.0.1",
    "--user",
    "ops",
]


def test_flags(project):
    result = new(*FLAGS)
    assert result.exit_code == 0, result.output
    file = project / "stacks" / "Pulumi.austin.yaml"
    assert "ssh-keyscan -t ed25519 10.2.1.5" in result.stdout
    assert "pulumi stack init austin" in result.stdout
    lint = CliRunner().invoke(app, ["lint", "stacks"])
    assert lint.exit_code == 1
    assert lint.stdout.count("hostKey") >= 2
    file.write_text(file.read_text().replace("''", ED25519))
    assert CliRunner().invoke(app, ["lint", "stacks"]).exit_code == 0
    site = load_stack_file(file)
    assert list(site.nodes.hosts) == ["node1", "node2"]
    assert site.with_role("control-plane") == ["node1"]
    assert site.nodes.ssh.user == "ops"
    assert site.networks["core"].ipam.gateway == "10.20.0.1"
    assert yaml.safe_load(file.read_text())["config"]["pulumi:disable-default-providers"] == ["*"]


def test_questions(monkeypatch, project):
    monkeypatch.setattr(module, "_terminal", lambda: True)
    result = new("austin", answers="node1=10.2.1.5\n\ncore=ens6,10.20.0.0/24\n\n\n")
    assert result.exit_code == 0, result.output
    text = (project / "stacks" / "Pulumi.austin.yaml").read_text()
    assert "user: ubuntu" in text
    assert "10.20.0.0/24" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["austin"], "a site has at least one host; name it: --node node1=10.1.1.5"),
        (["austin", "--node", "node1"], "--node node1: not NAME=…"),
        (["austin", "--node", "node1=10.2.1.5", "--node", "node1=10.2.1.6"], "node1 is used twice"),
        (["austin", "--node", "node1=10.2.1.500"], "nodes.hosts.node1.address: "),
        (["austin", "--node", "node1=10.2.1.5", "--network", "core=ens6"], "not MASTER,RANGE[,GATEWAY]"),
        (["Austin", "--node", "node1=10.2.1.5"], "name: "),
    ],
)
def test_a_usage_error_writes_nothing(arguments, words, project):
    result = new(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert "Traceback" not in result.output
    assert not list(project.glob("stacks/*"))


def test_what_is_there_stays(project):
    (project / "stacks").mkdir()
    (project / "stacks" / "Pulumi.austin.yaml").write_text("mine")
    result = new(*FLAGS)
    assert result.exit_code == 2
    assert "exists; give the new site another name" in result.stderr
    assert (project / "stacks" / "Pulumi.austin.yaml").read_text() == "mine"


def test_defaults_are_under_the_new_site(project):
    (project / "stacks").mkdir()
    (project / "stacks" / "defaults.yaml").write_text("networks: {core: {master: 7}}")
    result = new(*FLAGS[:5])
    assert result.exit_code == 2
    assert "stacks/defaults.yaml:1: networks.core" in result.stderr
