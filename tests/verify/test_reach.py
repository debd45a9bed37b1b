"""Judgements about what pods reach and what they must not: gateways, peers, holders of an address, other segments."""

import pytest

from multus_site.verify.expectation import Expectation, ExpectedRange, ExpectedWorkload
from multus_site.verify.observed import Address, Inside, Ping, Reach
from multus_site.verify.reach import targets
from multus_site.verify.result import judged
from tests.verify.seen import (
    DNS,
    GATEWAY,
    GOOD_PING,
    NET1,
    NET2,
    NODES,
    ROUTES,
    WORKLOAD,
    checks,
    detail,
    failed,
    held,
    link,
    node,
    pod,
    reach,
)


def test_a_dead_gateway_fails_by_arp_and_by_ping():
    silent = reach(arp={"10.1.10.1": ()}, ping={"10.1.10.1": Ping(sent=3, received=0)}, path={})
    found = checks([pod(reached=silent)])
    assert failed(found) == ["gateway-arp", "gateway-ping"]
    assert detail(found) == "nobody answers for 10.1.10.1"


def test_two_that_answer_for_the_gateway_are_one_too_many():
    found = checks([pod(reached=reach(arp={"10.1.10.1": (GATEWAY, "02:00:00:00:00:66")}))])
    assert failed(found) == ["gateway-arp"]
    assert "02:00:00:00:00:66" in detail(found)


def test_a_narrow_path_fails_with_what_passes():
    found = checks([pod(reached=reach(path={"10.1.10.1": 1400}))])
    assert failed(found) == ["path-mtu"]
    assert detail(found).endswith("10.1.10.1: 1400")


def test_jumbo_frames_are_named():
    jumbo = pod(seen=link(mtu=9000), reached=reach(path={"10.1.10.1": 9000}))
    wide = WORKLOAD.model_copy(update={"interfaces": (NET1.model_copy(update={"mtu": 9000}),)})
    found = checks([jumbo], workload=wide)
    assert failed(found) == []
    assert "9000 bytes (jumbo) unfragmented to 10.1.10.1" in [c.detail for c in found]


def test_pods_of_other_nodes_must_answer():
    silent = reach(ping={"10.1.10.1": GOOD_PING, "10.1.10.201": Ping(sent=3, received=0, error="No route to host")})
    two = WORKLOAD.model_copy(update={"replicas": 2})
    second = pod(
        "samplepod-2",
        node="node3",
        seen=link(mac="7a:00:00:00:00:02", addresses=held("10.1.10.201")),
        reached=reach(others={"10.1.10.201": ()}),
    )
    found = checks([pod(reached=silent), second], workload=two)
    assert failed(found) == ["pod-to-pod"]
    assert detail(found) == "10.1.10.201 (samplepod-2 on node3): 3 sent, 0 received, No route to host"


def test_an_address_held_by_two_pods_fails_both():
    two = WORKLOAD.model_copy(update={"replicas": 3})
    third = pod("samplepod-3", seen=link(mac="7a:00:00:00:00:03", addresses=held("10.1.10.201")))
    found = [c for c in checks([pod(), pod("samplepod-2"), third], workload=two) if c.check == "unique-address"]
    assert {c.pod: c.ok for c in found} == {"samplepod-1": False, "samplepod-2": False, "samplepod-3": True}
    assert "10.1.10.200 is also held by samplepod-2" in found[0].detail


def test_an_address_stolen_by_a_host_outside_is_found_with_its_mac():
    found = checks([pod(reached=reach(others={"10.1.10.200": ("02:00:00:00:00:66",)}))])
    assert failed(found) == ["unique-address"]
    assert detail(found) == "10.1.10.200 is also held by a host outside the site, MAC 02:00:00:00:00:66"


def test_another_interface_of_the_same_pod_is_no_thief():
    both = Inside(
        links={"net1": link(), "net2": link(name="net2", mac="7a:00:00:00:00:02")},
        routes=ROUTES,
        interfaces={"net1": reach(others={"10.1.10.200": ("7a:00:00:00:00:02",)})},
        dns=DNS,
    )
    assert failed(checks([pod(inside=both)])) == []


def test_an_address_that_the_kernel_found_taken_fails():
    six = ExpectedRange(subnet="fd00:10::/64", start="fd00:10::1", end="fd00:10::ff")
    workload = WORKLOAD.model_copy(update={"interfaces": (NET1.model_copy(update={"ranges": (six,)}),)})
    seen = link(addresses=(Address(address="fd00:10::5", prefix=64, bad=("dadfailed",)),))
    found = checks([pod(seen=seen, reached=Reach())], workload=workload)
    assert failed(found) == ["unique-address"]
    assert detail(found) == "fd00:10::5 is dadfailed"


def test_the_same_address_on_another_network_is_no_duplicate():
    other = ExpectedWorkload(
        name="other", namespace="default", replicas=1, interfaces=(NET1.model_copy(update={"network": "default/lab"}),)
    )
    status = [{"name": "default/lab", "interface": "net1"}]
    second = pod("other-1", workload="other", status=status, seen=link(mac="7a:00:00:00:00:02"))
    assert failed(checks([pod(), second], more=(other,))) == []


