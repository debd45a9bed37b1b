"""Judgements about pods and nodes: each check fails for its own reason, and only for that."""

import json

import pytest

from verification.checks import Check
from verification.expectation import Expectation, ExpectedInterface, ExpectedNode, ExpectedRange, ExpectedWorkload
from verification.reach import targets
from verification.result import judged
from verification.seen import Address, Dns, Inside, Link, NodeSeen, Ping, PodSeen, Reach

RANGE = ExpectedRange(subnet="10.1.10.0/24", start="10.1.10.200", end="10.1.10.250", gateway="10.1.10.1")
NET1 = ExpectedInterface(
    interface="net1",
    network="default/internal",
    ranges=(RANGE,),
    mtu=1500,
    kind="macvlan",
    mode="bridge",
    uplink="ens6",
    segment="ens6/0",
)
OTHER_RANGE = ExpectedRange(subnet="10.1.20.0/24", start="10.1.20.200", end="10.1.20.250", gateway="10.1.20.1")
NET2 = NET1.model_copy(
    update={
        "interface": "net2",
        "network": "default/external",
        "ranges": (OTHER_RANGE,),
        "uplink": "ens7",
        "segment": "ens7/0",
    }
)
WORKLOAD = ExpectedWorkload(name="samplepod", namespace="default", replicas=1, interfaces=(NET1,))
NODES = (ExpectedNode(name="node2", plugins={"macvlan": "a" * 64}, uplinks={"ens6": 1500}),)
GATEWAY = "02:00:00:00:00:01"
CONF = json.dumps({"type": "multus-shim", "name": "multus-cni-network"})
DNS = Dns(name="kubernetes.default.svc.cluster.local", server="10.233.0.3", address="10.233.0.1")
ROUTES = ({"dst": "default", "gateway": "10.233.65.1", "dev": "eth0"},)
GOOD_PING = Ping(sent=3, received=3, ms=(0.07, 0.08, 0.09))


def link(**changes):
    whole = Link(
        name="net1",
        up=True,
        carrier=True,
        mtu=1500,
        mac="7a:00:00:00:00:01",
        kind="macvlan",
        mode="bridge",
        parent=7,
        addresses=(Address(address="10.1.10.200", prefix=24),),
    )
    return whole.model_copy(update=changes)


def held(*addresses, prefix=24):
    return tuple(Address(address=a, prefix=prefix) for a in addresses)


def reach(**changes):
    whole = Reach(
        arp={"10.1.10.1": (GATEWAY,)},
        others={"10.1.10.200": ()},
        ping={"10.1.10.1": GOOD_PING},
        path={"10.1.10.1": 1500},
    )
    return whole.model_copy(update=changes)


def pod(name="samplepod-1", *, seen=None, reached=None, status=None, inside=None, **changes):
    entries = [{"name": "default/internal", "interface": "net1"}] if status is None else status
    whole = Inside(links={"net1": seen or link()}, routes=ROUTES, interfaces={"net1": reached or reach()}, dns=DNS)
    return PodSeen(
        **{
            "workload": "samplepod",
            "name": name,
            "node": "node2",
            "uid": name,
            "network_status": json.dumps(entries) if entries != "" else "",
            "inside": inside or whole,
            **changes,
        }
    )


def node(**changes):
    whole = NodeSeen(
        files=("00-multus.conf", "10-flannel.conflist", "multus.d"),
        multus_conf=CONF,
        binaries={"macvlan": "a" * 64},
        links=(Link(name="ens6", up=True, carrier=True, mtu=1500, mac="02:00:00:00:00:06"),),
        names={1: "lo", 7: "ens6"},
        daemon="kube-multus-ds-x",
        daemon_ready=True,
    )
    return whole.model_copy(update=changes)


def checks(pods, *, seen=None, workload=WORKLOAD, more=(), asked=None, attachments=None):
    expected = Expectation(workloads=(workload, *more), nodes=NODES, attachments=asked or {})
    return judged(expected, {"node2": seen or node()}, list(pods), attachments or {})


def failed(found: list[Check]) -> list[str]:
    return [c.check for c in found if not c.ok]


def detail(found: list[Check]) -> str:
    return next(c.detail for c in found if not c.ok)


