"""Fixed addresses in a picture, with the subnets and gateways that follow from them."""

from multus_site.model.load import parse_site
from multus_site.render.diagram import cards
from tests.graph.recording import lab_site

MACVLAN = {"type": "macvlan", "master": "ens6"}
POD = {"image": "docker.io/library/busybox:1.36"}


def rows(card, networks, workloads):
    """(text, note) of each row of a card, in a site of these parts."""
    site = parse_site({**lab_site(), "networks": networks, "workloads": workloads}, source="x")
    return [(row.text.strip(), row.note) for one in cards.diagram(site).cards if one.id == card for row in one.rows]


def test_a_pod_shows_its_address_and_the_segment_its_subnet_and_gateway():
    networks = {"core": {**MACVLAN, "ipam": {"type": "static", "gateways": ["10.30.0.1"]}}}
    workloads = {"probe": {**POD, "networks": [{"name": "core", "ips": ["10.30.0.5/24"]}]}}
    assert rows("workload-probe", networks, workloads) == [("net1", "core"), ("address", "10.30.0.5/24")]
    segment = rows("segment-ens6-0", networks, workloads)
    assert ("subnet", "10.30.0.0/24") in segment
    assert ("gateway", "10.30.0.1") in segment


def test_each_replica_shows_its_own_addresses_and_many_are_counted():
    networks = {"core": {**MACVLAN, "ipam": {"type": "static"}}}
    for count in (2, 9):
        ips = [[f"10.30.0.{i + 5}/24"] for i in range(count)]
        attached = [{"name": "core", "ipsByReplica": ips}]
        workloads = {"router": {**POD, "kind": "StatefulSet", "replicas": count, "networks": attached}}
        found = rows("workload-router", networks, workloads)
        assert found[1:3] == [("router-0", "10.30.0.5/24"), ("router-1", "10.30.0.6/24")]
        assert len(found) == 1 + min(count, 7)
    assert found[-1] == ("3 more", "to 10.30.0.13/24")


def test_the_only_pod_of_a_network_shows_the_address_that_the_network_has():
    own = {"type": "static", "addresses": [{"address": "10.30.0.5/24", "gateway": "10.30.0.1"}]}
    networks = {"core": {**MACVLAN, "ipam": own}}
    workloads = {"probe": {**POD, "networks": ["core"]}}
    assert ("address", "10.30.0.5/24") in rows("workload-probe", networks, workloads)
    assert rows("segment-ens6-0", networks, workloads).count(("subnet", "10.30.0.0/24")) == 1
    assert rows("segment-ens6-0", networks, workloads).count(("gateway", "10.30.0.1")) == 1
