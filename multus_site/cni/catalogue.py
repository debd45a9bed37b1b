"""The catalogue of CNI plugins: whoever asks what a plugin is asks here, by the name that a configuration gives it.

To add a plugin: its entry in plugins/, and its name in one of the tables below.
"""

from collections.abc import Iterable
from typing import TypeVar

from multus_site.cni.plugin_type import ChainedPlugin, InterfacePlugin, IpamPlugin, Keys, ObjectType
from multus_site.cni.plugins import chained, ipam, nic_children, node_interfaces, sriov, third_party

_Entry = TypeVar("_Entry", bound=ObjectType)


def _by_name(*entries: _Entry) -> dict[str, _Entry]:
    return {entry.name: entry for entry in entries}


INTERFACES: dict[str, InterfacePlugin] = _by_name(
    *(nic_children.MACVLAN, nic_children.IPVLAN, nic_children.VLAN),
    *(node_interfaces.BRIDGE, node_interfaces.HOST_DEVICE, node_interfaces.PTP, node_interfaces.TAP),
    *(node_interfaces.DUMMY, node_interfaces.LOOPBACK),
    *(sriov.SRIOV, third_party.OVS, third_party.BOND),
)
"""Plugins that give a pod an interface."""

CHAINED: dict[str, ChainedPlugin] = _by_name(
    chained.TUNING, chained.SBR, chained.VRF, chained.BANDWIDTH, chained.FIREWALL, chained.PORTMAP
)
"""Plugins that only work behind another one, on what it made."""

PLUGINS: dict[str, InterfacePlugin | ChainedPlugin] = {**INTERFACES, **CHAINED}
"""Plugins that a list of plugins can hold."""

IPAM: dict[str, IpamPlugin] = _by_name(ipam.HOST_LOCAL, ipam.STATIC, ipam.DHCP, ipam.WHEREABOUTS)
"""Address management."""

OPERATOR: dict[str, ObjectType] = _by_name(sriov.POLICY, sriov.NETWORK)
"""Specs of the SR-IOV network operator's objects, by kind."""

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
"""Keys of the objects inside of every plugin and address management (cni pkg/types)."""

LIST: Keys = {
    "cniVersion": "text",
    "cniVersions": "texts",
    "name": "text",
    "disableCheck": "any",
    "disableGC": "any",
    "loadOnlyInlinedPlugins": "any",
    "plugins": "objects",
}
"""Keys of a configuration list (libcni/conf.go NetworkConfFromBytes, which reads these in exactly this case)."""

SPELLING = {key: word for entry in (*PLUGINS.values(), *IPAM.values()) for key, word in entry.spelling.items()}
"""Keys as a site writes them → keys as their plugin reads them, where they differ."""

SITE_WORDS = {word: key for key, word in SPELLING.items()}
"""The other way round."""

_IPAM_OWNERS = {
    key.lower(): tuple(name for name, entry in IPAM.items() if key.lower() in {k.lower() for k in entry.keys})
    for known in IPAM.values()
    for key in known.keys  # a field
}


def interface_plugin(name: str) -> InterfacePlugin:
    """The plugin of this name that gives a pod an interface; one of which nothing is expected where it is none that is known."""
    return INTERFACES.get(name, third_party.UNKNOWN)


def chained_plugin(name: str) -> ChainedPlugin | None:
    """The plugin of this name that only works behind another one."""
    return CHAINED.get(name)


def plugin_type(name: str) -> InterfacePlugin | ChainedPlugin:
    """The plugin of this name, whether it makes an interface or works on one."""
    return PLUGINS.get(name, third_party.UNKNOWN)


def ipam_plugin(name: str) -> IpamPlugin:
    """The address management of this name."""
    return IPAM.get(name, ipam.UNKNOWN)


def binary_of(name: str) -> str:
    """Where the binary of a plugin or an address management comes from (PluginType.binary); empty where nothing is known."""
    entry = PLUGINS.get(name) or IPAM.get(name)
    return entry.binary if entry else ""


def ipam_owners(key: str) -> tuple[str, ...]:
    """Address management plugins that read a key, in any case."""
    return _IPAM_OWNERS.get(key.lower(), ())


def nic_keys(name: str) -> Iterable[str]:
    """Keys by which a plugin names the NIC of the node; of an unknown plugin, those of all that are known."""
    if name in PLUGINS:
        nic = interface_plugin(name).nic
        return nic.keys if nic else ()
    return dict.fromkeys(key for entry in INTERFACES.values() if entry.nic for key in entry.nic.keys)
