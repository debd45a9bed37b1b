"""Facts about configurations that people published or reported, each with the verdict that it deserves, in our own names."""

import json
from typing import Any, NamedTuple

SRIOV = "intel.com/core"


class Case(NamedTuple):
    """A subject, what is known of the cluster, and the verdict: accept, or warn or reject with a rule."""

    why: str
    subject: str | dict[str, Any]
    verdict: str
    rule: str = ""
    context: dict[str, Any] | None = None


def config(**keys: Any) -> dict[str, Any]:
    """A configuration of macvlan on eth1, with other keys."""
    return {"cniVersion": "0.3.1", "name": "core", "type": "macvlan", "master": "eth1", **keys}


def nad(text: Any, name: str = "core", **metadata: Any) -> str:
    """A NAD with a configuration, or with any other value in its place."""
    written = json.dumps(text, ensure_ascii=False) if isinstance(text, dict) else text
    return json.dumps(
        {
            "apiVersion": "k8s.cni.cncf.io/v1",
            "kind": "NetworkAttachmentDefinition",
            "metadata": {"name": name, **metadata},
            "spec": {"config": written},
        },
        ensure_ascii=False,
    )


def host_local(**keys: Any) -> dict[str, Any]:
    return {"type": "host-local", "subnet": "10.40.0.0/24", **keys}


def whereabouts(**keys: Any) -> dict[str, Any]:
    return {"type": "whereabouts", **keys}


def pod(networks: Any, **requests: str) -> str:
    """A pod with an annotation, and requests of devices under the key of SRIOV."""
    text = networks if isinstance(networks, str) else json.dumps(networks)
    container: dict[str, Any] = {"name": "c", "image": "docker.io/library/busybox:1.36"}
    if requests:
        container["resources"] = {"requests": {SRIOV: requests["devices"]}, "limits": {SRIOV: requests["devices"]}}
    metadata = {"name": "probe", "annotations": {"k8s.v1.cni.cncf.io/networks": text}}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}})


THREE = {"nodes": 3, "ifaces": ["eth1"]}
ONE = {"nodes": 1, "ifaces": ["eth1"]}
RESOURCE = {"annotations": {"k8s.v1.cni.cncf.io/resourceName": SRIOV}}
DEFAULT = {"dst": "0.0.0.0/0"}
POLICY = {
    "apiVersion": "sriovnetwork.openshift.io/v1",
    "kind": "SriovNetworkNodePolicy",
    "metadata": {"name": "core", "namespace": "sriov-network-operator"},
    "spec": {"numVfs": 4, "resourceName": "core", "nicSelector": {"vendor": "8086", "pfName": ["ens1f0"]}},
}