def test_a_good_site_passes_every_check():
    found = checks([pod()])
    assert failed(found) == []
    assert [c.check for c in found] == [
        *("multus-daemon", "multus-conf", "plugin-binary", "uplink"),
        *("network-status", "interface", "link", "mtu", "address", "default-route", "cluster-dns"),
        *("gateway-arp", "gateway-ping", "path-mtu", "unique-address"),
    ]
    assert set(found[0].row()) == {"workload", "pod", "node", "interface", "network", "check", "ok", "detail"}


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (link(up=False), ["interface"]),
        (link(carrier=False), ["interface"]),
        (link(mtu=1400), ["mtu"]),
        (link(kind="ipvlan"), ["link"]),
        (link(mode="private"), ["link"]),
        (link(parent=1), ["link"]),
        (link(addresses=()), ["address"]),
        (link(addresses=held("10.1.10.199")), ["address"]),
        (link(addresses=held("10.1.10.251")), ["address"]),
        (link(addresses=held("10.1.10.200", prefix=16)), ["address"]),
        (link(addresses=held("10.1.10.200", "10.1.10.201")), ["address"]),
        (link(addresses=held("10.1.20.200")), ["address"]),
        (link(addresses=held("10.1.10.250")), []),
    ],
)
def test_a_wrong_interface_fails_its_own_check(seen, reason):
    assert failed(checks([pod(seen=seen)])) == reason


def test_a_replaced_plugin_is_named_by_what_it_made():
    found = checks([pod(seen=link(kind="ipvlan", mode="l2"))])
    assert detail(found) == "ipvlan l2 on ens6; asked for: macvlan bridge on ens6"


def test_a_pod_without_the_interface_is_told_so():
    found = checks([pod(inside=Inside(links={"eth0": link(name="eth0")}, routes=ROUTES, dns=DNS))])
    assert failed(found) == ["interface"]
    assert detail(found) == "the pod has no interface net1; it has: eth0"


@pytest.mark.parametrize(
    "status",
    [
        "",
        [],
        [{"name": "default/external", "interface": "net1"}],
        [{"name": "default/internal", "interface": "net2"}],
    ],
)
def test_network_status_must_name_network_and_interface(status):
    assert failed(checks([pod(status=status)])) == ["network-status"]


def test_what_cannot_be_looked_at_fails_once_and_says_why():
    found = checks([pod(inside=Inside(error="node2 has no running Multus daemon to look through"))], seen=NodeSeen())
    assert failed(found) == ["multus-daemon", "look-inside"]


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


@pytest.mark.parametrize(
    ("routes", "reason"),
    [
        ((), ["default-route"]),
        (({"dst": "default", "gateway": "10.1.10.1", "dev": "net1"},), ["default-route"]),
        ((*ROUTES, {"dst": "default", "gateway": "10.1.10.1", "dev": "net1"}), ["default-route"]),
        ((*ROUTES, {"dst": "10.9.0.0/16", "gateway": "10.1.10.1", "dev": "net1"}), []),
        # A DHCP server's, which is the last resort; and another family's has nothing to do with IPv4's metrics.
        ((*ROUTES, {"dst": "default", "gateway": "10.1.10.1", "dev": "net1", "metric": 1000}), []),
        ((*ROUTES, {"dst": "default", "gateway": "fd00:10::1", "dev": "net1", "metric": 1024}), ["default-route"]),
        ((*ROUTES, {"dst": "default", "dev": "net1", "metric": 1024, "pref": "medium"}), ["default-route"]),
    ],
)
def test_the_default_route_is_eth0_s_alone(routes, reason):
    inside = Inside(links={"net1": link()}, routes=routes, interfaces={"net1": reach()}, dns=DNS)
    assert failed(checks([pod(inside=inside)])) == reason


def test_broken_dns_fails_with_the_server_s_words():
    inside = Inside(
        links={"net1": link()},
        routes=ROUTES,
        interfaces={"net1": reach()},
        dns=Dns(name="kubernetes.default.svc.cluster.local", server="10.233.0.3", error="timed out"),
    )
    found = checks([pod(inside=inside)])
    assert failed(found) == ["cluster-dns"]
    assert detail(found) == "10.233.0.3 asked for kubernetes.default.svc.cluster.local: timed out"


def test_too_few_or_too_many_pods_fail():
    assert failed(checks([])) == ["replicas"]
    second = pod("samplepod-2", seen=link(mac="7a:00:00:00:00:02", addresses=held("10.1.10.201")))
    assert failed(checks([pod(), second])) == ["replicas"]


def test_an_address_held_by_two_pods_fails_both():
    two = WORKLOAD.model_copy(update={"replicas": 3})
    third = pod("samplepod-3", seen=link(mac="7a:00:00:00:00:03", addresses=held("10.1.10.201")))
    found = [c for c in checks([pod(), pod("samplepod-2"), third], workload=two) if c.check == "unique-address"]
    assert {c.pod: c.ok for c in found} == {"samplepod-1": False, "samplepod-2": False, "samplepod-3": True}
    assert "10.1.10.200 is held by samplepod-2 too" in found[0].detail


def test_an_address_stolen_by_a_host_outside_is_found_with_its_mac():
    found = checks([pod(reached=reach(others={"10.1.10.200": ("02:00:00:00:00:66",)}))])
    assert failed(found) == ["unique-address"]
    assert detail(found) == "10.1.10.200 is held by a host outside the site too, MAC 02:00:00:00:00:66"


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
    second = pod("other-1", workload="other", status=[{"name": "default/lab", "interface": "net1"}])
    assert failed(checks([pod(), second], more=(other,))) == []


