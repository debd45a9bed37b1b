"""What there is to know of a CNI plugin, trait by trait. No trait has a default: a plugin that lacks one cannot be written down.

The plugins themselves are in plugins/, a file for each family; catalogue.py finds them by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
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
    """Its keys, besides the common ones of every plugin."""
    inner: Mapping[str, Keys]
    """Key → keys of the objects that it holds, in lists or not."""
    values: Mapping[str, tuple[Value, ...]]
    """Key → the values that it takes, where they are few. Empty text is the default everywhere."""

    @property
    def vlan_key(self) -> str:
        """The key that holds a VLAN id; empty where there is none."""
        return next((key for key, kind in self.keys.items() if kind == "vlan"), "")


class Needed(NamedTuple):
    """A key that a plugin cannot do without."""

    key: str
    hint: str
    """What to write."""
    or_device: bool = False
    """Whether the plugin needs none where it gets a device of a device plugin."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PluginType(ObjectType):
    """A binary that a CNI configuration names by `type`."""

    binary: Literal["release", "site", "operator", "daemon"]
    """Where it comes from: a release of containernetworking/plugins; what the site names (cniPlugins.binaries); the same, unless
    an SR-IOV operator brings it; its own daemon."""
    oldest_version: str
    """Oldest version of the CNI specification that it speaks (version.VersionsStartingFrom in its main)."""
    modules: tuple[str, ...]
    """Kernel modules that it works with."""
    exclusive: tuple[tuple[str, str], ...]
    """Keys of which it refuses the second beside the first: both true where they are of type bool."""
    spelling: Mapping[str, str]
    """Key as a site writes it → key as the plugin reads it, where they differ by more than that."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Nic:
    """The NIC of the node that a plugin takes."""

    keys: Mapping[str, Literal["name", "mac", "pci", "path"]]
    """Keys that tell which NIC it is, and by what; the plugin looks at them in this order."""
    default_route: bool
    """Whether it is the NIC of the default route where nothing names one."""
    moves: bool
    """Whether the NIC itself goes into the pod; pods get children of it otherwise."""
    whole_modes: tuple[str, ...]
    """Values of `mode` with which one pod gets all of the NIC, though it does not move."""
    macs: Literal["own", "shared", "nic"]
    """Pods send with MAC addresses of their own; all with that of the NIC; the one pod with that of the NIC."""
    takes_frames: bool
    """Whether the children take the NIC's receive handler: it can have one kind of such children only, and the node and its
    pods do not hear each other through it."""
    checks_mtu: bool
    """Whether the plugin refuses an MTU above the NIC's."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class InterfacePlugin(PluginType):
    """A plugin that gives the pod an interface."""

    nic: Nic | None
    bridge: str
    """Key of the bridge of each node that the pod becomes a port of; empty where there is none."""
    device: Literal["required", "accepted", "none"]
    """Whether it works on a device that a device plugin hands out (deviceID)."""
    needs_pf: bool
    """Whether the device is a virtual function that it sets up through the physical one."""
    reach: Literal["segment", "node", "pod", "unknown"]
    """Who hears the pod: all of the NIC's segment, pods of the same node only, nobody, or whoever the configuration does not tell."""
    addresses: Literal["required", "optional", "none"]
    """Whether it calls an address management plugin."""
    works_chained: bool
    """Whether it works on what another plugin made, where it stands behind one."""
    makes_veth: bool
    """Whether the pod's interface has an end on the node."""
    link_kind: str
    """Kind of the pod's interface (`ip -details link`); empty where it may be any."""
    reports: frozenset[str]
    """Keys whose value the kernel reports of the pod's interface."""
    measured: bool
    """Whether two more pods can have an interface for a while without taking a device away from others."""
    needed: tuple[Needed, ...]
    defaults: Mapping[str, Value]
    """Key → what the plugin takes where it is absent."""
    site_only: frozenset[str]
    """Fields of the network in a site that are not the plugin's keys."""

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
    """A plugin that works on what an earlier one made."""

    needed: tuple[Needed, ...]
    capability: Capability
    """What it takes of the pod's annotation, through the runtime."""
    idle_without_capability: bool
    """Whether it does nothing unless the runtime hands it that."""
    needs_veth: bool
    """Whether it works on the node's end of a veth pair."""
    separates_routes: bool
    """Whether routes of the interface cannot compete with those of eth0."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class IpamPlugin(PluginType):
    """Address management."""

    remembers: Literal["node", "cluster", "server", "nothing"]
    """Where it is known which addresses are given out: on each node alone, in the cluster, at a DHCP server, nowhere."""
    daemon: bool
    """Whether it needs a daemon on each node."""
