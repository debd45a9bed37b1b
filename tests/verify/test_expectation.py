"""What is expected of pods and nodes comes from the site alone."""

from multus_site.model.load import parse_site
from multus_site.verify.expectation import ExpectedNode, expected
from tests.graph.recording import lab_site
from tests.render.diagram.sites import lab, large


def test_the_lab_s_pod_is_expected_on_both_networks():
    (workload,) = expected(lab()).workloads
    net1, net2 = workload.interfaces
    assert (net1.network, net1.kind, net1.mode, net1.uplink) == (
        "default/macvlan-internal",
        "macvlan",
        "bridge",
        "ens6",
    )
    assert (net1.ranges[0].start, net1.ranges[0].end, net1.ranges[0].gateway) == (
        "10.1.10.200",
        "10.1.10.250",
        "10.1.10.1",
    )
    assert net1.segment != net2.segment
    assert workload.default == "eth0"


def test_nodes_need_their_plugins_and_uplinks():
    facts = {"nics": {"ens6": {"mtu": 1500, "mac": "02:00:00:00:00:06"}}}
    nodes = expected(lab(), {"node1": {"facts": facts, "plugins": {"macvlan": {"sha256": "a" * 64}}}}).nodes
    assert nodes[0] == ExpectedNode(
        name="node1", plugins={"macvlan": "a" * 64}, needed=("host-local", "macvlan"), uplinks={"ens6": 1500, "ens7": 0}
    )
    assert [n.plugins for n in nodes[1:]] == [{}, {}]


def test_a_nic_that_is_not_given_by_its_name_is_expected_by_the_name_that_it_has_there():
    oam = {"type": "macvlan", "ipam": {"type": "none"}}
    networks = {
        "by-pci": {**oam, "master": {"pci": "0000:3b:00.0"}, "mtu": 9000},
        "by-altname": {**oam, "master": {"altname": "enp60s0"}},
        "inside": {**oam, "master": "net1", "linkInContainer": True},
        "default": {"type": "raw", "config": {"cniVersion": "1.0.0", "name": "default", "type": "macvlan"}},
    }
    nics = {
        "ens6": {"mtu": 1500, "mac": "02:00:00:00:00:06", "pci": "0000:3b:00.0", "altnames": []},
        "ens7": {"mtu": 1500, "mac": "02:00:00:00:00:07", "pci": "0000:3c:00.0", "altnames": ["enp60s0"]},
    }
    site = large(networks=networks, workloads={})
    first, second = site.with_role("worker")[:2]
    uplinks = {node.name: node.uplinks for node in expected(site, {first: {"facts": {"nics": nics}}}).nodes}
    assert (uplinks[first], uplinks[second]) == ({"ens6": 9000, "ens7": 1500}, {})


def test_networks_of_one_segment_are_one_and_its_vlan_is_expected():
    by_name = {w.name: {i.network: i for i in w.interfaces} for w in expected(large()).workloads}
    a, b = by_name["sbc"]["default/sig-a"], by_name["cscf"]["default/sig-b"]
    assert a.segment == b.segment == "signalling"
    assert a.vlan == 110
    assert by_name["sbc"]["default/media"].mtu == 9000
    assert expected(large()).nodes[0].uplinks == {"ens6.110": 0, "ens7.120": 9000, "ens8": 0, "ens9": 0}


def test_the_tag_of_a_link_that_is_made_on_nodes_is_expected_without_a_segment_too():
    oam = {"type": "macvlan", "master": "ens8.130", "ipam": {"type": "none"}}
    site = large(
        links={"ens8.130": {"type": "vlan", "link": "ens8", "id": 130}},
        networks={"oam": oam, "plain": {**oam, "master": "ens9"}},
        workloads={"w": {"image": "docker.io/library/busybox:1.36", "networks": ["oam", "plain"]}},
    )
    assert [i.vlan for i in expected(site).workloads[0].interfaces] == [130, None]


def test_a_bridge_of_one_node_is_no_segment_between_nodes():
    (probe,) = [w for w in expected(large()).workloads if w.name == "probe"]
    assert probe.interfaces[0].segment == ""
    assert probe.interfaces[0].kind == "veth"


def test_attachments_are_expected_as_they_are_rendered():
    attachments = expected(lab()).attachments
    assert set(attachments) == {"default/macvlan-internal", "default/macvlan-external"}
    assert '"master": "ens6"' in attachments["default/macvlan-internal"]


def test_pods_of_an_ipvlan_share_the_mac_of_their_nic():
    addresses = {"type": "whereabouts", "range": "10.1.10.0/24"}
    networks = {
        "one": {"type": "ipvlan", "master": "ens6", "ipam": addresses},
        "two": {"type": "macvlan", "master": "ens7", "ipam": {**addresses, "range": "10.1.20.0/24"}},
    }
    workloads = {"w": {"image": "docker.io/library/busybox:1.36", "networks": ["one", "two"]}}
    (workload,) = expected(parse_site(lab_site(networks=networks, workloads=workloads), source="x")).workloads
    assert [(i.network, i.own_mac) for i in workload.interfaces] == [("default/one", False), ("default/two", True)]
