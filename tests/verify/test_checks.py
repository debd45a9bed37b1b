"""Judgements about pods and nodes: each check fails for its own reason, and only for that."""

from pathlib import Path

import pytest

from multus_site.verify import checks as pods
from multus_site.verify import nodes, result
from multus_site.verify import reach as reached
from multus_site.verify.checks import Check
from multus_site.verify.expectation import ExpectedRange
from multus_site.verify.leaks import Left, MultusSeen, NodeAudit
from multus_site.verify.observed import Dns, Inside, Link, NodeSeen
from multus_site.verify.pools import allocations, overlapping
from multus_site.verify.registry import VERIFICATIONS
from tests.verify.seen import (
    CONF,
    DNS,
    NET1,
    ROUTES,
    WORKLOAD,
    audit,
    checks,
    detail,
    failed,
    held,
    link,
    node,
    pod,
    reach,
)


def test_a_good_site_passes_every_check():
    found = checks([pod()])
    assert failed(found) == []
    assert [c.check for c in found] == [
        *("multus-daemon", "multus-conf", "pod-deletion", "left-behind", "plugin-binary", "uplink"),
        *("network-status", "interface", "link", "mtu", "address", "default-route", "cluster-dns"),
        *("gateway-arp", "gateway-ping", "path-mtu", "unique-address", "unique-mac"),
    ]
    assert set(found[0].row()) == {"workload", "pod", "node", "interface", "network", "check", "ok", "detail"}


def test_a_check_that_is_not_in_the_registry():
    with pytest.raises(KeyError, match="latency"):
        Check("", "", "node1", "", "", "latency", ok=True, detail="")


def test_every_check_of_the_registry_is_used():
    """Each name is a string in one of the modules that emit checks."""
    sources = "".join(Path(module.__file__).read_text() for module in (pods, reached, nodes, result))
    assert [name for name in VERIFICATIONS if f'"{name}"' not in sources] == []


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


def test_ipv6_ranges_hold_ipv6_only():
    six = ExpectedRange(subnet="fd00:10::/64", start="fd00:10::1", end="fd00:10::ff")
    assert six.holds("fd00:10::5")
    assert not six.holds("fd00:10::100")
    assert not six.holds("10.1.10.200")
    assert six.prefix == 64


@pytest.mark.parametrize(("kind", "reason"), [("tun", []), ("macvlan", ["interface"])])
def test_only_a_tap_may_be_without_a_carrier(kind, reason):
    only = NET1.model_copy(update={"kind": kind, "mode": "", "uplink": ""})
    workload = WORKLOAD.model_copy(update={"interfaces": (only,)})
    assert failed(checks([pod(seen=link(carrier=False, kind=kind))], workload=workload)) == reason


def test_an_object_without_a_configuration_is_as_rendered_where_nodes_have_their_own():
    found = checks([pod()], asked={"default/internal": ""}, attachments={"default/internal": ""})
    assert failed(found) == []


@pytest.mark.parametrize(
    ("seen", "check", "words"),
    [
        (node(files=("10-flannel.conflist",)), "multus-conf", "has no 00-multus.conf; it has: 10-flannel.conflist"),
        (node(files=("00-aaa.conf", "00-multus.conf")), "multus-conf", "00-aaa.conf comes before 00-multus.conf"),
        (node(multus_conf="{"), "multus-conf", "not a JSON object"),
        (node(multus_conf='{"type": "flannel"}'), "multus-conf", "calls flannel"),
        (
            node(binaries={}),
            "plugin-binary",
            "/opt/cni/bin/macvlan: there is no such file; needed by networks of the site",
        ),
        (node(binaries={"macvlan": "b" * 64}), "plugin-binary", f"{'b' * 64}; expected: {'a' * 64}"),
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


GONE = Left(
    kind="address", network="cbr0", what="10.233.65.9", holder="b" * 64, interface="eth0", seconds=7200, path="/x"
)


@pytest.mark.parametrize(
    ("seen", "check", "words"),
    [
        (
            audit(left=(GONE,)),
            "left-behind",
            "10.233.65.9 of cbr0 is reserved for sandbox bbbbbbbbbbbbb (eth0), which is gone, since 2 h",
        ),
        (audit(left=(GONE,) * 5), "left-behind", "and 2 more"),
        (audit(left=(GONE.model_copy(update={"kind": "damaged"}),)), "left-behind", "is damaged"),
        (audit(error="crictl pods: connection refused"), "left-behind", "connection refused"),
        (
            audit(
                multus=MultusSeen(conf='{"clusterNetwork": "/host/etc/cni/net.d/10-calico.conflist"}', version="v4.2.3")
            ),
            "pod-deletion",
            "Multus 4.2.3 deletes pods from /host/etc/cni/net.d/10-calico.conflist",
        ),
        (
            audit(multus=MultusSeen(conf=CONF, network='{"name": "cbr0", "plugins": []}')),
            "pod-deletion",
            "without cniVersion",
        ),
    ],
)
def test_what_pods_left_behind_is_named(seen, check, words):
    found = checks([pod()], seen=node(audit=seen))
    assert failed(found) == [check]
    assert words in detail(found)


POOL = {
    "metadata": {"namespace": "kube-system", "name": "10.1.10.0-24"},
    "spec": {
        "range": "10.1.10.0/24",
        "allocations": {"200": {"id": "b" * 64, "podref": "default/web-1", "ifname": "net1"}},
    },
}
RESERVATION = {
    "metadata": {"namespace": "kube-system", "name": "10.1.10.200"},
    "spec": {"containerid": "b" * 64, "podref": "default/web-1", "ifname": "net1"},
}


def test_an_allocation_of_whereabouts_without_a_pod_is_named():
    both = [*allocations([POOL])[0], *overlapping([RESERVATION])]
    assert failed(checks([pod()], allocated=both, existing={"default/web-1"})) == []
    found = checks([pod()], allocated=both, existing={"default/web-2"})
    assert failed(found) == ["whereabouts"]
    assert detail(found).startswith("10.1.10.200 is reserved for default/web-1, which no longer exists")


def test_a_pod_that_was_deleted_by_force_keeps_its_allocation_while_it_runs():
    seen = node(audit=audit(sandboxes=("b" * 64,)))
    assert failed(checks([pod()], seen=seen, allocated=allocations([POOL])[0], existing=())) == []


def test_allocations_are_not_judged_without_the_sandboxes_of_every_node():
    for unknown in (None, NodeAudit(error="no answer")):
        found = checks([pod()], seen=node(audit=unknown), allocated=allocations([POOL])[0], existing=())
        assert "whereabouts" not in [c.check for c in found]


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
