"""The catalogue of CNI plugins, by their `type` in a configuration. All other modules look up plugins here.

To add a plugin, write its entry in plugins/ and list it in one of the tables below.
"""

from collections.abc import Iterable
from typing import TypeVar

from multus_site.cni.plugin_type import ChainedPlugin, InterfacePlugin, IpamPlugin, Keys, ObjectType
from multus_site.cni.plugins import (
    chained,
    cluster_networks,
    fabrics,
    ipam,
    nic_children,
    node_interfaces,
    operators,
    sriov,
    third_party,
)

_Entry = TypeVar("_Entry", bound=ObjectType)


def _by_name(*entries: _Entry) -> dict[str, _Entry]:
    return {entry.name: entry for entry in entries}


INTERFACES: dict[str, InterfacePlugin] = _by_name(
    *(nic_children.MACVLAN, nic_children.IPVLAN, nic_children.VLAN),
    *(node_interfaces.BRIDGE, node_interfaces.HOST_DEVICE, node_interfaces.PTP, node_interfaces.TAP),
    *(node_interfaces.DUMMY, node_interfaces.LOOPBACK),
    *(sriov.SRIOV, third_party.OVS, third_party.BOND, node_interfaces.CNV_BRIDGE),
    *(fabrics.IB_SRIOV, fabrics.IPOIB, fabrics.ACCELERATED_BRIDGE, fabrics.MACVTAP, fabrics.VFIOVETH),
    *(fabrics.USERSPACE, cluster_networks.OVN_KUBERNETES, cluster_networks.KUBE_OVN, cluster_networks.MULTI_NIC),
    *(cluster_networks.FLANNEL, cluster_networks.CALICO, cluster_networks.CILIUM, cluster_networks.MULTUS),
    cluster_networks.SPIDERPOOL_IFACER,
)
"""Plugins that create the interface of a pod."""

CHAINED: dict[str, ChainedPlugin] = _by_name(
    *(chained.TUNING, chained.SBR, chained.VRF, chained.BANDWIDTH, chained.FIREWALL, chained.PORTMAP),
    *(chained.CNV_TUNING, chained.ROUTE_OVERRIDE, chained.COORDINATOR, fabrics.RDMA),
)
"""Plugins that only work chained behind another one, on its interface."""

PLUGINS: dict[str, InterfacePlugin | ChainedPlugin] = {**INTERFACES, **CHAINED}
"""Plugins that `plugins` of a configuration list can contain."""

IPAM: dict[str, IpamPlugin] = _by_name(
    *(ipam.HOST_LOCAL, ipam.STATIC, ipam.DHCP, ipam.WHEREABOUTS),
    *(cluster_networks.NV_IPAM, cluster_networks.SPIDERPOOL, cluster_networks.KUBE_OVN_IPAM),
    *(cluster_networks.CALICO_IPAM, cluster_networks.MULTI_NIC_IPAM),
)
"""Address management plugins."""

OPERATOR: dict[str, ObjectType] = _by_name(
    *(sriov.POLICY, sriov.NETWORK, operators.SRIOV_IB, operators.OVS),
    *(operators.MACVLAN, operators.HOST_DEVICE, operators.IPOIB),
)
"""Specs of objects of which operators make networks or devices, by kind."""

OPERATOR_GROUPS = frozenset({"sriovnetwork.openshift.io", "mellanox.com"})
"""API groups of those kinds."""

COMMON: Keys = {
    "cniVersion": "text",
    "name": "text",
    "type": "text",
    "capabilities": "flags",
    "ipam": "object",
    "dns": "object",
    "args": "object",
    "runtimeConfig": "object",
    "prevResult": "object",
}
"""Keys of every plugin: libcni's PluginConf (cni pkg/types) and what the specification reserves."""

COMMON_INNER: dict[str, Keys] = {
    "dns": {"nameservers": "texts", "domain": "text", "search": "texts", "options": "texts"},
    "routes": {
        "dst": "text",
        "gw": "text",
        "mtu": "int",
        "advmss": "int",
        "priority": "int",
        "table": "int",
        "scope": "int",
    },
}
"""Keys of nested objects of every plugin and address management (cni pkg/types)."""

LIST: Keys = {
    "cniVersion": "text",
    "cniVersions": "texts",
    "name": "text",
    "disableCheck": "any",
    "disableGC": "any",
    "loadOnlyInlinedPlugins": "any",
    "plugins": "objects",
}
"""Keys of a configuration list (libcni/conf.go NetworkConfFromBytes, which is case-sensitive)."""

SPELLING = {key: word for entry in (*PLUGINS.values(), *IPAM.values()) for key, word in entry.spelling.items()}
"""Key in a site → key of the plugin, where they differ."""

SITE_WORDS = {word: key for key, word in SPELLING.items()}
"""Key of the plugin → key in a site, where they differ."""

_IPAM_OWNERS = {
    key.lower(): tuple(name for name, entry in IPAM.items() if key.lower() in {k.lower() for k in entry.keys})
    for known in IPAM.values()
    for key in known.keys  # a field
}


def interface_plugin(name: str) -> InterfacePlugin:
    """The interface plugin of this name; the entry UNKNOWN for any other name."""
    return INTERFACES.get(name, third_party.UNKNOWN)


def chained_plugin(name: str) -> ChainedPlugin | None:
    """The chained plugin of this name; None for any other name."""
    return CHAINED.get(name)


def plugin_type(name: str) -> InterfacePlugin | ChainedPlugin:
    """The interface or chained plugin of this name; the entry UNKNOWN for any other name."""
    return PLUGINS.get(name, third_party.UNKNOWN)


def ipam_plugin(name: str) -> IpamPlugin:
    """The address management of this name; the entry UNKNOWN for any other name."""
    return IPAM.get(name, ipam.UNKNOWN)


def binary_of(name: str) -> str:
    """Where the binary of a plugin or an address management comes from (PluginType.binary); empty if unknown."""
    entry = PLUGINS.get(name) or IPAM.get(name)
    return entry.binary if entry else ""


def ipam_owners(key: str) -> tuple[str, ...]:
    """Address management plugins that read a key, in any case."""
    return _IPAM_OWNERS.get(key.lower(), ())


def nic_keys(name: str) -> Iterable[str]:
    """Keys with which a plugin selects the NIC of the node; for an unknown plugin, those of all known plugins."""
    if name in PLUGINS:
        nic = interface_plugin(name).nic
        return nic.keys if nic else ()
    return dict.fromkeys(key for entry in INTERFACES.values() if entry.nic for key in entry.nic.keys)
