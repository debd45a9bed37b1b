"""Rules against what is known of the nodes and the cluster, and on several networks of one node."""

import difflib
import json

from multus_site.cni.addresses import Span, parse_address, parse_cidr, single, whole
from multus_site.cni.configuration import inner_parts
from multus_site.cni.ranges import handed_out, networks, ranges_of
from multus_site.lint.finding import Level
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.subjects import Config, Everything, Ipam, Nad, Plugin
from multus_site.model.networks import RESOURCE
from multus_site.model.positions import Path

_SELECTOR = "k8s.v1.cni.cncf.io/nodeSelector"
"""Annotation of a NAD: the network-resources-injector puts its pods on such nodes."""

_PINNED = "kubernetes.io/hostname"
_ALONE = {"dummy", "loopback"}


@rule(
    "PLUGIN_BINARY_MISSING",
    "error",
    "facts",
    "A plugin that the nodes do not have",
    example="plugins: [bridge, host-local], config: {type: macvlan, …}",
    source="libcni: 'failed to find plugin \"macvlan\" in path [/opt/cni/bin]'",
)
def plugin_binary_missing(part: Plugin | Ipam) -> Problems:
    """Each type is a binary in /opt/cni/bin of the node that the pod starts on."""
    there = part.facts.plugins
    if there is not None and part.type and part.type not in there:
        yield Problem(
            (part.key("type"),),
            f"the nodes have no plugin {part.type!r} in /opt/cni/bin",
            "Put it on every node (cniPlugins.plugins in a site), or name another.",
        )


@rule(
    "MASTER_NOT_FOUND",
    "error",
    "facts",
    "An interface that a node does not have",
    example="ifaces: [ens6, ens7], config: {type: macvlan, master: eth1}",
    source="plugins/main/macvlan/macvlan.go getMTUByName: 'Link not found'",
)
def master_not_found(plugin: Plugin) -> Problems:
    """Pods on that node do not start."""
    for path, name in _needed(plugin):
        missing = plugin.facts.lacks_interface(name)
        if missing:
            where = ", ".join(missing[:5]) + (" and more" if len(missing) > 5 else "")
            have = "have" if len(missing) > 1 else "has"
            message = f"{where} {have} no interface {name!r}" if where else f"not every node has an interface {name!r}"
            yield Problem(path, message, _there(plugin, name, missing))


def _needed(plugin: Plugin) -> list[tuple[Path, str]]:
    """Interfaces of the node that a plugin works on, each with its place."""
    if plugin.type == "bond":
        links = () if plugin.get("linksInContainer") is True else inner_parts(plugin, "links")
        return [((*link.path, link.key("name")), link.text("name")) for link in links if link.text("name")]
    key = "device" if plugin.type == "host-device" else "master"
    name = plugin.text("device") if key == "device" else plugin.known_master
    return [((plugin.key(key),) if plugin.has(key) else (), name)] if name else []


def _there(plugin: Plugin, name: str, missing: list[str]) -> str:
    """What those nodes have instead, or where to look."""
    by_node = plugin.facts.ifaces_by_node or {}
    if any(missing):
        have = "; ".join(f"{node} has {', '.join(by_node[node]) or 'none'}" for node in missing[:3])
        return f"{have}. Keep the pods off {'that node' if len(missing) == 1 else 'those nodes'}, or give the interface the same name on every node."
    near = difflib.get_close_matches(name, plugin.facts.ifaces or [], 1, 0.6)
    there = ", ".join(plugin.facts.ifaces or [])
    return (f"Did you mean {near[0]}? " if near else "") + f"There are: {there or 'none'}. Look with: ip link"


@rule(
    "MTU_GT_MASTER",
    "error",
    "facts",
    "An MTU above the master's",
    example="mtu: {eth1: 1500}, config: {type: macvlan, master: eth1, mtu: 9000}",
    source="plugins/main/macvlan/macvlan.go loadConf, vlan.go loadConf; ipvlan does not compare",
)
def mtu_gt_master(plugin: Plugin) -> Problems:
    """macvlan and vlan refuse it; ipvlan takes it and loses the large packets."""
    mtu = plugin.integer("mtu")
    masters = plugin.facts.mtu or {}
    if mtu is not None and plugin.known_master in masters and mtu > masters[plugin.known_master]:
        level: Level = "warning" if plugin.type == "ipvlan" else "error"
        hint = f"Write {masters[plugin.known_master]} or less, or raise the MTU of {plugin.known_master}, the switch's ports included."
        yield Problem(
            (plugin.key("mtu"),),
            f"mtu {mtu} is above {plugin.known_master}'s {masters[plugin.known_master]}",
            hint,
            level,
        )


