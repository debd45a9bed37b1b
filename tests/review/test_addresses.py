"""Addresses that a change of a site takes and gives, compared with sets of single addresses."""

import copy
import ipaddress

from hypothesis import given, settings
from hypothesis import strategies as st

from multus_site.model.load import parse_site
from multus_site.review.networks import differences
from tests.graph.recording import lab_site

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
