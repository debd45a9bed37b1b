"""Rules that compare plugins with facts about the nodes: binaries, NICs, devices."""

import difflib

from multus_site.cni.configuration import inner_parts
from multus_site.lint.finding import Level
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.subjects import Ipam, Nad, Plugin
from multus_site.model.networks import RESOURCE
from multus_site.model.paths import Path


@rule(
    "PLUGIN_BINARY_MISSING",
    "error",
    "facts",
    "A plugin that is not on the nodes",
    example="plugins: [bridge, host-local], config: {type: macvlan, …}",
    source="libcni: 'failed to find plugin \"macvlan\" in path [/opt/cni/bin]'",
)
def plugin_binary_missing(part: Plugin | Ipam) -> Problems:
    """Each type is a binary in /opt/cni/bin on the node where the pod starts."""
    installed = part.facts.plugins
    if installed is not None and part.type and part.type not in installed:
        yield Problem(
            (part.key("type"),),
            f"the nodes have no plugin {part.type!r} in /opt/cni/bin",
            "Install it on every node (cniPlugins.plugins in a site), or use another plugin.",
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
            yield Problem(path, message, _alternatives(plugin, name, missing))


def _needed(plugin: Plugin) -> list[tuple[Path, str]]:
    """Interfaces of the node that a plugin uses, each with its path."""
    if plugin.reads("links"):
        links = () if plugin.get("linksInContainer") is True else inner_parts(plugin, "links")
        return [((*link.path, link.key("name")), link.text("name")) for link in links if link.text("name")]
    key, name = plugin.nic_key, plugin.moved_nic or plugin.known_master
    return [((plugin.key(key),) if plugin.has(key) else (), name)] if name else []


def _alternatives(plugin: Plugin, name: str, missing: list[str]) -> str:
    """A hint with the interfaces that exist."""
    by_node = plugin.facts.ifaces_by_node or {}
    if any(missing):
        have = "; ".join(f"{node} has {', '.join(by_node[node]) or 'none'}" for node in missing[:3])
        return f"{have}. Keep the pods off {'that node' if len(missing) == 1 else 'those nodes'}, or give the interface the same name on every node."
    near = difflib.get_close_matches(name, plugin.facts.ifaces or [], 1, 0.6)
    existing = ", ".join(plugin.facts.ifaces or [])
    return (
        f"Did you mean {near[0]}? " if near else ""
    ) + f"Existing ones: {existing or 'none'}. List them with: ip link"


@rule(
    "MTU_GT_MASTER",
    "error",
    "facts",
    "An MTU above the master's",
    example="mtu: {eth1: 1500}, config: {type: macvlan, master: eth1, mtu: 9000}",
    source="plugins/main/macvlan/macvlan.go loadConf, vlan.go loadConf; ipvlan does not compare",
)
def mtu_gt_master(plugin: Plugin) -> Problems:
    """macvlan and vlan reject it; ipvlan accepts it and drops large packets."""
    mtu, nic = plugin.integer("mtu"), plugin.traits.nic
    masters = plugin.facts.mtu or {}
    if mtu is not None and plugin.known_master in masters and mtu > masters[plugin.known_master]:
        level: Level = "error" if nic and nic.checks_mtu else "warning"
        hint = f"Set mtu to {masters[plugin.known_master]} or less, or raise the MTU of {plugin.known_master} and of the switch ports."
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
    "An environment that drops macvlan frames",
    example="nodeIsVM: true, config: {type: macvlan, master: eth1}",
    source="multus-cni#390, #660, #1097; IEEE 802.11: a station sends with its own MAC address only",
)
def macvlan_blocked(plugin: Plugin) -> Problems:
    """Each pod has its own MAC address; hypervisors and wireless LANs may accept only that of the NIC."""
    nic = plugin.traits.nic
    if nic is None or nic.macs != "own" or plugin.master is None:
        return
    path = (plugin.key("master"),) if plugin.has("master") else (plugin.key("type"),)
    if plugin.known_master.startswith(("wlan", "wlp", "wlo", "wlx")):
        hint = "Use ipvlan, whose pods share the NIC's MAC address, or a wired NIC."
        yield Problem(path, f"{plugin.known_master} is a wireless NIC, judging by its name", hint)
    elif plugin.facts.node_is_vm:
        hint = "Configure the hypervisor to accept other MAC addresses (promiscuous mode, forged transmits; OpenStack: port_security_enabled=false), or use ipvlan."
        yield Problem(path, "the nodes are VMs, whose hypervisor may drop frames from other MAC addresses", hint)


@rule(
    "HOST_DEVICE_IS_NODE_PRIMARY",
    "error",
    "facts",
    "The node's own interface for a pod",
    example="primaryIface: eth0, config: {type: host-device, device: eth0}",
    source="plugins/main/host-device/host-device.go moveLinkIn; multus-cni#1209",
)
def host_device_is_node_primary(plugin: Plugin) -> Problems:
    """host-device moves the interface into the pod, and the node loses its network."""
    own = {plugin.facts.primary_iface, plugin.facts.default_route} - {None, ""}
    if plugin.moved_nic in own:
        yield Problem(
            (plugin.key(plugin.nic_key),),
            f"{plugin.moved_nic} is the node's own interface",
            "Use another NIC, or macvlan with this one as its master.",
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
    """sriov configures a VF through its PF. In a VM, the VF is passed through, and the PF stays on the hypervisor."""
    if plugin.traits.needs_pf and plugin.facts.pf is False:
        yield Problem(
            (plugin.key("type"),),
            f"the nodes have no physical function for {plugin.type}",
            "Use host-device with the same resource: in a VM, a VF is an ordinary NIC.",
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
    """Pods request the resource that the NAD names, and stay Pending if no device plugin offers it."""
    offered = nad.facts.sriov_resources
    needs = nad.config is not None and any(plugin.traits.device == "required" for plugin in nad.config.plugins)
    if needs and offered is not None and nad.resource and nad.resource not in offered:
        path: Path = ("metadata", "annotations", RESOURCE) if RESOURCE in nad.annotations else ("metadata",)
        near = difflib.get_close_matches(nad.resource, offered, 1, 0.6)
        hint = f"Did you mean {near[0]}?" if near else f"The nodes offer: {', '.join(offered) or 'none'}."
        yield Problem(path, f"no node offers the resource {nad.resource}", hint)
