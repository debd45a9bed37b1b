"""The address plan: who may get what, what is taken, how full; and what a change of ranges means for live pods."""

import json

import pytest

from multus_site.render.address_plan import Taken, outside, plan
from multus_site.render.attachment import manifest_of
from multus_site.render.range_changes import range_changes
from multus_site.verify.addresses import leaked, reserved, taken
from multus_site.verify.leaks import NodeAudit
from tests.render.test_by_node import BUSYBOX, site

WHEREABOUTS = {
    "type": "whereabouts",
    "range": "10.1.10.0/24",
    "gateway": "10.1.10.1",
    "exclude": ["10.1.10.240/28"],
    "ipRanges": [{"range": "fd00:10::/64"}],
}


def made(range_="10.1.10.0/24", **workload):
    networks = {
        "internal": {"type": "macvlan", "master": "ens6", "ipam": {**WHEREABOUTS, "range": range_}},
        "bgp": {"type": "macvlan", "master": "ens7", "ipam": {"type": "static", "gateways": ["10.1.20.1"]}},
        "local": {
            "type": "macvlan",
            "master": "ens8",
            "ipam": {"type": "host-local", "ranges": [{"subnet": "10.1.30.0/24"}], "addressesPerNode": 16},
        },
        "lease": {"type": "macvlan", "master": "ens9", "ipam": {"type": "dhcp"}},
    }
    workloads = {
        "web": {"image": BUSYBOX, "replicas": 10, "networks": ["internal", "lease"], **workload},
        "agent": {"image": BUSYBOX, "kind": "DaemonSet", "networks": ["internal", "local"]},
        "speaker": {
            "image": BUSYBOX,
            "kind": "StatefulSet",
            "replicas": 2,
            "networks": [{"name": "bgp", "ipsByReplica": ["10.1.20.11/24", "10.1.20.12/24", "10.1.20.13/24"]}],
        },
    }
    return site(networks, workloads=workloads)


def lines(live=()):
    return {(line.network, line.range): line for line in plan(made(), live)}


def test_who_may_get_what():
    found = lines()
    v4 = found["default/internal", "10.1.10.1-10.1.10.254"]
    # 254 usable, less the gateway and .240-.254 of the excluded /28 (.255 is no host's)
    assert (v4.size, v4.asked, v4.gateway) == (254 - 1 - 15, 13, "10.1.10.1")
    assert v4.who == ("web (10 pods)", "agent (3 pods)")
    assert found["default/internal", "fd00:10::1-fd00:10::ffff:ffff:ffff:fffe"].size == 2**64 - 2
    assert found["default/bgp", "each pod's own"].who == ("speaker-0: 10.1.20.11", "speaker-1: 10.1.20.12")
    local = found["default/local", "10.1.30.1-10.1.30.254"]
    assert (local.size, local.asked) == (253, 3)
    parts = [who for who in local.who if who.startswith("node")]
    assert len(parts) == 3 == len({part.partition(": ")[2] for part in parts})
    assert found["default/lease", "the DHCP server's"].asked == 10


def test_what_is_taken_and_how_full():
    live = [Taken("default/internal", f"10.1.10.{i}", f"default/web-{i}", "node1") for i in range(10, 34)]
    live.append(Taken("default/internal", "fd00:10::5", "default/web-10", "node1"))
    line = lines(live)["default/internal", "10.1.10.1-10.1.10.254"]
    assert len(line.taken) == 24
    assert line.full == pytest.approx(24 / 238)


