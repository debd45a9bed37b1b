"""The traits of a CNI plugin. An entry must state each of them, except for lists of special keys, which are empty by default.

The entries are in plugins/, one file per family; catalogue.py finds them by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from multus_site.model.chained import Capability

Keys = Mapping[str, str]
"""Key → its type (key_types)."""

Value = str | int


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ObjectType:
    """A JSON object that a program in Go reads."""

    name: str
    keys: Keys
    """Its keys, without those that every plugin has."""
    inner: Mapping[str, Keys] = field(default_factory=dict)
    """Key → keys of its nested objects, in lists or not."""
    values: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    """Key → its accepted values, where they are few. Empty text always means the default."""
    open: bool = False
    """Whether it may have more keys than these: others are reported only if they look misspelt."""

    @property
    def vlan_key(self) -> str:
        """The key of the VLAN id; empty if there is none."""
        return next((key for key, kind in self.keys.items() if kind == "vlan"), "")


class Needed(NamedTuple):
    """A required key of a plugin."""

    key: str
    hint: str
    """What to write."""
    or_device: bool = False
    """Whether a device of a device plugin replaces it."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PluginType(ObjectType):
    """A binary that a CNI configuration names by `type`."""

    binary: Literal["release", "site", "operator", "daemon"]
    """Where it comes from: a release of containernetworking/plugins; the site (cniPlugins.binaries); the site, unless an SR-IOV
    operator installs it; its own daemon."""
    oldest_version: str
    """Oldest version of the CNI specification that it supports (version.VersionsStartingFrom in its main)."""
    modules: tuple[str, ...]
    """Kernel modules that it needs."""
    exclusive: tuple[tuple[str, str], ...] = ()
    """Pairs of keys that it refuses together; keys of type bool only if both are true."""
    spelling: Mapping[str, str] = field(default_factory=dict)
    """Key in a site → key of the plugin, where they differ."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Nic:
    """The NIC of the node that a plugin uses."""

    keys: Mapping[str, Literal["name", "mac", "pci", "path"]]
    """Keys that select the NIC → by what, in the order in which the plugin reads them."""
    default_route: bool
    """Whether it defaults to the NIC of the default route."""
    moves: bool
    """Whether the NIC itself moves into the pod; otherwise pods get children of it."""
    whole_modes: tuple[str, ...]
    """Values of `mode` with which one pod uses the whole NIC, although it does not move."""
    macs: Literal["own", "shared", "nic"]
    """Each pod has its own MAC address; all share that of the NIC; the only pod has that of the NIC."""
    takes_frames: bool
    """Whether the children use the NIC's receive handler: a NIC can have only one kind of them, and the node and its pods
    cannot reach each other through it."""
    checks_mtu: bool
    """Whether the plugin refuses an MTU above the NIC's."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class InterfacePlugin(PluginType):
    """A plugin that creates the pod's interface."""

    nic: Nic | None
    bridge: str
    """Key of the node's bridge that the pod is attached to; empty if there is none."""
    device: Literal["required", "accepted", "none"]
    """Whether it uses a device of a device plugin (deviceID)."""
    needs_pf: bool
    """Whether the device is a virtual function that it configures through the physical function."""
    reach: Literal["segment", "node", "pod", "unknown"]
    """Who can reach the pod: the NIC's segment, pods of the same node, nobody, or unknown from the configuration."""
    addresses: Literal["required", "optional", "none"]
    """Whether it calls an address management plugin."""
    works_chained: bool
    """Whether it works on the interface of an earlier plugin if it is chained."""
    makes_veth: bool
    """Whether the pod's interface has an end on the node."""
    makes: Literal["interface", "nic", "nothing", "unknown"]
    """What it creates: the pod's interface, a NIC of the node for the plugin after it, nothing, or unknown."""
    controller: bool
    """Whether a controller reads its NADs and the pods' annotations: `name` is that of a network, which several NADs can
    share, and requests of pods need no capability. True if unknown."""
    link_kind: str
    """Kind of the pod's interface (`ip -details link`); empty for any."""
    reports: frozenset[str] = frozenset()
    """Keys whose value the kernel reports for the pod's interface."""
    measured: bool
    """Whether throughput can be measured: two more pods can get an interface without taking a device from others."""
    needed: tuple[Needed, ...] = ()
    defaults: Mapping[str, Value] = field(default_factory=dict)
    """Key → its default in the plugin."""
    site_only: frozenset[str] = frozenset()
    """Fields of the network in a site that are not keys of the plugin."""

    @property
    def has_children(self) -> bool:
        """Whether pods get children of a NIC of the node."""
        return self.nic is not None and not self.nic.moves

    @property
    def tags(self) -> bool:
        """Whether the pod's interface itself has a VLAN."""
        return self.vlan_key in self.reports


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ChainedPlugin(PluginType):
    """A plugin that works on the interface of an earlier one."""

    needed: tuple[Needed, ...] = ()
    capability: Capability
    """The request of the pod that the runtime passes to it."""
    idle_without_capability: bool
    """Whether it does nothing without that request."""
    needs_veth: bool
    """Whether it works on the node's end of a veth pair."""
    separates_routes: bool
    """Whether it keeps routes of the interface from competing with those of eth0."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class IpamPlugin(PluginType):
    """Address management."""

    remembers: Literal["node", "cluster", "server", "nothing"]
    """Where it records assigned addresses: on each node, in the cluster, at a DHCP server, nowhere."""
    daemon: bool
    """Whether it needs a daemon on each node."""
    controller: bool
    """Whether a controller reads the requests of pods, so that they need no capability. True if unknown."""
