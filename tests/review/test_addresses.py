"""Addresses lost and given, held against sets of single addresses."""

import copy
import ipaddress
import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from multus_site.cni import addresses
from multus_site.cni.addresses import Span
from multus_site.model.load import parse_site
from multus_site.review.networks import differences
from tests.graph.recording import lab_site

spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 8)), max_size=6).map(
    lambda pairs: [Span(4, first, first + more) for first, more in pairs]
)


def singles(found):
    return {number for span in found for number in range(span.first, span.last + 1)}


@given(spans, spans)
def test_less_and_merged_are_those_of_sets(one, other):
    first, second = addresses.merged(one), addresses.merged(other)
    assert singles(first) == singles(one)
    assert all(before.last + 1 < after.first for before, after in itertools.pairwise(first))
    assert singles(addresses.less(first, second)) == singles(one) - singles(other)
    assert addresses.total(first) == len(singles(one))


bounds = st.tuples(st.integers(2, 254), st.integers(2, 254)).map(sorted)


@settings(max_examples=60)
@given(bounds, bounds, st.sampled_from(["host-local", "whereabouts"]))
def test_what_a_changed_range_takes_and_gives(before, after, kind):
    def site(first, last):
        data = copy.deepcopy(lab_site())
        start, end = f"10.9.0.{first}", f"10.9.0.{last}"
        ipam = {"type": "whereabouts", "range": f"{start}-{end}/24", "gateway": "10.9.0.1"}
        if kind == "host-local":
            ipam = {
                "type": kind,
                "ranges": [{"subnet": "10.9.0.0/24", "rangeStart": start, "rangeEnd": end, "gateway": "10.9.0.1"}],
            }
        data["networks"]["macvlan-internal"]["ipam"] = ipam
        return parse_site(data, source="a test")

    had, has = (set(range(first, last + 1)) for first, last in (before, after))
    found = list(differences(site(*before), site(*after)))
    if had == has:
        assert found == []
        return
    (network,) = found
    for told, count, expected in (
        (network.lost, network.lost_count, had - has),
        (network.given, network.given_count, has - had),
    ):
        numbers = set()
        for text in told:
            first, _, last = text.partition("-")
            low, high = (int(ipaddress.ip_address(end)) for end in (first, last or first))
            numbers |= {number & 255 for number in range(low, high + 1)}
        assert numbers == expected
        assert count == len(expected)
    assert network.level == ("danger" if had - has else "care")
