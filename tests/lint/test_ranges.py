"""Address management: each rule's cases and near misses, then arithmetic over arbitrary networks of both families."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

E, W = "error", "warning"
ZEROS = "0.0.0.0"  # noqa: S104  # an address in a configuration, not one to listen at


def config(ipam, **more):
    return {"cniVersion": "1.0.0", "name": "n", "type": "macvlan", "master": "eth1", "ipam": ipam, **more}


def hl(subnet="10.1.10.0/24", **more):
    return {"type": "host-local", "subnet": subnet, **more}


def sets(*found):
    return {
        "type": "host-local",
        "ranges": [[{"subnet": s} if isinstance(s, str) else s for s in one] for one in found],
    }


def wb(text="10.1.10.0/24", **more):
    return {"type": "whereabouts", "range": text, **more}


CASES = [
    # BAD_CIDR
    *((hl(s), {} if ok else {"BAD_CIDR": E}) for s, ok in (
        ("10.1.10.0", False), ("10.1.10.0/33", False), ("10.1.10.0/255.255.255.0", False), ("10.1.10/24", False), ("010.1.10.0/24", False),
        ("a.b.c.d/24", False), ("10.1.10.0/", False), ("/24", False), (" 10.1.10.0/24", False), ("fd00::/129", False), ("fd00::%eth0/64", False),
        ("fd00::/64", True), ("10.1.10.0/24", True), ("10.1.10.0/024", True))),
    *((wb(s), {} if ok else {"BAD_CIDR": E}) for s, ok in (
        ("010.001.010.000/24", True), ("10.1.10.5/24", True), ("10.1.10.0", False), ("10.1.10.200-10.1.10.250/24", True), ("x-10.1.10.250/24", False),
        ("10.1.10.200-10.1.10.250", False), ("fd00::10-fd00::20/64", True))),
    (hl(rangeStart="10.1.10"), {"BAD_CIDR": E}),
    (hl(rangeEnd="10.1.10.250/24"), {"BAD_CIDR": E}),
    (hl(gateway="gw"), {"BAD_CIDR": E}),
    (hl(routes=[{"dst": "10.2.0.0"}]), {"BAD_CIDR": E}),
    (hl(routes=[{"gw": "10.1.10.1"}]), {"BAD_CIDR": E}),
    (hl(routes=[{"dst": "10.2.0.0/16", "gw": "10.1.10.256"}]), {"BAD_CIDR": E}),
    (hl(routes=[{"dst": "10.2.0.0/16", "gw": "10.1.10.1"}]), {}),
    (hl(routes=[{"dst": "10.2.0.1/16", "gw": "10.1.10.1"}]), {"HOST_BITS_SET": E}),
    (wb(routes=[{"dst": "10.2.0.1/16"}]), {"HOST_BITS_SET": E}),
    (hl("fd00:10::/64", routes=[{"dst": "fd00:20::1/64"}]), {}),  # the kernel masks those of IPv6
    # objects inside of it
    (hl(routes=[{"dst": "10.2.0.0/16", "via": "10.1.10.1"}]), {"UNKNOWN_KEY_FOR_TYPE": W}),
    (hl(routes=[{"dst": "10.2.0.0/16", "gateway": "10.1.10.1"}]), {"UNKNOWN_KEY_FOR_TYPE": W}),
    (hl(routes=[{"dst": "10.2.0.0/16", "GW": "10.1.10.1"}]), {}),
    (hl(routes=[{"dst": "10.2.0.0/16", "mtu": "1400"}]), {"WRONG_TYPE": E}),
    ({"type": "host-local", "ranges": [[{"subnet": "10.1.10.0/24", "range_start": "10.1.10.5"}]]}, {"IPAM_KEY_FOR_OTHER_PLUGIN": W}),
    ({"type": "host-local", "ranges": [[{"range": "10.1.10.0/24"}]]}, {"BAD_CIDR": E, "IPAM_KEY_FOR_OTHER_PLUGIN": E}),
    ({"type": "host-local", "ranges": [[{"subnet": "10.1.10.0/24", "first": "10.1.10.5"}]]}, {"UNKNOWN_KEY_FOR_TYPE": W}),
    ({"type": "host-local", "ranges": [[{"subnet": "10.1.10.0/24", "rangeEnd": 9}]]}, {"WRONG_TYPE": E}),
    ({"type": "host-local", "ranges": [["10.1.10.0/24"]]}, {"BAD_CIDR": E}),
    ({"type": "host-local", "subnet": ""}, {"BAD_CIDR": E}),
    ({"type": "whereabouts", "ipRanges": [{"range": "10.1.10.0/24", "rangeStart": "10.1.10.5"}]}, {"IPAM_KEY_FOR_OTHER_PLUGIN": W}),
    ({"type": "whereabouts", "ipRanges": [{"subnet": "10.1.10.0/24"}]}, {"BAD_CIDR": E, "IPAM_KEY_FOR_OTHER_PLUGIN": E}),
    ({"type": "whereabouts", "ipRanges": [{"range": "10.1.10.0/24", "exclude": "10.1.10.1"}]}, {"WRONG_TYPE": E}),
    ({"type": "static", "addresses": [{"adress": "10.1.10.5/24"}]}, {"BAD_CIDR": E, "UNKNOWN_KEY_FOR_TYPE": W}),
    (wb(kubernetes={"kubeConfig": "/etc/x"}), {}),
    (wb(kubernetes={"kube_config": "/etc/x"}), {"UNKNOWN_KEY_FOR_TYPE": W}),
    # a default route in a table of its own competes with none
    *((hl(routes=[{"dst": "0.0.0.0/0", "table": t}]), {} if t == 100 else {"ROUTE_TOO_WIDE": W}) for t in (0, 100, 254)),
    # the pod as its own gateway
    ({"type": "static", "addresses": [{"address": "10.1.10.1/24", "gateway": "10.1.10.1"}]}, {"GATEWAY_ALLOCATABLE": W}),
    ({"type": "static", "addresses": [{"address": "fd00::1/64", "gateway": "fd00::2"}]}, {}),
    (sets([{"rangeStart": "10.1.10.5"}]), {"BAD_CIDR": E}),
    ({"type": "host-local", "ranges": [{"subnet": "10.1.10.0/24"}]}, {"BAD_CIDR": E}),
    ({"type": "static", "addresses": [{"address": "10.1.10.5"}]}, {"BAD_CIDR": E}),
    ({"type": "static", "addresses": [{"address": "10.1.10.5/24"}, {"address": "fd00::5/64"}]}, {}),
    # HOST_BITS_SET: host-local minds, whereabouts does not
    (hl("10.1.10.1/24"), {"HOST_BITS_SET": E}),
    (hl("fd00::1/64"), {"HOST_BITS_SET": E}),
    (wb("10.1.10.1/24"), {}),
    # SUBNET_TOO_SMALL
    *((hl(f"10.1.10.0/{n}"), {} if n <= 30 else {"SUBNET_TOO_SMALL": E}) for n in (24, 29, 30, 31, 32)),
    *((hl(f"fd00::/{n}"), {} if n <= 126 else {"SUBNET_TOO_SMALL": E}) for n in (64, 125, 126, 127, 128)),
    *((wb(f"10.1.10.0/{n}"), {} if n <= 30 else {"SUBNET_TOO_SMALL": E}) for n in (30, 31, 32)),
    # NO_RANGES
    ({"type": "host-local"}, {"NO_RANGES": E}),
    ({"type": "host-local", "ranges": []}, {"NO_RANGES": E}),
    ({"type": "host-local", "ranges": [[]]}, {"NO_RANGES": E}),
    ({"type": "host-local", "rangeStart": "10.1.10.5"}, {"NO_RANGES": E}),
    ({"type": "whereabouts"}, {"NO_RANGES": E}),
    ({"type": "whereabouts", "ipRanges": []}, {"NO_RANGES": E}),
    ({"type": "whereabouts", "ipRanges": [{"range": "10.1.10.0/24"}, {"range": "fd00::/64"}]}, {}),
    # RANGE_OUTSIDE_SUBNET and RANGE_REVERSED, both ends
    *((hl(rangeStart=f"10.1.{s}"), e) for s, e in (
        ("9.255", {"RANGE_OUTSIDE_SUBNET": E}), ("10.0", {}), ("10.1", {}), ("10.254", {}), ("10.255", {}), ("11.0", {"RANGE_OUTSIDE_SUBNET": E})) if s != "10.255"),
    (hl(rangeStart="10.1.10.255"), {"RANGE_REVERSED": W}),  # legal: the broadcast address alone
    (hl(rangeEnd="10.1.10.0"), {"RANGE_REVERSED": E}),
    (hl("fd00:10::/64", rangeEnd="fd00:10::"), {"RANGE_REVERSED": E}),
    (wb(range_end="10.1.10.0"), {}),  # its range begins at the network's own address

    *((hl(rangeEnd=f"10.1.{s}"), e) for s, e in (
        ("9.255", {"RANGE_OUTSIDE_SUBNET": E}), ("10.1", {}), ("10.254", {}), ("10.255", {}), ("11.0", {"RANGE_OUTSIDE_SUBNET": E}))),
    *((hl("fd00:10::/64", rangeStart=s), e) for s, e in (
        ("fd00:10::", {}), ("fd00:10::ffff:ffff:ffff:fffe", {}), ("fd00:10:0:1::", {"RANGE_OUTSIDE_SUBNET": E}), ("10.1.10.5", {"RANGE_OUTSIDE_SUBNET": E}))),
    *((wb(range_start=s), e) for s, e in (("10.1.10.5", {}), ("10.1.11.5", {"RANGE_OUTSIDE_SUBNET": E}))),
    *((wb(range_end=s), e) for s, e in (("10.1.10.5", {}), ("10.1.9.5", {"RANGE_OUTSIDE_SUBNET": E}))),
    (wb("10.1.9.5-10.1.10.250/24"), {"RANGE_OUTSIDE_SUBNET": E}),
    (wb("10.1.10.250-10.1.10.200/24"), {"RANGE_REVERSED": E}),
    *((hl(rangeStart=a, rangeEnd=b), e) for a, b, e in (
        ("10.1.10.5", "10.1.10.5", {}), ("10.1.10.5", "10.1.10.4", {"RANGE_REVERSED": E}), ("10.1.10.4", "10.1.10.5", {}))),
    (wb(range_start="10.1.10.9", range_end="10.1.10.8"), {"RANGE_REVERSED": E}),
    # RANGES_OVERLAP, MIXED_FAMILIES
    (sets(["10.1.0.0/16"], ["10.1.10.0/24"]), {"RANGES_OVERLAP": E}),
    (sets(["10.1.10.0/24", "10.1.10.128/25"]), {"RANGES_OVERLAP": E}),
    (sets(["10.1.10.0/25", "10.1.10.128/25"]), {}),
    (sets([{"subnet": "10.1.10.0/24", "rangeEnd": "10.1.10.9"}], [{"subnet": "10.1.10.0/24", "rangeStart": "10.1.10.10"}]), {}),
    (sets([{"subnet": "10.1.10.0/24", "rangeEnd": "10.1.10.10"}], [{"subnet": "10.1.10.0/24", "rangeStart": "10.1.10.10"}]), {"RANGES_OVERLAP": E}),
    (sets(["fd00::/64"], ["fd00::/96"]), {"RANGES_OVERLAP": E}),
    ({"type": "whereabouts", "ipRanges": [{"range": "10.1.10.0/24"}, {"range": "10.1.10.0/25"}]}, {"RANGES_OVERLAP": W}),
    (sets(["10.1.10.0/24"], ["fd00::/64"]), {}),
    (sets(["10.1.10.0/24", "fd00::/64"]), {"MIXED_FAMILIES": E}),
    # BAD_EXCLUDE
    *((wb(exclude=[x]), e) for x, e in (
        ("10.1.10.0/28", {}), ("10.1.10.1", {}), ("10.1.10.229/30", {}), ("10.1.10.1/32", {}), ("10.1.9.0/24", {"BAD_EXCLUDE": W}), ("fd00::/64", {"BAD_EXCLUDE": W}),
        ("10.1.0.0/16", {"BAD_EXCLUDE": E}), ("10.1.10.1-10.1.10.9", {"BAD_EXCLUDE": E}), ("first", {"BAD_EXCLUDE": E}), ("10.1.10.0/33", {"BAD_EXCLUDE": E}))),
    # NODE_SLICE_LARGER_THAN_RANGE
    *((wb(node_slice_size=s), e) for s, e in (
        ("/24", {}), ("24", {}), ("/26", {}), ("/23", {"NODE_SLICE_LARGER_THAN_RANGE": E}), ("22", {"NODE_SLICE_LARGER_THAN_RANGE": E}), ("big", {"NODE_SLICE_IMPOSSIBLE": E}),
        ("/30", {}), ("/31", {"NODE_SLICE_IMPOSSIBLE": E}), ("/33", {"NODE_SLICE_IMPOSSIBLE": E}), ("/-1", {"NODE_SLICE_IMPOSSIBLE": E}))),
    (wb("fd00::/64", node_slice_size="/80"), {"NODE_SLICE_IMPOSSIBLE": E}),
    (wb("10.1.10.9/24", node_slice_size="/26"), {"NODE_SLICE_IMPOSSIBLE": E}),
    (wb("10.1.10.0-10.1.10.9/24", node_slice_size="/26"), {"NODE_SLICE_IMPOSSIBLE": E}),
    # STATIC_NO_ADDRESS
    ({"type": "static"}, {"STATIC_NO_ADDRESS": E}),
    ({"type": "static", "addresses": []}, {"STATIC_NO_ADDRESS": E}),
    # IPAM_KEY_FOR_OTHER_PLUGIN: an error where no range is left
    ({"type": "whereabouts", "subnet": "10.1.10.0/24"}, {"IPAM_KEY_FOR_OTHER_PLUGIN": E}),
    ({"type": "whereabouts", "ranges": [[{"subnet": "10.1.10.0/24"}]]}, {"IPAM_KEY_FOR_OTHER_PLUGIN": E}),
    (wb(rangeStart="10.1.10.5"), {"IPAM_KEY_FOR_OTHER_PLUGIN": W}),
    (wb(subnet="10.1.10.0/24"), {"IPAM_KEY_FOR_OTHER_PLUGIN": W}),
    ({"type": "host-local", "range": "10.1.10.0/24"}, {"IPAM_KEY_FOR_OTHER_PLUGIN": E}),
    (hl(range_start="10.1.10.5"), {"IPAM_KEY_FOR_OTHER_PLUGIN": W}),
    (hl(exclude=["10.1.10.1"]), {"IPAM_KEY_FOR_OTHER_PLUGIN": W}),
    (hl(RANGESTART="10.1.10.5"), {}),
    ({"type": "static", "subnet": "10.1.10.0/24"}, {"IPAM_KEY_FOR_OTHER_PLUGIN": E}),
    ({"type": "dhcp", "subnet": "10.1.10.0/24"}, {"IPAM_KEY_FOR_OTHER_PLUGIN": W}),
    # gateways
    *((hl(gateway=g), e) for g, e in (
        ("10.1.10.1", {}), ("10.1.10.254", {}), ("10.1.11.1", {"GATEWAY_OUTSIDE_SUBNET": W}), ("fd00::1", {"GATEWAY_OUTSIDE_SUBNET": W}), (ZEROS, {"GATEWAY_UNSPECIFIED": W}))),
    (hl("fd00::/64", gateway="fe80::1"), {}),
    *((wb(gateway=g, exclude=["10.1.10.1"]), e) for g, e in (
        ("10.1.10.1", {}), ("10.1.10.2", {"GATEWAY_ALLOCATABLE": W}), ("10.1.10.0", {}), ("10.1.10.255", {}), ("10.1.11.1", {"GATEWAY_OUTSIDE_SUBNET": W}))),
    *((wb(gateway="10.1.10.199", range_start=s), e) for s, e in (("10.1.10.200", {}), ("10.1.10.199", {"GATEWAY_ALLOCATABLE": W}))),
    (wb("10.1.10.200-10.1.10.250/24", gateway="10.1.10.1"), {}),
    (wb("10.1.10.200-10.1.10.250/24", gateway="10.1.10.250"), {"GATEWAY_ALLOCATABLE": W}),
    ({"type": "static", "addresses": [{"address": "10.1.10.5/24", "gateway": "10.1.11.1"}]}, {"GATEWAY_OUTSIDE_SUBNET": W}),
    (hl(routes=[{"dst": "10.2.0.0/16", "gw": "10.1.11.1"}]), {"GATEWAY_OUTSIDE_SUBNET": W}),
    # seldom meant
    *((hl(s), e) for s, e in (
        ("172.16.0.0/24", {}), ("172.32.0.0/24", {"PUBLIC_IP_RANGE": W}), ("100.64.0.0/24", {}), ("20.0.0.0/24", {"PUBLIC_IP_RANGE": W}), ("192.0.2.0/24", {}), ("2001:db8::/64", {}), ("2a00::/64", {}))),
    *((hl(routes=[{"dst": d}]), e) for d, e in (
        ("0.0.0.0/0", {"ROUTE_TOO_WIDE": W}), ("0.0.0.0/1", {"ROUTE_TOO_WIDE": W}), ("8.0.0.0/7", {"ROUTE_TOO_WIDE": W}), ("10.0.0.0/8", {}), ("::/0", {"ROUTE_TOO_WIDE": W}), ("2000::/3", {"ROUTE_TOO_WIDE": W}))),
    *((wb(**{k: "x"}), {"WHEREABOUTS_REMOVED_DATASTORE": W}) for k in ("etcd_host", "etcd_username", "etcd_ca_cert_file")),
    (wb(datastore="kubernetes"), {}),
    (wb(datastore="etcd"), {"WHEREABOUTS_REMOVED_DATASTORE": W}),
    (wb(log_level="loud"), {"ENUM": E}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("ipam", "expected"), CASES, ids=[f"{i}-{'+'.join(e) or 'clean'}" for i, (_, e) in enumerate(CASES)]
)
def test_exactly_this_rule(ipam, expected, found):
    assert found(config(ipam)) == expected
    assert found({"ipam": ipam}) == expected  # the same by itself


def test_ranges_and_addresses_from_the_runtime(found):
    assert found(config({"type": "host-local"}, capabilities={"ipRanges": True})) == {}
    assert found(config({"type": "static"}, capabilities={"ips": True})) == {}
    assert found(config({"type": "static"}, args={"cni": {"ips": ["10.1.10.5/24"]}})) == {}


def test_dhcp_and_ipvlan(found):
    assert found(config({"type": "dhcp"}, type="ipvlan")) == {"IPVLAN_DHCP": E}
    assert found(config({"type": "dhcp"})) == {}


def test_default_route_with_sbr(found):
    ipam = hl(routes=[{"dst": "0.0.0.0/0"}])
    assert (
        found({"cniVersion": "1.0.0", "name": "n", "plugins": [{"type": "macvlan", "ipam": ipam}, {"type": "sbr"}]})
        == {}
    )


networks = st.one_of(
    st.builds(
        lambda a, n: ipaddress.ip_network((a, n), strict=False),
        st.integers(10 << 24, (11 << 24) - 1),
        st.integers(8, 32),
    ),
    st.builds(
        lambda a, n: ipaddress.ip_network((a, n), strict=False),
        st.integers(0xFD << 120, (0xFE << 120) - 1),
        st.integers(8, 128),
    ),
)


@given(networks)
def test_any_network_by_itself(found, network):
    small = network.prefixlen > network.max_prefixlen - 2
    assert found(config(hl(str(network)))) == ({"SUBNET_TOO_SMALL": E} if small else {})
    assert found(config(wb(str(network)))) == ({"SUBNET_TOO_SMALL": E} if small else {})


@given(networks.filter(lambda n: n.prefixlen <= n.max_prefixlen - 2), st.data())
def test_any_range_of_any_network(found, network, data):
    base, last = int(network.network_address), int(network.broadcast_address)
    inside = st.integers(base, last)
    limit = 2**network.max_prefixlen - 1
    around = st.one_of(inside, st.integers(max(0, base - 3), min(limit, last + 3)))
    kind = ipaddress.IPv4Address if network.version == 4 else ipaddress.IPv6Address
    first, end = data.draw(around), data.draw(around)
    outside = [a for a in (first, end) if not base <= a <= last]
    expected = {"RANGE_OUTSIDE_SUBNET"} if outside else {"RANGE_REVERSED"} if first > end else set()
    ipam = hl(str(network), rangeStart=str(kind(first)), rangeEnd=str(kind(end)))
    assert set(found(config(ipam))) == expected
    ipam = wb(str(network), range_start=str(kind(first)), range_end=str(kind(end)))
    assert set(found(config(ipam))) == expected


@given(networks)
def test_host_bits(found, network):
    if network.num_addresses < 4:
        return
    address = f"{network.network_address + 1}/{network.prefixlen}"
    assert found(config(hl(address))) == {"HOST_BITS_SET": E}
    assert found(config(wb(address))) == {}


@given(networks, networks)
def test_overlap_is_what_ipaddress_says(found, one, other):
    if one.num_addresses < 4 or other.num_addresses < 4:
        return
    shared = one.version == other.version and one.overlaps(other)
    assert set(found(config(sets([str(one)], [str(other)])))) == ({"RANGES_OVERLAP"} if shared else set())
