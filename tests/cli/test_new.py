"""`multus-site new`: a stack file that is right but for what only a person can say."""

import shlex

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
    result = new("austin", answers="node1=10.2.1.5\n\ncore=ens6,10.20.0.0/24\n\n\n\n")
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


def written(project, name="austin"):
    """The site that was written, with keys in it."""
    file = project / "stacks" / f"Pulumi.{name}.yaml"
    text = file.read_text()
    assert "hostKey: ''" in text
    file.write_text(text.replace("''", ED25519))
    return load_stack_file(file)


def nodes(count):
    return [word for i in range(1, count + 1) for word in ("--node", f"node{i}=10.2.1.{i}")]


@pytest.mark.parametrize(("count", "planes"), [(1, 1), (2, 1), (3, 3), (5, 3)])
def test_three_hosts_or_more_get_three_control_planes(count, planes, project):
    assert new("austin", *nodes(count)).exit_code == 0
    site = written(project)
    assert len(site.with_role("control-plane")) == len(site.with_role("etcd")) == planes
    assert len(site.with_role("worker")) == count


def test_networks_of_each_type_a_rack_and_a_workload(project):
    result = new(
        "austin", "--node", "node1=10.2.1.1,r1", "--network", "a=macvlan:ens6,10.20.0.0/24", "--network", "b=ipvlan:ens7,10.21.0.0/24",
        "--network", "c=vlan.110:ens8,10.22.0.0/24,10.22.0.1", "--network", "d=sriov:intel.com/fast,10.23.0.0/24",
        "--workload", "probe=docker.io/library/busybox:1.36,a,c",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    site = written(project)
    assert [network.type for network in site.networks.values()] == ["macvlan", "ipvlan", "vlan", "sriov"]
    assert site.networks["c"].vlan_id == 110
    assert site.networks["d"].resource_name == "intel.com/fast"
    assert site.nodes.hosts["node1"].rack == "r1"
    assert [attachment.name for attachment in site.workloads["probe"].networks] == ["a", "c"]


def test_a_wrong_answer_is_asked_again_at_once(monkeypatch, project):
    monkeypatch.setattr(module, "_terminal", lambda: True)
    wrong = ["node1", "node1=10.2.1.500", "node1=10.2.1.5", "node1=10.2.1.6", "node2=10.2.1.5", ""]
    wrong += ["core=ens6", "core=bridge:ens6,10.20.0.0/24", "core=vlan:ens6,10.20.0.0/24", "core=ens6,10.20.0.0/33", ""]
    result = new("austin", answers="\n".join([*wrong, "probe=busybox:1,core", "", "ops", ""]))
    assert result.exit_code == 0, result.output
    assert result.stderr.count("Try again.") == 9
    site = written(project)
    assert list(site.nodes.hosts) == ["node1"]
    assert not site.networks
    assert not site.workloads


def test_nothing_is_lost_at_the_last_question(monkeypatch, project):
    monkeypatch.setattr(module, "_terminal", lambda: True)
    result = new("austin", answers="node1=10.2.1.5\n\ncore=ens6,10.20.0.0/24\n")
    assert result.exit_code != 0
    again = next(line for line in result.stderr.splitlines() if "multus-site new" in line).partition(
        "multus-site new "
    )[2]
    assert not list(project.glob("stacks/*"))
    assert new(*shlex.split(again)).exit_code == 0
    site = written(project)
    assert list(site.networks) == ["core"]


def test_what_pulumi_wrote_stays_in_the_file(project):
    (project / "stacks").mkdir()
    file = project / "stacks" / "Pulumi.austin.yaml"
    file.write_text("# ours\nencryptionsalt: v1:salt\nconfig:\n  multus-site:sshPrivateKey:\n    secure: v1:text\n")
    assert new(*FLAGS).exit_code == 0
    stack = yaml.safe_load(file.read_text())
    assert "# ours" in file.read_text()
    assert stack["encryptionsalt"] == "v1:salt"
    assert stack["config"]["multus-site:sshPrivateKey"] == {"secure": "v1:text"}
    assert list(written(project).nodes.hosts) == ["node1", "node2"]
    assert new(*FLAGS).exit_code == 2


def test_what_fits_of_another_site_is_copied_and_the_rest_is_named(project):
    (project / "stacks").mkdir()
    (project / "stacks" / "Pulumi.dallas.yaml").write_text(f"""config:
  multus-site:site:
    name: dallas
    kubespray: {{version: v2.31.0}}
    nodes: {{backend: existing, ssh: {{user: ops}}, hosts: {{other: {{address: 10.1.1.5, hostKey: {ED25519}, roles: [control-plane, etcd, worker]}}}}}}
    networks:
      core: {{type: macvlan, master: ens6, ipam: {{type: whereabouts, range: 10.20.0.0/24}}}}
      local: {{type: macvlan, master: ens7, nodes: [other], ipam: {{type: whereabouts, range: 10.21.0.0/24}}}}
    workloads:
      probe: {{image: docker.io/library/busybox:1.36, networks: [core]}}
""")
    result = new("austin", *nodes(1), "--from", "dallas", "--workload", "second=docker.io/library/busybox:1.36,core")
    assert result.exit_code == 0, result.output
    assert "left out of the copy: networks.local" in result.stdout
    site = written(project)
    assert site.name == "austin"
    assert list(site.nodes.hosts) == ["node1"]
    assert site.nodes.ssh.user == "ops"
    assert list(site.networks) == ["core"]
    assert list(site.workloads) == ["probe", "second"]
    assert site.kubespray.version == "v2.31.0"


def test_a_scan_names_every_host_that_does_not_answer(project):
    result = new("austin", "--node", "node1=127.0.0.2", "--node", "node2=127.0.0.3", "--scan")
    assert result.exit_code == 2
    assert "node1, 127.0.0.2: " in result.stderr
    assert "node2, 127.0.0.3: " in result.stderr
    assert not list(project.glob("stacks/*"))
