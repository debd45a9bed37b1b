"""Commands that ask a stack, in every state that one can be in: real pulumi, a backend in a file, nobody at the other end."""

import json
import os
import shutil
import subprocess
import sys
from xml.etree import ElementTree

import pytest
import yaml

from lab.cache import Cache
from lab.files import read_environment
from lab.place import Place
from tests.graph.recording import ED25519, PRIVATE_KEY
from tests.lab.running import PROJECT
from tests.verify.test_cluster import kubeconfig, nobody, port

__all__ = ["nobody", "port"]

pytestmark = pytest.mark.engine

COMMANDS = ("verify", "drift", "trace", "throughput")


def site(ssh_port):
    """Two nodes on loopback where no sshd listens."""
    hosts = {
        "node1": {"address": "127.0.0.5", "hostKey": ED25519, "roles": ["control-plane", "etcd", "worker"]},
        "node2": {"address": "127.0.0.6", "hostKey": ED25519},
    }
    ipam = {"type": "host-local", "ranges": [{"subnet": "10.1.10.0/24", "gateway": "10.1.10.1"}]}
    return {
        "name": "try",
        "nodes": {"backend": "existing", "ssh": {"user": "root", "port": ssh_port}, "hosts": hosts},
        "networks": {"a": {"type": "macvlan", "master": "ens6", "ipam": ipam}},
    }


class Project:
    """A project folder with one stack, whose last update left outputs of the test's own."""

    def __init__(self, root, environment, ssh_port):
        self.root, self.environment = root, environment
        (root / "stacks").mkdir()
        shutil.copy(PROJECT / "Pulumi.yaml", root)
        config = {"multus-site:site": site(ssh_port), "multus-site:sshPrivateKey": PRIVATE_KEY}
        (root / "stacks" / "Pulumi.try.yaml").write_text(yaml.safe_dump({"config": config}))

    def run(self, *command, given=None):
        return subprocess.run(
            command, cwd=self.root, env=self.environment, input=given, capture_output=True, text=True, check=False
        )

    def pulumi(self, *arguments, given=None):
        done = self.run("pulumi", *arguments, "--stack", "try", "--non-interactive", given=given)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def cli(self, *arguments):
        done = self.run(sys.executable, "-m", "multus_site", *arguments)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def left(self, *resources, **outputs):
        """As if an update had left these resources and outputs."""
        state = json.loads(self.pulumi("stack", "export"))
        urn = "urn:pulumi:try::multus-site::pulumi:pulumi:Stack::multus-site-try"
        own = {"urn": urn, "type": "pulumi:pulumi:Stack", "outputs": outputs}
        state["deployment"]["resources"] = [own, *resources]
        self.pulumi("stack", "import", given=json.dumps(state))


@pytest.fixture
def project(tmp_path, nobody):
    variables = {**os.environ, **(read_environment(Place(PROJECT, Cache.default())) or {})}
    variables["PATH"] = f"{Cache.default().root / 'bin'}:{variables['PATH']}"
    if shutil.which("pulumi", path=variables["PATH"]) is None:
        pytest.skip("there is no pulumi (make lab brings it)")
    (tmp_path / "state").mkdir()
    variables |= {
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PYTHONPATH": str(PROJECT),
    }
    (tmp_path / "project").mkdir()
    return Project(tmp_path / "project", variables, nobody)


@pytest.fixture
def stack(project):
    project.pulumi("stack", "init")
    return project


def applied(node):
    facts = {"hostname": node, "machineId": "1" * 32, "nics": {}}
    return {"facts": facts, "plugins": {}, "networks": {}, "mended": "0"}


def outputs(port, **more):
    nodes = {node: applied(node) for node in ("node1", "node2")}
    return {"kubeconfig": json.dumps(kubeconfig(port)), "nodes": nodes, **more}


def test_no_stack_and_one_that_was_never_updated(project):
    for command in COMMANDS:
        done = project.cli(command, "try")
        assert (done.returncode, done.stdout) == (2, "")
        assert "no stack named 'try' found; pulumi stack ls shows" in done.stderr
    project.pulumi("stack", "init")
    for command in COMMANDS:
        done = project.cli(command, "try")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "stack try has no outputs; apply it first: pulumi up --stack try\n"


@pytest.mark.parametrize("kept", [None, "no kubeconfig", "{}"])
def test_a_cluster_that_cannot_be_asked(stack, nobody, kept):
    stack.left(**outputs(nobody) | ({"kubeconfig": kept} if kept else {}))
    done = stack.cli("verify", "try")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("the cluster of try cannot be reached: ")


def test_drift_of_nodes_that_do_not_answer(stack, nobody):
    stack.left(**outputs(nobody))
    done = stack.cli("drift", "try", "--format", "json")
    assert done.returncode == 2
    found = json.loads(done.stdout)
    assert (found["nodes"], found["objects"], set(found["unreachable"])) == ([], [], {"node1", "node2"})
    assert "Connection refused" in found["unreachable"]["node1"]
    assert "node2 cannot be checked: " in done.stderr


def test_trace_of_a_stack_whose_updates_changed_nothing(stack, nobody):
    stack.left(**outputs(nobody))
    done = stack.cli("trace", "try")
    assert done.returncode == 2
    assert "has no update that changed anything" in done.stderr


def test_trace_of_a_first_update_that_failed(stack):
    """There are no outputs yet, and where the time went is the question."""
    machine = "urn:pulumi:try::multus-site::multus-site:index:NodeVM$command:local:Command::node1-machine"
    begun = {"id": "1", "modified": "2026-11-24T10:00:00Z", "created": "2026-11-24T10:00:00Z"}
    stack.left({"urn": machine, "type": "command:local:Command", "custom": True, **begun})
    done = stack.cli("trace", "try")
    assert done.returncode == 0, done.stderr
    assert "node VMs" in done.stdout
    assert "node1-machine" in done.stdout


def test_a_picture_before_the_first_proof(stack, nobody):
    stack.left(**outputs(nobody))
    done = stack.cli("diagram", "try", "--live", "--format", "mermaid")
    assert done.returncode == 0, done.stderr
    assert "node1" in done.stdout


def test_a_site_that_fails_is_1_with_junit_and_report(stack, port, tmp_path):
    stack.left(**outputs(port))
    done = stack.cli("verify", "try", "--format", "json", "--junit", str(tmp_path / "junit.xml"))
    assert done.returncode == 1
    assert json.loads(done.stdout)["passed"] is False
    assert "look-inside: node2 cannot be inspected" in done.stderr
    root = ElementTree.parse(tmp_path / "junit.xml").getroot()  # noqa: S314 - our own
    failed = {suite.get("name") for suite in root.iter("testsuite") if suite.get("failures") != "0"}
    assert failed == {"node node1", "node node2", "network default/a"}
    assert "cannot be inspected" in (stack.root / "reports" / "try.html").read_text()
    nowhere = stack.cli("verify", "try", "--junit", "/nowhere/junit.xml")
    assert nowhere.returncode == 2
    assert "/nowhere/junit.xml: cannot be written" in nowhere.stderr