def test_an_address_that_is_reserved_on_a_node_counts_as_taken_whether_a_pod_has_it_or_not():
    live = [Taken("default/local", "10.1.30.2", "default/agent-1", "node1")]
    attachment = {"metadata": {"namespace": "default", "name": "local"}, "spec": {"config": '{"name": "of-local"}'}}
    audits = {
        "node1": NodeAudit(reserved={"of-local": ("10.1.30.2", "10.1.30.3"), "cbr0": ("10.233.64.2",)}),
        "node2": NodeAudit(reserved={"of-local": ("10.1.30.18",)}),
        "node3": NodeAudit(error="crictl pods: connection refused"),
    }
    held = list(reserved([attachment], audits))
    found = {(line.network, line.range): line for line in plan(made(), live, held)}
    line = found["default/local", "10.1.30.1-10.1.30.254"]
    assert [(one.address, one.node) for one in line.reserved] == [
        ("10.1.30.18", "node2"),
        ("10.1.30.2", "node1"),
        ("10.1.30.3", "node1"),
    ]
    assert line.full == pytest.approx(3 / 253)
    assert line.row()["reserved"][0] == {"address": "10.1.30.18", "node": "node2"}
    assert all(not other.reserved for other in found.values() if other is not line)


def test_what_is_in_no_range():
    live = [
        Taken("default/internal", address, f"default/{name}", "node1")
        for address, name in (("10.1.10.241", "a"), ("10.1.11.5", "b"), ("10.1.10.5", "c"), ("10.1.10.1", "d"))
    ]
    live.append(Taken("default/lease", "10.1.20.108", "default/web-1", "node1"))  # which its server knows
    assert [t.pod for t in outside(made(), live)] == ["default/d", "default/a", "default/b"]


def pod(name, status, **metadata):
    annotations = {"k8s.v1.cni.cncf.io/network-status": json.dumps(status), **metadata.pop("annotations", {})}
    return {
        "metadata": {"name": name, "namespace": "default", "annotations": annotations, **metadata},
        "spec": {"nodeName": "node1"},
        "status": {"phase": "Running"},
    }


def test_live_addresses_are_those_of_attachments():
    status = [
        {"name": "cbr0", "interface": "eth0", "ips": ["10.233.64.5"], "default": True},
        {"name": "default/internal", "interface": "net1", "ips": ["10.1.10.5", "fd00:10::5"]},
        {"name": "default/l2", "interface": "net2"},
    ]
    pods = [
        pod("a", status, annotations={"multus-site/networks-hash": "1"}),
        {**pod("b", status), "status": {"phase": "Failed"}},
        {"metadata": {"name": "c", "namespace": "default"}},
    ]
    assert taken(pods)[0] == [
        Taken("default/internal", "10.1.10.5", "default/a", "node1", ours=True),
        Taken("default/internal", "fd00:10::5", "default/a", "node1", ours=True),
    ]


def test_what_whereabouts_holds_for_nobody():
    allocations = {"5": {"podref": "default/a", "id": "x"}, "12": {"podref": "default/gone", "id": "y"}}
    pools = [{"spec": {"range": "10.1.10.0/24", "allocations": allocations}}]
    (sentence,) = leaked(pools, [pod("a", [])])
    assert sentence.startswith("10.1.10.12 is held for default/gone")


def changes(range_, *pods):
    before, after = made(), made(range_)
    configs = {"default/internal": manifest_of(before, "internal")["spec"]["config"]}
    return range_changes(after, pods, configs)


OURS = Taken("default/internal", "10.1.10.5", "default/web-1", "node1", ours=True)
THEIRS = Taken("default/internal", "10.1.10.6", "default/stranger", "node2")


def test_a_change_says_which_pods_move():
    found = changes("10.1.10.100-10.1.10.200/24", OURS)
    assert found.stranded == ()
    assert found.moves == (
        "networks.internal: it changes, and its 1 pods are recreated; these move to another address: default/web-1 (10.1.10.5)",
    )
    assert "each can keep its address" in changes("10.1.10.2-10.1.10.200/24", OURS).moves[0]


def test_a_change_that_would_strand_an_address_is_refused():
    (sentence,) = changes("10.1.10.100-10.1.10.200/24", OURS, THEIRS).stranded
    assert "10.1.10.6 of default/stranger on node2" in sentence
    assert "kubectl delete pod -n default stranger" in sentence
    assert changes("10.1.10.2-10.1.10.200/24", OURS, THEIRS).stranded == ()


def test_without_a_change_nothing_is_said():
    assert changes("10.1.10.0/24", OURS, THEIRS) == range_changes(made(), [], {})