def test_bridges_of_two_nodes_may_give_the_same_address():
    own = WORKLOAD.model_copy(update={"interfaces": (NET1.model_copy(update={"segment": ""}),), "replicas": 2})
    pods = [pod(), pod("samplepod-2", node="node3", seen=link(mac="7a:00:00:00:00:02"))]
    assert failed(checks(pods, workload=own)) == []
    same_node = [pods[0], pod("samplepod-2", seen=link(mac="7a:00:00:00:00:02"))]
    assert failed(checks(same_node, workload=own)) == ["unique-address"] * 2


def test_ipv6_ranges_hold_ipv6_only():
    six = ExpectedRange(subnet="fd00:10::/64", start="fd00:10::1", end="fd00:10::ff")
    assert six.holds("fd00:10::5")
    assert not six.holds("fd00:10::100")
    assert not six.holds("10.1.10.200")
    assert six.prefix == 64


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


@pytest.mark.parametrize(("kind", "reason"), [("tun", []), ("macvlan", ["interface"])])
def test_only_a_tap_may_be_without_a_carrier(kind, reason):
    only = NET1.model_copy(update={"kind": kind, "mode": "", "uplink": ""})
    workload = WORKLOAD.model_copy(update={"interfaces": (only,)})
    assert failed(checks([pod(seen=link(carrier=False, kind=kind))], workload=workload)) == reason


def test_an_object_without_a_configuration_is_as_rendered_where_nodes_have_their_own():
    found = checks([pod()], asked={"default/internal": ""}, attachments={"default/internal": ""})
    assert failed(found) == []


@pytest.mark.parametrize("answer", [(), (GATEWAY,), ("7a:00:00:00:00:01",)])
def test_a_host_that_is_on_both_segments_joins_them_not(answer):
    assert all(c.ok for c in two_segments(answer))


@pytest.mark.parametrize(
    ("seen", "check", "words"),
    [
        (node(files=("10-flannel.conflist",)), "multus-conf", "has no 00-multus.conf; it has: 10-flannel.conflist"),
        (node(files=("00-aaa.conf", "00-multus.conf")), "multus-conf", "00-aaa.conf comes before 00-multus.conf"),
        (node(multus_conf="{"), "multus-conf", "no JSON object"),
        (node(multus_conf='{"type": "flannel"}'), "multus-conf", "calls flannel"),
        (node(binaries={}), "plugin-binary", "there is no /opt/cni/bin/macvlan"),
        (node(binaries={"macvlan": "b" * 64}), "plugin-binary", f"{'b' * 64}; installed was {'a' * 64}"),
        (node(links=()), "uplink", "there is no interface ens6"),
        (node(links=(Link(name="ens6", up=True, carrier=False, mtu=1500),)), "uplink", "no carrier"),
        (node(links=(Link(name="ens6", up=True, carrier=True, mtu=1400),)), "uplink", "1400 bytes, 1500 asked for"),
        (node(daemon_ready=False), "multus-daemon", "not ready"),
        (node(error="chroot: no python3"), "look-inside", "no python3"),
    ],
)
def test_a_broken_node_is_named_rightly(seen, check, words):
    found = checks([pod()], seen=seen)
    assert failed(found) == [check]
    assert words in detail(found)


def test_a_node_without_a_daemon_is_named():
    assert failed(checks([pod()], seen=NodeSeen()))[0] == "multus-daemon"


@pytest.mark.parametrize(
    ("seen", "reason"),
    [(110, []), (120, ["vlan"]), (None, [])],
)
def test_a_vlan_tag_is_checked_where_it_can_be_seen(seen, reason):
    tagged = WORKLOAD.model_copy(update={"interfaces": (NET1.model_copy(update={"vlan": 110}),)})
    uplink = Link(name="ens6", up=True, carrier=True, mtu=1500, vlan=seen)
    assert failed(checks([pod()], workload=tagged, seen=node(links=(uplink,)))) == reason


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


@pytest.mark.parametrize(
    ("there", "words"),
    [
        ({"default/internal": '{"name": "internal", "mtu": 1500}'}, None),
        ({"default/internal": '{"name": "internal", "mtu": 1400}'}, "it was changed"),
        ({"default/internal": "{"}, "it was changed"),
        ({}, "there is no NetworkAttachmentDefinition"),
    ],
)
def test_an_attachment_must_be_as_rendered(there, words):
    found = checks([pod()], asked={"default/internal": '{"mtu":1500,"name":"internal"}'}, attachments=there)
    assert failed(found) == (["attachment"] if words else [])
    assert words is None or words in detail(found)
    assert found[0].subject == "network default/internal"
