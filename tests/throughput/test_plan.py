"""Who measures what: two workers, each network's last two free addresses, a server bound to each."""

import json

import pytest

from multus_site.model.site import Site
from multus_site.throughput.plan import NAMESPACE, CannotMeasure, plan, pods
from tests.render.diagram.sites import host_local, hosts, lab, large

IMAGE = "docker.io/nicolaka/netshoot:v0.13"


def test_the_lab_is_measured_between_its_first_two_workers():
    measured = plan(lab(), held=[])
    assert (measured.client, measured.server) == ("node1", "node2")
    assert [p.network for p in measured.paths] == ["node", "pod-network", "macvlan-internal", "macvlan-external"]
    assert (measured.paths[0].client, measured.paths[0].server) == ("10.1.1.5", "10.1.1.6")
    internal = measured.paths[2]
    assert (internal.interface, internal.client, internal.server) == ("net1", "10.1.10.250", "10.1.10.249")
    assert (internal.prefix, internal.uplink) == (24, "ens6")
    assert measured.skipped == {}


def test_addresses_that_pods_hold_are_left_to_them():
    measured = plan(lab(), held=["10.1.10.250", "10.1.10.248"])
    assert (measured.paths[2].client, measured.paths[2].server) == ("10.1.10.249", "10.1.10.247")


def test_networks_of_one_range_get_addresses_of_their_own():
    every = plan(large(), held=[]).paths[2:]
    given = [a for p in every for a in (p.client, p.server)]
    assert len(given) == len(set(given))


def test_what_is_not_measured_says_why():
    assert plan(large(), held=[]).skipped == {
        "l2": "it has no IPv4 range with two free addresses",
        "lan": "a bridge network is not measured",
    }
    full = {f"10.1.10.{i}" for i in range(200, 250)}
    assert plan(lab(), held=full).skipped == {"macvlan-internal": "it has no IPv4 range with two free addresses"}


def test_what_the_two_nodes_do_not_have_alike_is_left_out():
    network = {
        "type": "macvlan",
        "master": "ens6",
        "ipam": host_local("10.1.10.0/24", "10.1.10.200", "10.1.10.250", "10.1.10.1"),
    }
    site = lab().model_dump(mode="json", by_alias=True)
    site["nodes"]["hosts"]["node1"]["groups"] = ["edge"]
    site["networks"] = {
        "here": network,
        "third": {**network, "nodes": ["node3"]},
        "second": {**network, "nodes": ["node2", "node3"]},
        "named": {**network, "master": {"groups": {"edge": "eno2"}}},
        "split": {**network, "ipam": {**network["ipam"], "addressesPerNode": 8}},
        "inside": {"type": "vlan", "master": "net1", "vlanId": 5, "linkInContainer": True, "ipam": network["ipam"]},
    }
    site["workloads"] = {}
    measured = plan(Site.model_validate(site), held=[])
    assert [p.network for p in measured.paths[2:]] == ["here"]
    assert measured.skipped == {
        "third": "node1 and node2 do not have it",
        "second": "node1 does not have it",
        "named": "its configuration differs by node",
        "split": "its configuration differs by node",
        "inside": "a vlan network is not measured inside a pod",
    }


def test_one_worker_cannot_be_measured():
    site = Site.model_validate({"name": "one", "nodes": {"backend": "existing", "hosts": hosts(1, racks=0)}})
    with pytest.raises(CannotMeasure, match="between two workers; one has 1"):
        plan(site, held=[])


def test_the_attachment_is_the_network_s_own_but_for_its_addresses():
    first = plan(lab(), held=[]).attachments[0]
    assert first["metadata"] == {"name": "macvlan-internal", "namespace": NAMESPACE}
    config = json.loads(first["spec"]["config"])
    assert config["name"] == "throughput-macvlan-internal"
    (plugin,) = config["plugins"]
    assert plugin == {
        "type": "macvlan",
        "master": "ens6",
        "mode": "bridge",
        "ipam": {"type": "static"},
        "capabilities": {"ips": True},
    }


def test_two_pods_on_the_networks_and_two_on_the_nodes():
    measured = plan(lab(), held=[])
    client, server, node_client, node_server = pods(measured, IMAGE)
    assert [p["spec"]["nodeName"] for p in (client, server, node_client, node_server)] == ["node1", "node2"] * 2
    assert "hostNetwork" not in client["spec"]
    assert node_client["spec"]["hostNetwork"]
    assert node_server["spec"]["hostNetwork"]
    asked = json.loads(server["metadata"]["annotations"]["k8s.v1.cni.cncf.io/networks"])
    assert [(a["name"], a["interface"], a["ips"]) for a in asked] == [
        ("macvlan-internal", "net1", ["10.1.10.249/24"]),
        ("macvlan-external", "net2", ["10.1.20.249/24"]),
    ]
    command = server["spec"]["containers"][0]["command"][2]
    for bound in ("-B $POD_IP", "-B 10.1.10.249", "-B 10.1.20.249"):
        assert bound in command
    assert "iperf3 -s -p 52011 -B 10.1.1.6" in node_server["spec"]["containers"][0]["command"][2]