CASES = [
    Case(
        "host-local on three nodes",
        nad(config(ipam=host_local(routes=[DEFAULT]))),
        "warn",
        "HOSTLOCAL_MULTINODE",
        THREE,
    ),
    Case(
        "a set of ranges on three nodes",
        nad(config(ipam={"type": "host-local", "ranges": [[{"subnet": "10.40.0.0/24", "rangeStart": "10.40.0.9"}]]})),
        *("warn", "HOSTLOCAL_MULTINODE", THREE),
    ),
    Case(
        "a VLAN of SR-IOV without cniVersion",
        nad({"type": "sriov", "vlan": 900, "ipam": host_local(gateway="10.40.0.1")}, **RESOURCE),
        *("warn", "CNIVERSION_MISSING", {"sriovResources": [SRIOV]}),
    ),
    Case(
        "host bits, which whereabouts masks", nad(config(ipam=whereabouts(range="10.40.0.99/28"))), "accept", "", THREE
    ),
    Case(
        "one range of each family",
        config(ipam=whereabouts(ipRanges=[{"range": "10.40.0.1/24"}, {"range": "fd40::1/64"}])),
        *("accept", "", THREE),
    ),
    Case(
        "a slice larger than the range",
        nad(config(ipam=whereabouts(range="10.40.0.0/24", node_slice_size="/22"))),
        *("reject", "NODE_SLICE_LARGER_THAN_RANGE", THREE),
    ),
    Case(
        "etcd as the store",
        config(ipam=whereabouts(range="10.40.0.0/28", etcd_host="etcd.lab:2379", log_level="debug")),
        *("warn", "WHEREABOUTS_REMOVED_DATASTORE", THREE),
    ),
    Case("DHCP", config(ipam={"type": "dhcp"}), "accept", "", {"ifaces": ["eth1"], "dhcpDaemon": True}),
    Case("a VLAN", config(type="vlan", vlanId=7, ipam=host_local()), "accept", "", ONE),
    Case(
        "a bridge that the plugin creates",
        {**config(type="bridge", bridge="br-core", isGateway=True, ipMasq=True, ipam=host_local()), "master": None},
        *("accept", "", ONE),
    ),
    Case("an empty ipam: layer 2 only", {"cniVersion": "0.3.1", "name": "l2", "type": "bridge", "ipam": {}}, "accept"),
    Case(
        "two sets of ranges, the gateway beside the range",
        {
            "ipam": {
                "type": "host-local",
                "ranges": [
                    [
                        {"subnet": "10.40.0.0/16", "rangeStart": "10.40.1.20", "gateway": "10.40.0.254"},
                        {"subnet": "172.18.5.0/24"},
                    ],
                    [{"subnet": "fd40::/64"}],
                ],
                "routes": [{"dst": "192.168.0.0/16", "gw": "10.40.5.1"}],
            }
        },
        "accept",
    ),
    Case(
        "a gateway of another subnet",
        {"ipam": {"type": "static", "addresses": [{"address": "fd40:0:0:1::9/64", "gateway": "fd40::1"}]}},
        *("warn", "GATEWAY_OUTSIDE_SUBNET"),
    ),
    Case(
        "a comma behind the last key of a list's plugin",
        '{"cniVersion": "0.3.1", "name": "red", "plugins": [{"type": "macvlan", "ipam": {"type": "dhcp"}}, {"type": "vrf", "vrfname": "red",}]}',
        *("reject", "JSON_TRAILING_COMMA"),
    ),
    Case(
        "a comma behind the last key of a NAD's string",
        nad('{"cniVersion": "0.3.1", "type": "macvlan", "master": "eno3", "mode": "bridge",}'),
        *("reject", "JSON_TRAILING_COMMA", {"ifaces": ["eno3"]}),
    ),
    Case(
        "the node's only NIC for a pod",
        nad({"cniVersion": "0.3.1", "type": "host-device", "device": "eth0"}),
        *("reject", "HOST_DEVICE_IS_NODE_PRIMARY", {"ifaces": ["eth0"], "primaryIface": "eth0"}),
    ),
    Case(
        "a name that no NAD has",
        pod("vf-a, vf-b, pair"),
        *("reject", "NAD_NOT_FOUND", {"nads": ["default/vf-a", "default/vf-b", "default/pair1"]}),
    ),
    Case(
        "address management and a chained plugin of third parties",
        nad(
            {"cniVersion": "0.3.1", "name": "core", "plugins": [config(ipam={"type": "spiderpool"}), {"type": "veth"}]}
        ),
        *("accept", "", {"ifaces": ["eth1"]}),
    ),
    Case(
        "DHCP where all pods have one MAC address",
        config(type="ipvlan", mode="l3", ipam={"type": "dhcp"}),
        *("reject", "IPVLAN_DHCP", {"ifaces": ["eth1"], "dhcpDaemon": True}),
    ),
    Case(
        "two exclusions",
        {"ipam": whereabouts(range="10.40.0.192/27", exclude=["10.40.0.192/30", "10.40.0.196/32"])},
        "accept",
    ),
    Case(
        "the nodes' addresses excluded, and a route back to them",
        nad(
            config(
                ipam=whereabouts(range="10.40.0.0/16", exclude=["10.40.252.0/22"], routes=[{"dst": "10.40.252.0/22"}])
            )
        ),
        *("accept", "", {**THREE, "nodeIPs": "10.40.252.0/22"}),
    ),
    Case(
        "letters in a range",
        nad(config(ipam=whereabouts(range="ten.40.1.0/24"))),
        *("reject", "BAD_CIDR", {"ifaces": ["eth1"], "defaultRoute": "eth1"}),
    ),
    Case(
        "a typographic quote, and a key of host-local",
        nad(
            '{"cniVersion": "0.3.1", "type": "macvlan", "master": "eth1", "ipam": {"type": “whereabouts", "subnet": "10.40.0.0/24"}}'
        ),
        *("reject", "JSON_SYNTAX", {"ifaces": ["eth1"]}),
    ),
    Case(
        "a gateway that the first pod gets",
        nad(config(ipam=whereabouts(range="10.40.0.0/24", gateway="10.40.0.1"))),
        *("warn", "GATEWAY_ALLOCATABLE", THREE),
    ),
    Case(
        "a comma missing inside ipam",
        nad('{"cniVersion": "0.3.1", "type": "macvlan", "master": "eth1", "ipam": {"type": "static" "addresses": []}}'),
        *("reject", "JSON_SYNTAX", {"ifaces": ["eth1"]}),
    ),
    Case(
        "a kind with one letter too many, config outside spec",
        "apiVersion: k8s.cni.cncf.io/v1\nkind: NetworkAttachementDefinition\nmetadata: {name: core}\nspec:\nconfig: '{}'\n",
        *("reject", "WRONG_KIND"),
    ),
    Case("a multicast MAC address", pod([{"name": "core", "mac": "e3:00:0a:01:0a:05"}]), "reject", "MAC_MULTICAST"),
    Case(
        "an interface name of 16 bytes",
        pod("core@signalling-n2-if0"),
        *("reject", "IFNAME_TOO_LONG", {"nads": ["default/core"]}),
    ),
    Case(
        "SR-IOV in virtual machines",
        nad({"cniVersion": "0.3.1", "name": "core", "type": "sriov"}, **RESOURCE),
        *("reject", "SRIOV_NO_PF", {"nodeIsVM": True, "sriovResources": [SRIOV], "pf": False}),
    ),
    Case(
        "SR-IOV without a resource",
        nad({"cniVersion": "0.3.1", "name": "core", "type": "sriov"}),
        *("reject", "SRIOV_RESOURCENAME_MISSING", {"nodes": 1, "sriovResources": [SRIOV]}),
    ),
    Case(
        "two networks and one device",
        pod("core, core", devices="1"),
        *("reject", "VF_REQUEST_LT_NETWORKS", {"nads": ["default/core"], "nadResource": {"default/core": SRIOV}}),
    ),
    Case(
        "a version that a chained plugin does not support",
        nad({"cniVersion": "0.3.1", "name": "core", "plugins": [config(ipam=host_local()), {"type": "firewall"}]}),
        *("reject", "CNIVERSION_UNSUPPORTED", {**ONE, "pluginVersions": {"firewall": ["0.4.0", "1.0.0"]}}),
    ),
    Case("a plugin that nobody knows", nad({"cniVersion": "0.3.0", "type": "our-own"}), "accept"),
    Case(
        "plugins that nobody knows behind a bridge",
        nad(
            {
                "cniVersion": "0.3.0",
                "name": "core",
                "plugins": [{"type": "bridge", "ipam": host_local()}, {"type": "our-own"}],
            }
        ),
        *("accept", "", {"nodes": 1}),
    ),
    Case(
        "static addresses with gateway, routes and DNS",
        nad(
            config(
                ipam={
                    "type": "static",
                    "addresses": [{"address": "10.40.0.2/24", "gateway": "10.40.0.1"}],
                    "routes": [{**DEFAULT, "gw": "10.40.0.1"}],
                    "dns": {"nameservers": ["10.40.0.1"], "domain": "lab.example", "search": ["lab.example"]},
                }
            )
        ),
        *("accept", "", {"ifaces": ["eth1"]}),
    ),
    Case(
        "host bits, which host-local refuses",
        nad(config(ipam=host_local(subnet="10.40.0.9/24"))),
        "reject",
        "HOST_BITS_SET",
        ONE,
    ),
    Case(
        "a subnet of two addresses",
        nad(config(ipam=host_local(subnet="10.40.0.0/31"))),
        "reject",
        "SUBNET_TOO_SMALL",
        ONE,
    ),
    Case(
        "the end before the start",
        nad(config(ipam=host_local(rangeStart="10.40.0.200", rangeEnd="10.40.0.100"))),
        *("reject", "RANGE_REVERSED", ONE),
    ),
    Case("no range", nad(config(ipam={"type": "host-local"})), "reject", "NO_RANGES", ONE),
    Case("the reserved VLAN id", nad(config(type="vlan", vlanId=4095, ipam=host_local())), "reject", "VLAN_ID", ONE),
    Case("pfName for pfNames", json.dumps(POLICY), "warn", "UNKNOWN_KEY_FOR_TYPE"),
    Case(
        "the configuration as a mapping",
        "apiVersion: k8s.cni.cncf.io/v1\nkind: NetworkAttachmentDefinition\nmetadata: {name: core}\nspec:\n  config: {cniVersion: 0.3.1, type: macvlan, master: eth1, ipam: {type: dhcp}}\n",
        *("reject", "CONFIG_NOT_STRING", {"ifaces": ["eth1"], "dhcpDaemon": True}),
    ),
    Case(
        "InfiniBand functions with a pool of nv-ipam and rdma behind",
        nad(
            {
                "cniVersion": "0.3.1",
                "plugins": [
                    {"type": "ib-sriov", "pkey": "0x5", "ipam": {"type": "nv-ipam", "poolName": "core"}},
                    {"type": "rdma"},
                ],
            },
            **RESOURCE,
        ),
        "accept",
    ),
    Case(
        "a NIC of ifacer, a pool of Spiderpool and its coordinator",
        nad(
            {
                "cniVersion": "0.3.1",
                "plugins": [
                    {"type": "ifacer", "interfaces": ["eth1"], "vlanID": 7},
                    {
                        "type": "macvlan",
                        "master": "eth1.7",
                        "ipam": {"type": "spiderpool", "default_ipv4_ippool": ["core"]},
                    },
                    {"type": "coordinator", "mode": "underlay"},
                ],
            }
        ),
        "accept",
    ),
    Case(
        "Kube-OVN with the provider of its NAD",
        nad(
            {"cniVersion": "0.3.1", "type": "kube-ovn", "server_socket": "/run/o.sock", "provider": "core.vms.ovn"},
            namespace="vms",
        ),
        "accept",
    ),
    Case(
        "the pools of Calico as true and false instead of text",
        nad(config(ipam={"type": "calico-ipam", "assign_ipv4": True})),
        *("reject", "WRONG_TYPE"),
    ),
    Case(
        "ranges of whereabouts with two network names on one master",
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "List",
                "items": [
                    json.loads(nad(config(ipam=whereabouts(range="10.40.0.0/24", network_name=name)), name))
                    for name in ("red", "blue")
                ],
            }
        ),
        *("warn", "NADS_OVERLAP"),
    ),
    Case(
        "a route that holds a node's address",
        nad(config(ipam=whereabouts(range="10.40.0.0/24", routes=[{"dst": "10.1.0.0/16", "gw": "10.40.0.1"}]))),
        *("warn", "ROUTE_TOO_WIDE", {"nodeIPs": "10.1.1.5"}),
    ),
]