@rule(
    "MACVLAN_BLOCKED",
    "warning",
    "facts",
    "Something that drops macvlan's frames",
    example="nodeIsVM: true, config: {type: macvlan, master: eth1}",
    source="multus-cni#390, #660, #1097; IEEE 802.11: a station sends with its own MAC address only",
)
def macvlan_blocked(plugin: Plugin) -> Problems:
    """Each pod has a MAC address of its own; hypervisors let a VM send with its NIC's only, and so does wireless LAN."""
    if plugin.type != "macvlan" or plugin.master is None:
        return
    path = (plugin.key("master"),) if plugin.has("master") else (plugin.key("type"),)
    if plugin.known_master.startswith(("wlan", "wlp", "wlo", "wlx")):
        hint = "Take ipvlan, whose pods share the NIC's MAC address, or a wired NIC."
        yield Problem(path, f"{plugin.known_master} is a wireless NIC by its name", hint)
    elif plugin.facts.node_is_vm:
        hint = "Let the hypervisor accept other MAC addresses (promiscuous mode, forged transmits; OpenStack: port_security_enabled=false), or take ipvlan."
        yield Problem(path, "the nodes are VMs, whose hypervisor may drop frames of other MAC addresses", hint)


@rule(
    "HOST_DEVICE_IS_NODE_PRIMARY",
    "error",
    "facts",
    "The node's own interface is given to a pod",
    example="primaryIface: eth0, config: {type: host-device, device: eth0}",
    source="plugins/main/host-device/host-device.go moveLinkIn; multus-cni#1209",
)
def host_device_is_node_primary(plugin: Plugin) -> Problems:
    """host-device moves the interface into the pod, and the node loses its network."""
    own = {plugin.facts.primary_iface, plugin.facts.default_route} - {None, ""}
    if plugin.type == "host-device" and plugin.text("device") in own:
        yield Problem(
            (plugin.key("device"),),
            f"{plugin.text('device')} is the interface that the node itself lives on",
            "Name another NIC, or take macvlan with this one as master.",
        )


@rule(
    "SRIOV_NO_PF",
    "error",
    "facts",
    "SR-IOV without a physical function",
    example="pf: false, nodeIsVM: true, config: {type: sriov}",
    source="sriov-cni pkg/utils GetPfName: physfn; sriov-network-device-plugin#236",
)
def sriov_no_pf(plugin: Plugin) -> Problems:
    """sriov sets a VF up through its PF. In a VM the VF is passed through, and the PF stays with the hypervisor."""
    if plugin.type == "sriov" and plugin.facts.pf is False:
        yield Problem(
            (plugin.key("type"),),
            "the nodes have no physical function that sriov could work on",
            "Take host-device with the same resource: the VF is a NIC of its own there.",
        )


@rule(
    "SRIOV_RESOURCE_UNKNOWN",
    "error",
    "facts",
    "A resource that no node offers",
    example="sriovResources: [intel.com/sriov], k8s.v1.cni.cncf.io/resourceName: intel.com/sriov_net",
    source="sriov-network-device-plugin docs/configuration: resourcePrefix/resourceName; kube-scheduler: 'Insufficient RESOURCE'",
)
def sriov_resource_unknown(nad: Nad) -> Problems:
    """Pods ask for the resource that the NAD names, and stay Pending where no device plugin offers it."""
    offered = nad.facts.sriov_resources
    sriov = nad.config is not None and any(plugin.type == "sriov" for plugin in nad.config.plugins)
    if sriov and offered is not None and nad.resource and nad.resource not in offered:
        path: Path = ("metadata", "annotations", RESOURCE) if RESOURCE in nad.annotations else ("metadata",)
        near = difflib.get_close_matches(nad.resource, offered, 1, 0.6)
        hint = f"Did you mean {near[0]}?" if near else f"The nodes offer: {', '.join(offered) or 'none'}."
        yield Problem(path, f"no node offers the resource {nad.resource}", hint)


