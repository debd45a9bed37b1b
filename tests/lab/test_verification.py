"""The verification finds what is broken on purpose, and says what an engineer would ask next."""

import json

import pytest

from tests.lab.running import eventually

pytestmark = pytest.mark.lab


@pytest.fixture
def verify(lab):
    return lambda *more: lab.run(
        ".venv/bin/python", "-m", "multus_site", "verify", "lab", "--format", "json", *more, check=False
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


def failed(done):
    return {(c["check"], c["node"]): c["detail"] for c in json.loads(done.stdout)["checks"] if not c["ok"]}


def passes(verify):
    """Whether all checks pass; a good pod that has just started may take several looks."""
    return lambda: verify().returncode == 0


def test_multus_killed_while_a_pod_starts_leaves_no_pod_without_interfaces(lab, verify):
    (old,) = lab.pods()
    lab.kubectl("delete", "pod", old["metadata"]["name"], "--wait=false")
    lab.node("node2", "pkill", "-9", "-x", "multus-daemon")

    def another():
        return {p["metadata"]["name"] for p in lab.pods()} - {old["metadata"]["name"]}

    eventually(another)
    eventually(passes(verify), seconds=180)
    lab.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")


def test_a_node_that_lost_its_power_is_named_and_comes_back_with_its_pod(lab, verify):
    lab.run("podman", "kill", "lab-node2")
    try:
        done = verify()
    finally:
        lab.run("podman", "start", "lab-node2")
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    found = failed(done)
    assert "node2 cannot be inspected" in found["look-inside", "node2"]
    assert {node for _, node in found} == {"node2"}

    eventually(passes(verify), seconds=240)
    lab.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
