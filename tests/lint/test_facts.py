"""Rules that need facts: each reports a finding with its fact, and none without."""

import json

import pytest

from multus_site.lint.facts import FactsError, parse_facts

E, W = "error", "warning"
HL = {"type": "host-local", "subnet": "10.1.10.0/24"}


def config(**more):
    return {"cniVersion": "1.0.0", "name": "n", "type": "macvlan", "master": "eth1", "ipam": {}, **more}


def nad(name, **more):
    made = json.dumps({**config(**more), "name": name})
    return {
        "apiVersion": "k8s.cni.cncf.io/v1",
        "kind": "NetworkAttachmentDefinition",
        "metadata": {"name": name},
        "spec": {"config": made},
    }


def several(*objects):
    return {"apiVersion": "v1", "kind": "List", "items": list(objects)}


def sriov(resource, kind="sriov"):
    made = nad("n")
    made["metadata"]["annotations"] = {"k8s.v1.cni.cncf.io/resourceName": resource}
    made["spec"]["config"] = json.dumps({"cniVersion": "1.0.0", "name": "n", "type": kind})
    return made


def pinned(selector):
    made = nad("n", ipam=HL)
    made["metadata"]["annotations"] = {"k8s.v1.cni.cncf.io/nodeSelector": selector}
    return made


def bond(**more):
    links = [{"name": "eth1"}, {"name": "eth2"}]
    return {
        "cniVersion": "1.0.0",
        "name": "n",
        "type": "bond",
        "mode": "802.3ad",
        "miimon": "100",
        "links": links,
        **more,
    }


def wb(text, **more):
    return {"type": "whereabouts", "range": text, **more}


