"""Addresses, spans of them, and the ranges of each address management."""

import ipaddress
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multus_site.cni.addresses import (
    Span,
    less,
    merged,
    parse_address,
    parse_block,
    parse_cidr,
    parse_span,
    total,
    usable,
    whole,
    without,
)
from multus_site.cni.configuration import Ipam, read
from multus_site.cni.ranges import fixed_of, handed_out, ranges_of, slice_length
from multus_site.cni.ranges import networks as networks_of

V4, V6 = "10.1.10.0/24", "fd00::/64"


def given_by(ipam):
    return [str(span) for span in handed_out(Ipam(ipam, ()))]


@pytest.mark.parametrize(
    ("ipam", "spans"),
    [
        # host-local leaves the gateway out, by default the network's first address
        ({"type": "host-local", "subnet": V4}, ["10.1.10.2-10.1.10.254"]),
        ({"type": "host-local", "subnet": V4, "gateway": "10.1.10.9"}, ["10.1.10.1-10.1.10.8", "10.1.10.10-10.1.10.254"]),
        ({"TYPE": "x", "type": "host-local", "SUBNET": V4, "rangestart": "10.1.10.200"}, ["10.1.10.200-10.1.10.254"]),
        ({"type": "host-local", "subnet": V4, "ranges": [[{"subnet": V6}]]}, ["10.1.10.2-10.1.10.254", "fd00::2-fd00::ffff:ffff:ffff:ffff"]),
        ({"type": "host-local", "ranges": [{"subnet": V4}]}, []),
        ({"type": "host-local", "range": V4}, []),
        ({"type": "host-local", "subnet": V4, "rangeEnd": "10.1.11.1"}, []),
        # whereabouts hands its gateway out, and not the last address of an IPv6 network
        ({"type": "whereabouts", "range": V4, "gateway": "10.1.10.1"}, ["10.1.10.1-10.1.10.254"]),
        ({"type": "whereabouts", "range": V6}, ["fd00::1-fd00::ffff:ffff:ffff:fffe"]),
        ({"type": "whereabouts", "range": "10.1.10.9-10.1.10.011/24", "range_start": "10.1.10.1"}, ["10.1.10.9-10.1.10.11"]),
        ({"type": "whereabouts", "range": V4, "exclude": ["10.1.10.0/25", "10.1.10.254", None, "x"]}, ["10.1.10.128-10.1.10.253"]),
        ({"type": "whereabouts", "ipRanges": [{"range": "10.1.10.4/30"}, "x"], "addresses": [{"address": "10.1.10.1/24"}]}, ["10.1.10.5-10.1.10.6", "10.1.10.1"]),
        ({"type": "whereabouts", "range": "10.1.10.0/31"}, []),
        ({"type": "static", "addresses": [{"address": "10.1.10.5/32"}, {"address": "10.1.10.5"}, "10.1.10.6/24"]}, ["10.1.10.5"]),
        ({"type": "dhcp", "subnet": V4}, []),
    ],
)  # fmt: skip
def test_what_each_address_management_hands_out(ipam, spans):
    assert given_by(ipam) == spans


def test_gateways_and_slices():
    both = {
        "type": "whereabouts",
        "range": V4,
        "ipRanges": [{"range": V6}],
        "gateway": "10.1.10.1",
        "node_slice_size": "/28",
    }
    ipam = Ipam(both, ())
    assert [str(one.gateway) for one in ranges_of(ipam)] == ["10.1.10.1", "None"]
    assert slice_length(ipam) == 28
    assert [str(network) for network in networks_of(ipam)] == [V4, V6]
    (fixed,) = fixed_of(
        Ipam({"type": "static", "addresses": [{"address": "10.1.10.5/24", "gateway": "10.1.10.1"}]}, ())
    )
    assert (str(fixed.network), str(fixed.gateway), fixed.size) == (V4, "10.1.10.1", 1)


def test_paths_begin_at_the_configuration():
    config = read(
        {"plugins": [{"type": "a"}, {"type": "b", "IPAM": {"type": "host-local", "ranges": [[], [{"subnet": V4}]]}}]}
    )
    (ipam,) = config.addresses
    assert ipam.path == ("plugins", 1, "IPAM")
    (one,) = ranges_of(ipam)
    assert one.key_path(one.key) == ("ranges", 1, 0, "subnet")


@pytest.mark.parametrize("text", ["", "x", "[]", "null", "{", '{"type": "macvlan",}', '{"plugins": [1]}'])
def test_a_text_that_is_no_configuration_has_no_plugins(text):
    assert read(text).plugins == ()


def test_spans_and_blocks_as_people_write_them():
    assert str(parse_span("10.1.10.5-10.1.10.9")) == "10.1.10.5-10.1.10.9"
    assert str(parse_span("fd00::1")) == "fd00::1"
    assert [parse_span(t) for t in ("10.1.10.9-10.1.10.5", "10.1.10.5-fd00::1", "10.1.10.0/24", "a-b")] == [None] * 4
    assert [str(parse_block(t)) for t in (V4, "10.1.10.7")] == ["10.1.10.0-10.1.10.255", "10.1.10.7"]
    assert parse_block("10.1.10") is None


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


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 8)), max_size=6).map(
    lambda pairs: [Span(4, first, first + more) for first, more in pairs]
)


def singles(found):
    return {number for span in found for number in range(span.first, span.last + 1)}


@given(spans, spans)
def test_less_and_merged_are_those_of_sets(one, other):
    first, second = merged(one), merged(other)
    assert singles(first) == singles(one)
    assert all(before.last + 1 < after.first for before, after in itertools.pairwise(first))
    assert singles(less(first, second)) == singles(one) - singles(other)
    assert total(first) == len(singles(one))


@given(st.integers(0, 60), st.integers(0, 60), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=5))
def test_exclusions_leave_what_is_in_none(a, b, holes):
    span = Span(4, min(a, b), max(a, b))
    excluded = [Span(4, min(h), max(h)) for h in holes]
    left = {x for part in without(span, excluded) for x in range(part.first, part.last + 1)}
    assert left == {x for x in range(span.first, span.last + 1) if not any(h.first <= x <= h.last for h in excluded)}


@given(st.text(max_size=40))
def test_addresses_of_any_text(text):
    address, cidr = parse_address(text), parse_cidr(text)
    assert address is None or "/" not in text
    assert cidr is None or cidr[0] in cidr[1] or cidr[0].version != cidr[1].version


@given(networks)
def test_usable_addresses(network):
    if network.num_addresses >= 4:
        assert usable(network).first == whole(network).first + 1
        assert whole(network).contains(network.network_address)