@rule(
    "HOSTLOCAL_MULTINODE",
    "warning",
    "facts",
    "One range, several nodes: duplicate addresses",
    example='nodes: 3, config: {type: macvlan, ipam: {type: host-local, subnet: "10.1.10.0/24"}}',
    source="plugins/ipam/host-local keeps its state in /var/lib/cni/networks of each node; multus-cni#144, #640",
)
def hostlocal_multinode(ipam: Ipam) -> Problems:
    """host-local remembers addresses on each node alone: pods on two nodes get the same one. In a site it is an error."""
    nodes = ipam.facts.nodes or 0
    in_site = ipam.plugin is not None and ipam.plugin.config.in_site
    nad = ipam.plugin.config.nad if ipam.plugin else None
    if ipam.type != "host-local" or nodes < 2 or in_site or not ranges_of(ipam):
        return
    if ipam.interface_type not in _ALONE and not (nad and _PINNED in str(nad.annotations.get(_SELECTOR, ""))):
        hint = (
            f'Take whereabouts, which knows all nodes: "ipam": {_as_whereabouts(ipam)}. Or keep the pods on one node.'
        )
        yield Problem((), f"host-local hands the same addresses out on each of the {nodes} nodes", hint)


def _as_whereabouts(ipam: Ipam) -> str:
    """The same ranges as whereabouts writes them, for a hint."""
    ranges = []
    for pool in ranges_of(ipam):
        made: dict[str, str] = {"range": pool.text}
        made |= {"range_start": str(pool.start)} if pool.start else {}
        made |= {"range_end": str(pool.end)} if pool.end else {}
        ranges.append(made)
    keys: dict[str, object] = dict(ranges[0]) if len(ranges) == 1 else {"ipRanges": ranges}
    return json.dumps({"type": "whereabouts", **keys})


@rule(
    "DHCP_DAEMON_MISSING",
    "error",
    "facts",
    "DHCP without its daemon",
    example="dhcpDaemon: false, config: {ipam: {type: dhcp}}",
    source="plugins/ipam/dhcp/main.go rpcCall: 'error dialing DHCP daemon'",
)
def dhcp_daemon_missing(ipam: Ipam) -> Problems:
    """The plugin asks a daemon on the node, over /run/cni/dhcp.sock."""
    if ipam.type == "dhcp" and ipam.facts.dhcp_daemon is False:
        yield Problem(
            (ipam.key("type"),),
            "the nodes run no DHCP daemon",
            "Run `/opt/cni/bin/dhcp daemon` on each node, or take another address management.",
        )


@rule(
    "NAD_OVERLAPS_CLUSTER_CIDR",
    "error",
    "facts",
    "Addresses that the cluster or its nodes have",
    example='podCIDR: 10.233.64.0/18, config: {ipam: {subnet: "10.233.65.0/24"}}',
    source="the pod's routes: a connected network is preferred to the default route of eth0",
)
def nad_overlaps_cluster_cidr(ipam: Ipam) -> Problems:
    """Pods, services or nodes of these addresses can no longer be reached from the pod, or a node's address is given out."""
    for name, texts in (("pods", ipam.facts.pod_cidr), ("services", ipam.facts.service_cidr)):
        for text in texts or ():
            cidr = parse_cidr(text)
            for network in networks(ipam) if cidr else ():
                if cidr and whole(network).overlaps(whole(cidr[1])):
                    yield Problem(
                        (),
                        f"{network} overlaps {cidr[1]}, the cluster's {name}",
                        "Take a network that the cluster does not use.",
                    )
    for text in ipam.facts.node_ips or ():
        cidr, address = parse_cidr(text), parse_address(text)
        taken = whole(cidr[1]) if cidr else single(address) if address else None
        if taken and any(span.overlaps(taken) for span in handed_out(ipam)):
            yield Problem(
                (),
                f"pods can get {text}, which the nodes have",
                f'Add "exclude": ["{text}"] (whereabouts), or take a smaller range.',
            )