CASES = [
    (config(), {"plugins": ["macvlan"]}, {}),
    (config(), {"plugins": ["bridge"]}, {"PLUGIN_BINARY_MISSING": E}),
    (config(ipam=HL), {"plugins": ["macvlan"]}, {"PLUGIN_BINARY_MISSING": E}),
    (config(ipam=HL), {"plugins": ["macvlan", "host-local"]}, {}),
    (config(), {"ifaces": ["eth0", "eth1"]}, {}),
    (config(), {"ifaces": ["eth0"]}, {"MASTER_NOT_FOUND": E}),
    (config(), {"ifacesByNode": {"a": ["eth1"], "b": ["eth1"]}}, {}),
    (config(), {"ifacesByNode": {"a": ["eth1"], "b": ["eth0"]}}, {"MASTER_NOT_FOUND": E}),
    (config(linkInContainer=True), {"ifaces": ["eth0"]}, {}),
    (config(type="vlan", vlanId=5, ipam=HL), {"ifaces": ["eth0"]}, {"MASTER_NOT_FOUND": E}),
    ({"cniVersion": "1.0.0", "name": "n", "type": "host-device", "device": "eth1"}, {"ifaces": ["eth0"]}, {"MASTER_NOT_FOUND": E}),
    ({"cniVersion": "1.0.0", "name": "n", "type": "macvlan", "ipam": {}}, {"defaultRoute": "eth0", "ifaces": ["eth0"]}, {}),
    ({"cniVersion": "1.0.0", "name": "n", "type": "macvlan", "ipam": {}}, {"defaultRoute": "eth9", "ifaces": ["eth0"]}, {"MASTER_NOT_FOUND": E}),
    ({"cniVersion": "1.0.0", "name": "n", "type": "macvlan", "ipam": {}}, {"defaultRoute": ""}, {"MASTER_REQUIRED": E}),
    (config(mtu=1500), {"mtu": {"eth1": 1500}}, {}),
    (config(mtu=1501), {"mtu": {"eth1": 1500}}, {"MTU_GT_MASTER": E}),
    (config(mtu=9000), {"mtu": {"eth0": 1500}}, {}),
    (config(mtu=1501, type="vlan", vlanId=5, ipam=HL), {"mtu": {"eth1": 1500}}, {"MTU_GT_MASTER": E}),
    (config(mtu=1501, type="ipvlan", ipam=HL), {"mtu": {"eth1": 1500}}, {"MTU_GT_MASTER": W}),
    ({"cniVersion": "1.0.0", "name": "n", "type": "host-device", "device": "eth0"}, {"primaryIface": "eth0"}, {"HOST_DEVICE_IS_NODE_PRIMARY": E}),
    ({"cniVersion": "1.0.0", "name": "n", "type": "host-device", "device": "eth0"}, {"defaultRoute": "eth0"}, {"HOST_DEVICE_IS_NODE_PRIMARY": E}),
    ({"cniVersion": "1.0.0", "name": "n", "type": "host-device", "device": "eth1"}, {"primaryIface": "eth0"}, {}),
    ({"cniVersion": "1.0.0", "name": "n", "type": "sriov"}, {"pf": False}, {"SRIOV_NO_PF": E}),
    ({"cniVersion": "1.0.0", "name": "n", "type": "sriov"}, {"pf": True, "nodeIsVM": True}, {}),
    ({"cniVersion": "1.0.0", "name": "n", "type": "sriov"}, {"nodeIsVM": True}, {}),
    (config(), {"nodeIsVM": True}, {"MACVLAN_BLOCKED": W}),
    (config(), {"nodeIsVM": False}, {}),
    (config(type="ipvlan", ipam=HL), {"nodeIsVM": True}, {}),
    (config(linkInContainer=True), {"nodeIsVM": True}, {}),
    ({"cniVersion": "1.0.0", "name": "n", "type": "macvlan", "ipam": {}}, {"defaultRoute": "wlan0"}, {"MACVLAN_BLOCKED": W}),
    (bond(), {"ifaces": ["eth1", "eth2"]}, {}),
    (bond(), {"ifaces": ["eth1"]}, {"MASTER_NOT_FOUND": E}),
    (bond(linksInContainer=True), {"ifaces": ["eth1"]}, {}),
    (pinned("kubernetes.io/hostname=node1"), {"nodes": 3}, {}),
    (pinned("rack=r1"), {"nodes": 3}, {"HOSTLOCAL_MULTINODE": W}),
    (sriov("intel.com/vf"), {"sriovResources": ["intel.com/vf"]}, {}),
    (sriov("intel.com/vf"), {"sriovResources": ["intel.com/vfs"]}, {"SRIOV_RESOURCE_UNKNOWN": E}),
    (sriov("intel.com/vf"), {"sriovResources": []}, {"SRIOV_RESOURCE_UNKNOWN": E}),
    (sriov("kubevirt.io/br", "host-device"), {"sriovResources": []}, {}),
    (config(ipam=HL), {"nodes": 2}, {"HOSTLOCAL_MULTINODE": W}),
    (config(ipam=HL), {"nodes": 1}, {}),
    (config(ipam=wb("10.1.10.0/24")), {"nodes": 3}, {}),
    (config(ipam={"type": "dhcp"}), {"dhcpDaemon": False}, {"DHCP_DAEMON_MISSING": E}),
    (config(ipam={"type": "dhcp"}), {"dhcpDaemon": True}, {}),
    (config(), {"pluginVersions": {"macvlan": ["0.4.0", "1.0.0"]}}, {}),
    (config(cniVersion="1.1.0"), {"pluginVersions": {"macvlan": ["0.4.0", "1.0.0"]}}, {"CNIVERSION_UNSUPPORTED": E}),
    (config(cniVersion="1.1.0", ipam=HL), {"pluginVersions": {"host-local": ["1.0.0"]}}, {"CNIVERSION_UNSUPPORTED": E}),
    (config(cniVersion="1.1.0"), {"pluginVersions": {"bridge": ["1.0.0"]}}, {}),
    (config(ipam=wb("10.233.65.0/24")), {"podCIDR": "10.233.64.0/18"}, {"NAD_OVERLAPS_CLUSTER_CIDR": E}),
    (config(ipam=wb("10.233.128.0/24")), {"podCIDR": "10.233.64.0/18"}, {}),
    (config(ipam=wb("10.233.127.0/24")), {"podCIDR": "10.233.64.0/18"}, {"NAD_OVERLAPS_CLUSTER_CIDR": E}),
    (config(ipam=wb("10.233.0.0/24")), {"serviceCIDR": ["fd00::/108", "10.233.0.0/18"]}, {"NAD_OVERLAPS_CLUSTER_CIDR": E}),
    (config(ipam=wb("fd00:1::/64")), {"podCIDR": "10.233.64.0/18,fd00:1::/56"}, {"NAD_OVERLAPS_CLUSTER_CIDR": E}),
    (config(ipam={"type": "static", "addresses": [{"address": "10.233.65.5/24"}]}), {"podCIDR": "10.233.64.0/18"}, {"NAD_OVERLAPS_CLUSTER_CIDR": E}),
    (config(ipam=wb("192.168.0.0/16")), {"nodeIPs": "192.168.252.0/22"}, {"NAD_OVERLAPS_CLUSTER_CIDR": E}),
    (config(ipam=wb("192.168.0.0/16", exclude=["192.168.252.0/22"])), {"nodeIPs": "192.168.252.0/22"}, {}),
    (config(ipam={**HL, "rangeStart": "10.1.10.200"}), {"nodeIPs": ["10.1.10.5", "10.1.10.6"]}, {}),
    (config(ipam=HL), {"nodeIPs": ["10.1.10.5"]}, {"NAD_OVERLAPS_CLUSTER_CIDR": E}),
    (config(ipam={**HL, "routes": [{"dst": "10.0.0.0/8"}]}), {"podCIDR": "10.233.64.0/18"}, {"ROUTE_TOO_WIDE": W}),
    (several(nad("a"), nad("b", type="ipvlan", ipam=wb("10.1.20.0/24"))), None, {"MACVLAN_IPVLAN_SAME_MASTER": E}),
    (several(nad("a"), nad("b", type="ipvlan", master="eth2", ipam=wb("10.1.20.0/24"))), None, {}),
    (several(nad("a"), nad("b")), None, {}),
    (several(nad("a", ipam=wb("10.1.10.0/25")), nad("b", ipam=wb("10.1.10.128/25"))), None, {}),
    (several(nad("a", ipam=wb("10.1.10.0/24")), nad("b", ipam=wb("10.1.10.128/25"))), None, {"NADS_OVERLAP": W}),
    (several(nad("a", ipam=wb("10.1.10.0/24")), nad("a", ipam=wb("10.1.10.0/24"))), None, {}),
    (several(nad("a"), nad("a", type="ipvlan", ipam=wb("10.1.20.0/24"))), None, {}),
    (several(nad("a", ipam=wb("10.1.10.0/24")), nad("b", master="eth2", ipam=wb("10.1.10.0/24"))), None, {}),
    (several(nad("a", ipam=wb("10.1.10.0/24")), nad("b", ipam=wb("10.1.10.0/24", network_name="b"))), None, {"NADS_OVERLAP": W}),
    (several(nad("a", ipam=wb("10.1.10.0/24")), nad("b", type="vlan", vlanId=5, ipam=wb("10.1.10.0/24"))), None, {}),
    (several(nad("a", type="vlan", vlanId=5, ipam=wb("10.1.10.0/24")), nad("b", type="vlan", vlanId=5, ipam=wb("10.1.10.0/24"))), None, {}),
    (several(nad("a", type="vlan", vlanId=5, ipam=HL), nad("b", type="vlan", vlanId=5, ipam=HL)), None, {"NADS_OVERLAP": W}),
    (several(nad("a", ipam=wb("10.1.10.0/24", exclude=["10.1.10.128/25"])), nad("b", ipam=wb("10.1.10.128/25"))), None, {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("subject", "facts", "expected"), CASES, ids=[f"{i}-{'+'.join(e) or 'clean'}" for i, (_, _, e) in enumerate(CASES)]
)
def test_with_the_fact(subject, facts, expected, found):
    assert found(subject, facts) == expected


KNOWN_WITHOUT = {"MACVLAN_IPVLAN_SAME_MASTER", "NADS_OVERLAP"}


@pytest.mark.parametrize("subject", [case[0] for case in CASES if case[1] and case[2]])
def test_silent_without_the_fact(subject, found):
    assert found(subject) == {}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("{", "not JSON"),
        ('{"node": 3}', "unknown fact"),
        ('{"nodes": "many"}', "nodes"),
        ("[]", "facts.json"),
        ('{"mtu": {"eth0": "x"}}', "mtu"),
        ('{"podCIDR": "10.233.64.0/33"}', "podCIDR.0: '10.233.64.0/33' is not a network; write one such as"),
        ('{"serviceCIDR": ["10.96.0.0/12", "10.96.0.1"]}', "serviceCIDR.1: '10.96.0.1' is not a network"),
        ('{"nodeIPs": ["node1"]}', "nodeIPs.0: 'node1' is neither an address nor a network"),
    ],
)
def test_facts_that_cannot_be_used(text, word):
    with pytest.raises(FactsError, match=word):
        parse_facts(text, source="facts.json")
