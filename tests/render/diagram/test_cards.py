"""What stands in a diagram: every node, NIC, segment, attachment and workload of the site, joined as the site says."""

import pytest

from multus_site.model.load import parse_site
from multus_site.model.site import Site
from multus_site.render.diagram.cards import NAMED_NODES, SINGLE_NODES, PodInterface, diagram
from tests.graph.recording import lab_site
from tests.render.diagram.sites import hosts, lab, large
from tests.render.placement import in_racks


def cards(drawn):
    return {card.id: card for card in drawn.cards}


def written(card):
    return [" ".join(filter(None, (row.text, row.note, *row.cells))) for row in card.rows]


def ends(drawn):
    return {(link.tail, link.head) for link in drawn.links}


def test_the_lab_shows_all_that_the_site_says():
    drawn = diagram(lab())
    assert list(cards(drawn)) == [
        *(f"node-node{i}" for i in (1, 2, 3)),
        "segment-ens6-0",
        "segment-ens7-0",
        "network-macvlan-internal",
        "network-macvlan-external",
        "workload-samplepod",
    ]
    node = cards(drawn)["node-node2"]
    assert (node.title, node.subtitle, written(node)) == (
        "node2",
        "10.1.1.6 · worker",
        ["ens6 internal", "ens7 external"],
    )
    segment = cards(drawn)["segment-ens6-0"]
    assert (segment.title, written(segment)) == ("internal", ["subnet 10.1.10.0/24", "gateway 10.1.10.1"])
    network = cards(drawn)["network-macvlan-internal"]
    assert network.subtitle == "macvlan bridge"
    assert written(network) == ["addresses host-local", "10.1.10.200–250 51 addresses"]
    pods = cards(drawn)["workload-samplepod"]
    assert (pods.subtitle, written(pods)) == (
        "Deployment × 1 on node2",
        ["net1 macvlan-internal", "net2 macvlan-external"],
    )


def test_the_lab_is_joined_from_nic_to_interface():
    joined = ends(diagram(lab()))
    assert (("node-node3", "nic-ens6-0-ens6"), ("segment-ens6-0", "title")) in joined
    assert (("segment-ens6-0", "title"), ("network-macvlan-internal", "title")) in joined
    assert (("network-macvlan-external", "title"), ("workload-samplepod", "net2")) in joined
    assert len(joined) == 3 * 2 + 2 + 2


def test_what_is_on_one_segment_has_its_colour():
    drawn = diagram(large())
    by_id = cards(drawn)
    assert by_id["segment-signalling"].colour == by_id["network-sig-a"].colour == by_id["network-sig-b"].colour
    assert len({card.colour for card in drawn.cards if card.column == "segments"}) == 5
    assert [row for row in written(by_id["segment-signalling"]) if row.startswith("V")] == [
        "VLAN 110",
        "VIP router 10.20.0.2",
    ]
    assert "kept for dhcp 10.40.0.100-10.40.0.149" in written(by_id["segment-oam"])
    assert "MTU 9000" in written(by_id["network-media"])


def test_a_bridge_is_a_segment_of_each_node():
    bridge = cards(diagram(large()))["segment-br-lan-0"]
    assert (bridge.title, bridge.subtitle) == ("br-lan", "bridge on each node")


def test_nodes_of_a_large_site_are_grouped_by_rack_and_all_named():
    drawn = diagram(large(50))
    racks = [card for card in drawn.cards if card.column == "nodes"]
    assert [card.title for card in racks] == [f"rack r{i}" for i in (1, 2, 3, 4)]
    assert racks[0].subtitle == "13 nodes, 1 control plane"
    text = " ".join(cell for card in racks for row in card.rows for cell in row.cells)
    assert all(f"node{i:02}  10.1.0.{i + 4}" in text for i in range(1, 51))


def test_racks_of_a_row_stand_together_and_say_what_they_are():
    made = in_racks(lab_site(), {"image": "a.example/b:1", "racks": ["c1"]}, dedicated=True, zone="west")
    made["nodes"]["hosts"]["node4"] = {"address": "10.1.1.8"}
    drawn = diagram(parse_site(made, source="x"))
    assert [(c.title, c.group) for c in drawn.cards if c.column == "nodes"] == [
        ("node4", "no rack"),
        ("node1", "row a · rack r1"),
        ("node2", "row a · rack r2"),
        ("node3", "row b · rack c1 · zone west · dedicated"),
    ]
    assert cards(drawn)["workload-w"].subtitle == "Deployment × 1 on rack c1"


def test_without_racks_they_are_grouped_by_role():
    titles = [card.title for card in diagram(large(50, racks=0)).cards if card.column == "nodes"]
    assert titles == ["control plane", "workers"]


def test_very_large_groups_are_ranges():
    (first, second) = [card for card in diagram(large(400, racks=2)).cards if card.column == "nodes"]
    assert first.rows[0].cells == ("node01 to node399", "10.1.0.5 to 10.1.1.153")
    assert second.subtitle == "200 nodes, 1 control plane"
    assert len(first.rows) == 1 + 5


