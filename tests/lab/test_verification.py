"""The verification finds what is broken on purpose, and says what an engineer would ask next."""

import json

import pytest

from tests.lab.running import eventually

pytestmark = pytest.mark.lab


@pytest.fixture
def verify(lab):
    return lambda *more: lab.run(
        ".venv/bin/python", "-m", "cli", "verify", "lab", "--format", "json", *more, check=False
    )


def pod_interface(lab, *command):
    """An `ip` command in the pod's network, from its node: the pod itself may not do this."""
    (pod,) = lab.pods()
    sandbox = lab.node(
        "node2", "crictl", "pods", "--name", pod["metadata"]["name"], "--state", "Ready", "-q"
    ).stdout.split()[0]
    inspected = json.loads(lab.node("node2", "crictl", "inspectp", sandbox).stdout)
    namespaces = inspected["info"]["runtimeSpec"]["linux"]["namespaces"]
    path = next(n["path"] for n in namespaces if n["type"] == "network")
    lab.node("node2", "nsenter", f"--net={path}", "ip", *command)


@pytest.fixture
def new_pod_afterwards(lab):
    yield
    lab.kubectl("delete", "pod", "-l", "app.kubernetes.io/name=samplepod", "--wait=true")
    lab.kubectl("wait", "--for=condition=Ready", "pod", "-l", "app.kubernetes.io/name=samplepod", "--timeout=120s")


def test_a_good_site_passes(verify, tmp_path):
    done = verify("--junit", str(tmp_path / "junit.xml"))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["passed"] is True
    by_interface = {(c["interface"], c["check"]) for c in found["checks"]}
    for interface in ("net1", "net2"):
        checks = ("link", "gateway-arp", "gateway-ping", "path-mtu", "unique-address", "isolation")
        assert {(interface, check) for check in checks} <= by_interface
    assert {c["node"] for c in found["checks"] if c["check"] == "plugin-binary"} == {"node1", "node2", "node3"}
    assert 'failures="0"' in (tmp_path / "junit.xml").read_text()


@pytest.mark.usefixtures("new_pod_afterwards")
def test_a_lost_address_fails_with_the_evidence(lab, verify):
    pod_interface(lab, "addr", "flush", "dev", "net1")
    done = verify()
    assert done.returncode == 1
    failed = {(c["interface"], c["check"]) for c in json.loads(done.stdout)["checks"] if not c["ok"]}
    assert failed == {("net1", "address"), ("net1", "gateway-ping")}
    assert "AddedInterface" in done.stderr
    for title in ("Multus on node2:", "ls -l /opt/cni/bin on node2:", "ip -d link on node2:", "ip -d addr in pod"):
        assert title in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("new_pod_afterwards")
def test_an_interface_that_is_down_fails(lab, verify):
    pod_interface(lab, "link", "set", "net2", "down")
    done = verify()
    assert done.returncode == 1
    assert ("net2", "interface") in {
        (c["interface"], c["check"]) for c in json.loads(done.stdout)["checks"] if not c["ok"]
    }


def test_a_node_that_was_killed_comes_back_as_it_was(lab):
    lab.run("podman", "kill", "lab-node3")
    lab.run("podman", "start", "lab-node3")

    def ready():
        conditions = lab.get("node", "node3")["status"]["conditions"]
        return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

    def multus_ready():
        daemons = lab.get("daemonset", "-n", "kube-system", "kube-multus-ds")["status"]
        return daemons.get("numberReady") == 3

    eventually(ready)
    eventually(multus_ready)
    lab.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
