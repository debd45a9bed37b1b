"""Judgements about pods: each check fails for its own reason, and only for that."""

import json
from dataclasses import replace

import pytest

from verification.checks import Answer, Check, SeenPod, judge, unique_addresses
from verification.expectation import ExpectedInterface, ExpectedRange, ExpectedWorkload
from verification.interface import Interface

RANGE = ExpectedRange(subnet="10.1.10.0/24", start="10.1.10.200", end="10.1.10.250", gateway="10.1.10.1")
NET1 = ExpectedInterface(interface="net1", network="default/macvlan-internal", ranges=(RANGE,), mtu=1500)
WORKLOAD = ExpectedWorkload(name="samplepod", namespace="default", replicas=1, interfaces=(NET1,))
PING = "3 packets transmitted, 3 packets received, 0% packet loss\nround-trip min/avg/max = 0.070/0.081/0.090 ms\n"


def interface(**changes):
    return replace(
        Interface("net1", up=True, mtu=1500, mac="7a:00:00:00:00:01", addresses=(("10.1.10.200", 24),)), **changes
    )


def pod(name="samplepod-1", seen=None, status=None, **changes):
    status = [{"name": "default/macvlan-internal", "interface": "net1"}] if status is None else status
    whole = SeenPod(
        workload="samplepod",
        name=name,
        node="node2",
        network_status=json.dumps(status) if status != "" else "",
        interfaces={"net1": seen or interface()},
        pings={("net1", "10.1.10.1"): Answer(0, PING)},
        dns=Answer(0, "kubernetes.default.svc.cluster.local is 10.233.0.1"),
    )
    return replace(whole, **changes)


def failed(checks: list[Check]) -> list[str]:
    return [c.check for c in checks if not c.ok]


def test_a_good_pod_passes_every_check():
    checks = judge(WORKLOAD, [pod()])
    assert failed(checks) == []
    assert [c.check for c in checks] == ["network-status", "interface", "mtu", "address", "gateway-ping", "cluster-dns"]
    assert set(checks[0].row()) == {"workload", "pod", "node", "interface", "network", "check", "ok", "detail"}


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (interface(up=False), ["interface"]),
        (interface(mtu=9000), ["mtu"]),
        (interface(addresses=()), ["address"]),
        (interface(addresses=(("10.1.10.199", 24),)), ["address"]),
        (interface(addresses=(("10.1.10.251", 24),)), ["address"]),
        (interface(addresses=(("10.1.10.200", 16),)), ["address"]),
        (interface(addresses=(("10.1.10.200", 24), ("10.1.10.201", 24))), ["address"]),
        (interface(addresses=(("10.1.20.200", 24),)), ["address"]),
        (interface(addresses=(("10.1.10.250", 24),)), []),
    ],
)
def test_a_wrong_interface_fails_its_own_check(seen, reason):
    assert failed(judge(WORKLOAD, [pod(seen=seen)])) == reason


def test_a_pod_without_the_interface_is_told_so():
    checks = judge(WORKLOAD, [pod(interfaces={"net1": None})])
    assert failed(checks) == ["interface"]
    assert "has no interface net1" in next(c.detail for c in checks if not c.ok)


@pytest.mark.parametrize(
    "status",
    [
        "",
        [],
        [{"name": "default/macvlan-external", "interface": "net1"}],
        [{"name": "default/macvlan-internal", "interface": "net2"}],
    ],
)
def test_network_status_must_name_network_and_interface(status):
    assert failed(judge(WORKLOAD, [pod(status=status)])) == ["network-status"]


def test_a_silent_gateway_fails_with_what_ping_said():
    checks = judge(
        WORKLOAD, [pod(pings={("net1", "10.1.10.1"): Answer(1, "3 packets transmitted, 0 received, 100% packet loss")})]
    )
    assert failed(checks) == ["gateway-ping"]
    assert "100% packet loss" in next(c.detail for c in checks if not c.ok)


def test_broken_dns_fails():
    assert failed(judge(WORKLOAD, [pod(dns=Answer(1, "nslookup: can't resolve"))])) == ["cluster-dns"]


def test_too_few_or_too_many_pods_fail():
    assert failed(judge(WORKLOAD, [])) == ["replicas"]
    assert failed(judge(WORKLOAD, [pod(), pod("samplepod-2")])) == ["replicas"]


def test_an_address_held_twice_fails_both_pods():
    pods = [
        pod("samplepod-1"),
        pod("samplepod-2"),
        pod("samplepod-3", seen=interface(addresses=(("10.1.10.201", 24),))),
    ]
    checks = unique_addresses(pods, [WORKLOAD])
    assert {c.pod: c.ok for c in checks} == {"samplepod-1": False, "samplepod-2": False, "samplepod-3": True}
    assert "10.1.10.200 is held by samplepod-2 too" in checks[0].detail


def test_the_same_address_on_another_network_is_no_duplicate():
    other = ExpectedWorkload(
        name="other", namespace="default", replicas=1, interfaces=(NET1.model_copy(update={"network": "default/lab"}),)
    )
    checks = unique_addresses([pod(), pod("other-1", workload="other")], [WORKLOAD, other])
    assert all(c.ok for c in checks)


def test_ipv6_ranges_hold_ipv6_only():
    six = ExpectedRange(subnet="fd00:10::/64", start="fd00:10::1", end="fd00:10::ff")
    assert six.holds("fd00:10::5")
    assert not six.holds("fd00:10::100")
    assert not six.holds("10.1.10.200")
    assert six.prefix == 64
