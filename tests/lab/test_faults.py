"""Broken on purpose: each fault is found and named, and put back by `up` where it is ours."""

import json

import pytest

from lab.place import NAMESPACE
from tests.lab.running import eventually

pytestmark = pytest.mark.lab

VERIFY = (".venv/bin/python", "-m", "multus_site", "verify", "lab", "--format", "json")
DRIFT = (".venv/bin/python", "-m", "multus_site", "drift", "lab", "--format", "json")


def failures(lab):
    """(check, node or pod's node, interface, detail) of what failed, and the evidence."""
    done = lab.run(*VERIFY, check=False)
    found = json.loads(done.stdout)
    assert done.returncode == (0 if found["passed"] else 1)
    assert "Traceback" not in done.stderr
    return {(c["check"], c["node"], c["interface"]): c["detail"] for c in found["checks"] if not c["ok"]}


def drifted(lab):
    """What drifted, as data; the exit status says whether anything did."""
    done = lab.run(*DRIFT, check=False)
    found = json.loads(done.stdout)
    assert done.returncode == (1 if found["nodes"] or found["objects"] else 0), done.stderr
    return found


def bridge(lab, gateway="10.1.10.1"):
    """The bridge of a segment: the one that holds its gateway's address."""
    links = json.loads(in_namespace(lab, "-j", "addr").stdout)
    return next(link["ifname"] for link in links if gateway in [a.get("local") for a in link["addr_info"]])


def in_namespace(lab, *command, check=True):
    """An `ip` command in the namespace that holds the segments."""
    return lab.run("ip", "-n", NAMESPACE, *command, check=check)


@pytest.fixture
def up(lab):
    """`pulumi up`; its output."""
    return lambda *more: lab.pulumi("up", "--yes", "--skip-preview", *more).stdout


def test_nothing_drifted_and_nothing_fails(lab):
    assert drifted(lab) == {"nodes": [], "objects": [], "unreachable": {}}
    assert failures(lab) == {}


def test_a_gateway_that_is_gone(lab):
    internal = bridge(lab)
    in_namespace(lab, "addr", "del", "10.1.10.1/24", "dev", internal)
    try:
        found = failures(lab)
    finally:
        in_namespace(lab, "addr", "add", "10.1.10.1/24", "dev", internal)
    assert set(found) == {("gateway-arp", "node2", "net1"), ("gateway-ping", "node2", "net1")}
    assert found["gateway-arp", "node2", "net1"] == "nobody answers for 10.1.10.1"


def test_an_address_that_a_host_outside_has_stolen(lab):
    (pod,) = lab.pods()
    status = json.loads(pod["metadata"]["annotations"]["k8s.v1.cni.cncf.io/network-status"])
    address = next(s["ips"][0] for s in status if s["interface"] == "net1")
    in_namespace(lab, "link", "add", "thief", "type", "veth", "peer", "name", "thief0")
    try:
        in_namespace(lab, "link", "set", "thief0", "master", bridge(lab), "up")
        in_namespace(lab, "link", "set", "thief", "address", "02:00:00:00:00:66")
        lab.run("ip", "netns", "add", "thief")
        in_namespace(lab, "link", "set", "thief", "netns", "thief")
        lab.run("ip", "-n", "thief", "addr", "add", f"{address}/24", "dev", "thief")
        lab.run("ip", "-n", "thief", "link", "set", "thief", "up")
        found = failures(lab)
    finally:
        lab.run("ip", "netns", "del", "thief", check=False)
        in_namespace(lab, "link", "del", "thief0", check=False)
    assert found == {
        ("unique-address", "node2", "net1"): f"{address} is also held by a host outside the site, MAC 02:00:00:00:00:66"
    }


def test_a_plugin_that_was_replaced_by_another_is_put_back_by_up_alone(lab, up):
    lab.node("node2", "cp", "-f", "/opt/cni/bin/bridge", "/opt/cni/bin/macvlan.new")
    lab.node("node2", "mv", "-f", "/opt/cni/bin/macvlan.new", "/opt/cni/bin/macvlan")
    found = failures(lab)
    assert set(found) == {("plugin-binary", "node2", "")}
    (drift,) = drifted(lab)["nodes"]
    assert (drift["node"], drift["what"], drift["mendedBy"]) == ("node2", "/opt/cni/bin/macvlan", "pulumi up")
    said = up()
    assert "/opt/cni/bin/macvlan: applied sha256" in said
    assert "lab-cni-plugins-install" in said
    assert "lab-node1" not in said
    assert drifted(lab)["nodes"] == []
    lab.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")


def test_an_mtu_that_was_lowered_is_put_back_on_a_machine_that_was_made_here(lab, up):
    lab.node("node2", "ip", "link", "set", "dev", "ens6", "mtu", "1400")
    found = failures(lab)
    assert set(found) == {("uplink", "node2", "ens6")}
    assert "1400 bytes, 1500 asked for" in found["uplink", "node2", "ens6"]
    (drift,) = drifted(lab)["nodes"]
    told = ("node2", "ens6 MTU", "1500", "1400", "pulumi up")
    assert (drift["node"], drift["what"], drift["applied"], drift["found"], drift["mendedBy"]) == told
    said = up()
    assert "lab-node2-facts" in said
    assert "lab-node1" not in said
    assert lab.node("node2", "cat", "/sys/class/net/ens6/mtu").stdout.strip() == "1500"
    # This one looks at the nodes again, and the one before has verified.
    lab.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")


def test_an_attachment_that_was_edited_by_hand_is_put_back(lab, up):
    patch = {"spec": {"config": json.dumps({"cniVersion": "1.0.0", "name": "x", "plugins": []})}}
    lab.kubectl("patch", "net-attach-def", "macvlan-internal", "--type=merge", "-p", json.dumps(patch))
    assert {check for check, _, _ in failures(lab)} == {"attachment"}
    (changed,) = drifted(lab)["objects"]
    assert (changed["kind"], changed["name"]) == ("NetworkAttachmentDefinition", "lab-macvlan-internal")
    up("--refresh")
    assert drifted(lab)["objects"] == []
    assert failures(lab) == {}


def test_a_node_that_lost_multus_configuration_gets_it_back_by_itself(lab):
    lab.node("node3", "rm", "/etc/cni/net.d/00-multus.conf")
    (missing,) = drifted(lab)["nodes"]
    assert (missing["node"], missing["what"]) == ("node3", "/etc/cni/net.d/00-multus.conf")
    assert missing["mendedBy"] == "the Multus daemon"

    def back():
        there = lab.node("node3", "test", "-s", "/etc/cni/net.d/00-multus.conf", check=False).returncode == 0
        ready = lab.get("daemonset", "-n", "kube-system", "kube-multus-ds")["status"].get("numberReady") == 3
        return there and ready

    eventually(back)
    assert failures(lab) == {}
