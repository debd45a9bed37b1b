"""Commands on a node by the real pulumi CLI, however the node is reached, and what a change of the way does: nothing to the node."""

import os
import shutil
from pathlib import Path

import pulumi
import pulumi_command as command
import pytest

from components import ssh
from multus_site import scripts
from multus_site.model.load import parse_site
from multus_site.ssh.ssh_route import BASTIONS
from tests.contract.project import Project, graves
from tests.contract.ssh_server import key_pair
from tests.contract.tools import search_path, tool
from tests.graph.recording import lab_site
from tests.ssh import hosts
from tests.ssh.hosts import ASKED, FREE, PASSWORD

pytestmark = pytest.mark.engine

PROJECT = Path(__file__).parents[2]
SCRIPT = 'echo "$1 $(id -u) $(hostname)" >>"$LOG"; echo made\n'


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    with hosts.running(tmp_path_factory.mktemp("hosts"), ("outer", "inner", "node")) as running, graves():
        yield running


@pytest.fixture
def new_project(tmp_path, monkeypatch):
    """Makes the project; with variables of its own where a test gives some."""
    tool("pulumi")
    monkeypatch.setattr(ssh, "DIALS", 2)
    # Our program is run as in a checkout: with its packages at hand.
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    monkeypatch.setenv("PATH", os.pathsep.join([str(PROJECT / ".venv" / "bin"), search_path()]))

    def make(**variables):
        project = Project(tmp_path, **variables)
        # It runs there, and has this test's script from there; what goes by pulumi-command has it from here.
        work = tmp_path / "work"
        shutil.copytree(PROJECT / "multus_site", work / "multus_site")
        (work / "multus_site" / "scripts" / "note.sh").write_text(SCRIPT)
        monkeypatch.setattr(scripts, "FOLDER", work / "multus_site" / "scripts")
        return project

    return make


@pytest.fixture
def project(new_project):
    return new_project()


@pytest.fixture
def reached(three, tmp_path):
    """A program that runs the script on the node, and exports what it printed; the lines that the script left."""

    def program(*bastions, secrets=None, address=None, node_key=None, keys=None, **way):
        node = three["node"]
        shown = [
            {"host": three[name].address, "port": node.port, "hostKey": (keys or {}).get(name, three[name].host_key)}
            for name in bastions
        ]
        data = lab_site(
            nodes={
                "backend": "existing",
                "ssh": {"port": node.port, **({"bastion": shown} if shown else {}), **way},
                "hosts": {
                    "node1": {
                        "address": address or node.address,
                        "hostKey": node_key or node.host_key,
                        "roles": ["control-plane", "etcd", "worker"],
                    }
                },
            },
            networks={},
            workloads={},
        )
        site = parse_site(data, source="a test")
        given = {"sshPrivateKey": node.private_key} if secrets is None else secrets

        def run():
            known = {key: pulumi.Output.secret(value) for key, value in given.items()}
            way = ssh.Ssh("lab", site.nodes, known, None, command.Provider("commands"))
            made = way.command(
                "it",
                "node1",
                "note",
                {"LOG": str(tmp_path / "log")},
                create="apply",
                delete="remove",
                opts=pulumi.ResourceOptions(),
            )
            pulumi.export("stdout", made.stdout)

        return run

    def log():
        return (tmp_path / "log").read_text().splitlines() if (tmp_path / "log").exists() else []

    return program, log


SUDO = {"user": ASKED, "secrets": {"sshPassword": PASSWORD, "sudoPassword": PASSWORD}}
WAYS = {
    "a key": ((), {}),
    "IPv6": ((), {"address": "::1"}),
    "sudo that does not ask": ((), {"user": FREE}),
    "a bastion": (("outer",), SUDO),
    "two bastions": (("outer", "inner"), SUDO),
    "two bastions, IPv6": (("outer", "inner"), {"address": "::1"}),
}


@pytest.mark.parametrize(("bastions", "way"), WAYS.values(), ids=WAYS)
def test_a_command_is_root_on_the_node(project, reached, three, bastions, way):
    program, log = reached
    # Each bastion has a key of its own.
    own = {f"{named}PrivateKey": three[name].private_key for named, name in zip(BASTIONS, bastions, strict=False)}
    secrets = {**way.get("secrets", {"sshPrivateKey": three["node"].private_key}), **own}
    outcome = project.up(program(*bastions, **{**way, "secrets": secrets}))
    assert outcome.ok, outcome.text
    assert log() == ["apply 0 node"]
    gone = project.destroy()
    assert gone.ok, gone.text
    assert log() == ["apply 0 node", "remove 0 node"]
    for secret in secrets.values():
        assert secret.strip().splitlines()[-2:][0] not in project.state() + outcome.text


def test_the_keys_of_an_agent(new_project, reached, three, tmp_path):
    program, log = reached
    with hosts.agent(tmp_path, *(host.private_key for host in three.values())) as socket:
        project = new_project(SSH_AUTH_SOCK=str(socket))
        for bastions in (("outer",), ("outer", "inner")):
            outcome = project.up(program(*bastions, agent=True, secrets={}))
            assert outcome.ok, outcome.text
    assert log() == ["apply 0 node"] * 2


def test_more_and_fewer_bastions_take_nothing_away(project, reached, three):
    program, log = reached
    secrets = {
        "sshPrivateKey": three["node"].private_key,
        "bastionPassword": PASSWORD,
        "secondBastionPassword": PASSWORD,
    }
    another_type = [("create", "it"), ("delete", "it"), ("update", "it-removal")]
    updated = [("update", "it"), ("update", "it-removal")]
    assert project.up(program(secrets=secrets)).ok
    chains = (
        (("outer", "inner"), another_type),
        (("outer",), another_type),
        ((), updated),
        (("outer", "inner"), another_type),
    )
    for done, (chain, expected) in enumerate(chains, 2):
        outcome = project.up(program(*chain, secrets=secrets))
        assert outcome.ok, outcome.text
        assert sorted(outcome.changes) == expected
        assert log() == ["apply 0 node"] * done
    gone = project.destroy()
    assert gone.ok, gone.text
    assert log()[len(chains) + 1 :] == ["remove 0 node"]


def test_another_password_runs_it_once_more_and_removes_nothing(project, reached):
    program, log = reached
    first = {"sshPassword": PASSWORD, "sudoPassword": "what sudo does not ask for"}
    assert project.up(program(user=FREE, secrets=first)).ok
    outcome = project.up(program(user=FREE, secrets={**first, "sudoPassword": PASSWORD}))
    assert outcome.ok, outcome.text
    assert sorted(outcome.changes) == [("update", "it"), ("update", "it-removal")]
    assert log() == ["apply 0 node"] * 2


@pytest.mark.parametrize(
    ("bastions", "wrong"), [(("outer",), "outer"), (("outer",), "node"), *((("outer", "inner"), w) for w in ("outer", "inner", "node"))]
)  # fmt: skip
def test_each_wrong_host_key_stops_it(project, reached, three, bastions, wrong):
    program, log = reached
    other = key_pair()[1].strip()
    own = {"bastionPassword": PASSWORD, "secondBastionPassword": PASSWORD, "sshPrivateKey": three["node"].private_key}
    keys = {wrong: other} if wrong != "node" else {}
    outcome = project.up(program(*bastions, secrets=own, keys=keys, node_key=other if wrong == "node" else None))
    assert not outcome.ok
    assert log() == []
    assert "it" not in project.resources()
    assert project.up(program(*bastions, secrets=own)).ok