@rule(
    "MACVLAN_IPVLAN_SAME_MASTER",
    "error",
    "together",
    "macvlan and ipvlan on one master",
    example="one NAD {type: macvlan, master: eth1}, another {type: ipvlan, master: eth1}",
    source="kernel: both register the master's receive handler; the second gets 'device or resource busy'",
)
def macvlan_ipvlan_same_master(everything: Everything) -> Problems:
    """On one node an interface has either macvlan children or ipvlan children."""
    seen: dict[str, dict[str, Config]] = {}
    for config in everything.configs:
        for plugin in config.plugins:
            if plugin.type not in {"macvlan", "ipvlan"} or plugin.master is None:
                continue
            kinds = seen.setdefault(plugin.known_master, {})
            other = kinds.get("ipvlan" if plugin.type == "macvlan" else "macvlan")
            if other is not None and not _same_object(other, config):
                name = plugin.known_master or "the default route's interface"
                path = (plugin.key("master"),) if plugin.has("master") else ()
                message = f"{plugin.type} on {name}, which has {'ipvlan' if plugin.type == 'macvlan' else 'macvlan'} children ({title(other)})"
                yield Problem(path, message, "Take one of the two for all networks of this interface.", subject=plugin)
            kinds.setdefault(plugin.type, config)


@rule(
    "NADS_OVERLAP",
    "warning",
    "together",
    "Two networks of one segment share addresses",
    example='two NADs on master eth1 with "range": "10.1.10.0/24"',
    source="whereabouts doc/extended-configuration.md network_name; RFC 5227",
)
def nads_overlap(everything: Everything) -> Problems:
    """Both hand out the same addresses to pods that hear each other. `network_name` says that whereabouts' ranges are meant to be apart."""
    segments: dict[tuple[object, ...], list[tuple[Span, Plugin]]] = {}
    for config in everything.configs:
        for plugin in config.plugins:
            ipam = plugin.ipam
            if ipam and (key := segment(plugin)) and not ipam.text("network_name"):
                segments.setdefault(key, []).extend((span, plugin) for span in handed_out(ipam))
    for spans in segments.values():
        spans.sort(key=lambda item: item[0])
        furthest: tuple[Span, Plugin] | None = None
        told: set[int] = set()
        for span, plugin in spans:
            if furthest and furthest[0].overlaps(span) and id(plugin) not in told:
                other = furthest[1].config
                if not _same_object(other, plugin.config):
                    told.add(id(plugin))
                    shared = Span(span.family, max(span.first, furthest[0].first), min(span.last, furthest[0].last))
                    message = f"{shared} is handed out by {title(other)} too, on the same segment"
                    hint = "Give each network a range of its own, or exclude the other's."
                    yield Problem((), message, hint, subject=plugin.ipam)
            if furthest is None or furthest[0].family != span.family or span.last > furthest[0].last:
                furthest = (span, plugin)


def _same_object(one: Config, other: Config) -> bool:
    """Whether two configurations are one in the cluster: the same, or of NADs of one name (a copy in another file)."""
    return one is other or (one.nad is not None and other.nad is not None and one.nad.full_name == other.nad.full_name)


def segment(plugin: Plugin) -> tuple[object, ...] | None:
    """What tells one L2 segment of a node from another; None where a plugin makes none that others share."""
    if plugin.type in {"macvlan", "ipvlan", "vlan"} and plugin.master is not None:
        vlan = plugin.integer("vlanId") or 0 if plugin.type == "vlan" else 0
        return ("link", plugin.known_master, vlan)
    if plugin.type in {"bridge", "ovs"}:
        return (plugin.type, plugin.text("bridge") or "cni0", plugin.integer("vlan") or 0)
    if plugin.type == "sriov" and plugin.config.nad and plugin.config.nad.resource:
        return ("sriov", plugin.config.nad.resource, plugin.integer("vlan") or 0)
    return None


def title(config: Config) -> str:
    """What a configuration is called in messages."""
    return config.nad.full_name if config.nad else config.text("name") or "another network"