def test_bridges_of_two_nodes_may_give_the_same_address():
    own = WORKLOAD.model_copy(update={"interfaces": (NET1.model_copy(update={"segment": ""}),), "replicas": 2})
    pods = [pod(), pod("samplepod-2", node="node3", seen=link(mac="7a:00:00:00:00:02"))]
    assert failed(checks(pods, workload=own)) == []
    same_node = [pods[0], pod("samplepod-2", seen=link(mac="7a:00:00:00:00:02"))]
    assert failed(checks(same_node, workload=own)) == ["unique-address"] * 2


def test_a_mac_of_two_pods_fails_both_on_one_segment():
    two = WORKLOAD.model_copy(update={"replicas": 2})
    other = pod("samplepod-2", node="node3", seen=link(addresses=held("10.1.10.201")))
    found = [c for c in checks([pod(), other], workload=two) if not c.ok]
    assert [c.check for c in found] == ["unique-mac"] * 2
    assert found[0].detail == "7a:00:00:00:00:01 is also the MAC of samplepod-2 on node3"
    shared = two.model_copy(update={"interfaces": (NET1.model_copy(update={"own_mac": False}),)})
    assert "unique-mac" not in {c.check for c in checks([pod(), other], workload=shared)}


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        ({"twins": ("10.1.10.190", "fe80::66")}, "another host has MAC 7a:00:00:00:00:01 too; from it came: 10.1.10.190, fe80::66"),
        ({"twins": ("a frame",)}, "another host has MAC 7a:00:00:00:00:01 too; from it came: a frame"),
        ({"twins_error": "No such device"}, "other hosts with MAC 7a:00:00:00:00:01 cannot be looked for: No such device"),
    ],
)  # fmt: skip
def test_a_host_outside_with_a_pods_mac_is_named(seen, words):
    found = checks([pod(reached=reach(**seen))])
    assert failed(found) == ["unique-mac"]
    assert detail(found) == words


STRANGER_MAC = "7a:00:00:00:00:99"


def two_segments(answer_on_net1, **changes):
    """A pod on net1 that asks for a pod of the other segment, and that one, which `changes` are for."""
    net2 = NET2.model_copy(update=changes)
    other = ExpectedWorkload(name="other", namespace="default", replicas=1, interfaces=(net2,))
    first = pod(reached=reach(arp={"10.1.10.1": (GATEWAY,), "10.1.20.201": answer_on_net1}))
    theirs = Inside(
        links={"net2": link(name="net2", mac=STRANGER_MAC, addresses=held("10.1.20.201"))},
        routes=ROUTES,
        interfaces={
            "net2": Reach(
                arp={"10.1.20.1": ("02:00:00:00:00:02",), "10.1.10.200": ()},
                ping={"10.1.20.1": GOOD_PING},
                path={"10.1.20.1": 1500},
            )
        },
        dns=DNS,
    )
    second = pod("other-1", workload="other", inside=theirs, status=[{"name": "default/external", "interface": "net2"}])
    names = node(names={7: "ens6"})
    found = judged(Expectation(workloads=(WORKLOAD, other), nodes=NODES), {"node2": names}, [first, second], {})
    return [c for c in found if c.check == "isolation"]


def test_segments_that_hear_each_other_fail():
    (first, second) = two_segments((STRANGER_MAC,))
    assert not first.ok
    assert first.detail == f"10.1.20.201 of ens7/0 answers here, MAC {STRANGER_MAC}"
    assert second.ok


def test_a_segment_that_nobody_knows_is_held_apart_from_none():
    (only,) = two_segments((STRANGER_MAC,), segment_known=False)
    assert only.ok
    asked = targets(
        Expectation(
            workloads=(
                WORKLOAD.model_copy(
                    update={"interfaces": (NET1, NET2.model_copy(update={"segment_known": False})), "replicas": 2}
                ),
            )
        ),
        {
            (f"samplepod/p{i}", name): (f"10.1.{net}.20{i}",)
            for i in range(2)
            for name, net in (("net1", 10), ("net2", 20))
        },
        {"samplepod/p0": "node1", "samplepod/p1": "node2"},
    )
    assert [asked["samplepod/p0", name].strangers for name in ("net1", "net2")] == [(), ()]
    assert asked["samplepod/p0", "net2"].peers == ("10.1.20.201",)


@pytest.mark.parametrize("answer", [(), (GATEWAY,), ("7a:00:00:00:00:01",)])
def test_a_host_that_is_on_both_segments_joins_them_not(answer):
    assert all(c.ok for c in two_segments(answer))


def test_every_interface_asks_for_its_gateway_a_peer_a_node_and_strangers():
    both = WORKLOAD.model_copy(update={"interfaces": (NET1, NET2), "replicas": 4})
    held_by = {
        (f"samplepod/p{i}", name): (f"10.1.{net}.20{i}",)
        for i in range(4)
        for name, net in (("net1", 10), ("net2", 20))
    }
    where = {f"samplepod/p{i}": f"node{i % 3}" for i in range(4)}
    asked = targets(Expectation(workloads=(both,)), held_by, where)
    mine = asked["samplepod/p0", "net1"]
    assert mine.gateways == ("10.1.10.1",)
    assert mine.peers == ("10.1.10.201", "10.1.10.202")
    assert mine.strangers == ("10.1.20.1", "10.1.20.200")