@pytest.mark.parametrize("count", [SINGLE_NODES, SINGLE_NODES + 1, NAMED_NODES, NAMED_NODES + 1])
def test_no_node_is_lost_at_the_limits(count):
    drawn = diagram(large(count, racks=0))
    shown = " ".join(
        [drawn.description, *(c.title for c in drawn.cards), *(w for c in drawn.cards for w in written(c))]
    )
    assert f"{count} nodes" in shown
    assert f"node{count:02}" in shown


def test_live_addresses_stand_with_the_pod():
    live = [
        PodInterface("samplepod", "samplepod-7-a", "node2", "net1", ("10.1.10.200/24",)),
        PodInterface("samplepod", "samplepod-7-a", "node2", "net2", ("10.1.20.200/24",)),
    ]
    rows = written(cards(diagram(lab(), live))["workload-samplepod"])
    assert rows == ["net1 10.1.10.200/24", "net2 10.1.20.200/24", "1 pod on node2"]


def test_several_pods_are_listed_each_with_its_addresses():
    live = [PodInterface("sbc", f"sbc-{i}", f"node0{i}", "net1", (f"10.20.0.1{i}/24",)) for i in (1, 2, 3)]
    rows = written(cards(diagram(large(), live))["workload-sbc"])
    assert rows[0] == "net1 3 addresses"
    assert rows[2:4] == ["1 on node01", "  net1 10.20.0.11/24"]


def test_control_plane_without_pods_has_no_nics():
    some = hosts(3, racks=0)
    some["node01"]["roles"] = ["control-plane", "etcd"]
    some["node02"]["roles"] = some["node03"]["roles"] = ["worker"]
    site = Site.model_validate(
        {
            "name": "s",
            "nodes": {"backend": "existing", "hosts": {**some}},
            "networks": {"a": {"type": "macvlan", "master": "ens6", "ipam": {"type": "none"}}},
        }
    )
    by_id = cards(diagram(site))
    assert by_id["node-node01"].rows == ()
    assert written(by_id["node-node02"]) == ["ens6 behind ens6"]


NONE = {"type": "none"}


def made(**changes):
    """Three nodes of two groups, with a bond, VLANs, functions, and a NIC that is called otherwise on each group."""
    some = hosts(3, racks=0)
    for name, group in (("node01", "edge"), ("node02", "compute"), ("node03", "spare")):
        some[name]["groups"] = [group]
    data = {
        "name": "s",
        "nodes": {"backend": "existing", "hosts": some},
        "links": {
            "bond0": {"type": "bond", "members": ["ens6", "ens7"]},
            "bond0.110": {"type": "vlan", "link": "bond0", "id": 110},
            "ens8.120": {"type": "vlan", "link": "ens8", "id": 120},
        },
        "sriov": {
            "pools": {"p": {"resourceName": "intel.com/vf", "pfNames": ["ens1f0"], "numVfs": 4, "nodes": ["node02"]}}
        },
        "networks": {
            "sig": {"type": "macvlan", "master": "bond0.110", "ipam": NONE},
            "oam": {"type": "macvlan", "master": "ens8.120", "nodes": ["node03"], "ipam": NONE},
            "fast": {"type": "sriov", "resourceName": "intel.com/vf", "ipam": NONE},
            "mixed": {"type": "macvlan", "master": {"groups": {"edge": "eno2", "compute": "ens9"}}, "ipam": NONE},
        },
        "workloads": {"dns": {"image": "docker.io/library/busybox:1.36", "kind": "DaemonSet", "networks": ["sig"]}},
    }
    return cards(diagram(Site.model_validate({**data, **changes})))


def test_nics_are_shown_below_what_is_made_of_them():
    by_id = made()
    assert written(by_id["node-node01"]) == ["bond0.110 · ens6, ens7 behind bond0.110", "eno2 segment of mixed"]
    assert written(by_id["segment-bond0.110-0"]) == ["VLAN 110"]


def test_each_node_has_the_networks_that_it_has():
    by_id = made()
    functions, mixed = "ens1f0 · intel.com/vf behind ens1f0", "ens9 segment of mixed"
    assert written(by_id["node-node02"])[1:] == [functions, mixed]
    assert written(by_id["node-node03"])[1:] == ["ens8.120 · ens8 behind ens8.120"]


def test_a_daemon_set_is_counted_by_its_nodes():
    assert made()["workload-dns"].subtitle == "DaemonSet × 3"


def test_a_site_without_networks_is_drawn_too():
    site = Site.model_validate({"name": "bare", "nodes": {"backend": "existing", "hosts": hosts(1, racks=0)}})
    drawn = diagram(site)
    assert [card.id for card in drawn.cards] == ["node-node01"]
    assert drawn.links == ()
