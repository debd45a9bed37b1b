"""A CNI configuration as libcni and the plugins read it: its plugins and their address management.

Nothing here raises: parts with a wrong shape are left out, and the linter reports them. Go matches keys of a struct in any
case (`VLANID` is `vlanId`); look keys up by their name in the Go source. Paths begin at the configuration.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from multus_site.cni import go_json
from multus_site.cni.catalogue import interface_plugin, ipam_plugin, plugin_type
from multus_site.cni.go_object import Part
from multus_site.cni.plugin_type import ChainedPlugin, InterfacePlugin, IpamPlugin
from multus_site.model.paths import Data, Path


def inner_parts(part: Part, name: str) -> Iterator[Part]:
    """Objects in the value of a key, in lists of any depth; paths are relative to the part."""
    stack: list[tuple[Path, Data]] = [((part.key(name),), part.get(name))]
    while stack:
        path, value = stack.pop()
        if isinstance(value, dict):
            yield Part(value, path)
        elif isinstance(value, list):
            stack += [((*path, i), item) for i, item in reversed(list(enumerate(value)))]


@dataclass(frozen=True, slots=True, eq=False)
class Config(Part):
    """A CNI configuration: one plugin, or a list of them."""

    plugins: "tuple[Plugin, ...]" = field(init=False)

    def __post_init__(self) -> None:
        Part.__post_init__(self)
        found: list[Plugin] = []
        if not self.is_list:
            if self.has("type"):
                found.append(self._plugin(self.data, self.path, 0))
        else:
            for i, item in enumerate(self.entries("plugins")):
                if isinstance(item, dict):
                    found.append(self._plugin(item, (*self.path, self.key("plugins"), i), i))
        object.__setattr__(self, "plugins", tuple(found))

    def _plugin(self, data: dict[str, Data], path: Path, index: int) -> "Plugin":
        """Create one of the plugins; subclasses override it."""
        return Plugin(data, path, self, index)

    @property
    def first(self) -> "Plugin":
        """The plugin that creates the interface; an empty one if the configuration has none."""
        return self.plugins[0] if self.plugins else self._plugin({}, self.path, 0)

    @property
    def is_list(self) -> bool:
        """Whether it is a configuration list. Multus checks `type` first."""
        return not self.text("type") and self.data.get("plugins") is not None

    @property
    def version(self) -> str:
        """The CNI version that plugins are called with; empty if none is set."""
        versions = [v for v in self.entries("cniVersions") if isinstance(v, str)]
        return max([*versions, self.text("cniVersion")], key=version_key) if versions else self.text("cniVersion")

    @property
    def addresses(self) -> "Sequence[Ipam]":
        """Address management of every plugin."""
        return [plugin.ipam for plugin in self.plugins if plugin.ipam is not None]


@dataclass(frozen=True, slots=True, eq=False)
class Plugin(Part):
    """One plugin's configuration."""

    config: Config
    index: int
    ipam: "Ipam | None" = field(init=False)

    def __post_init__(self) -> None:
        Part.__post_init__(self)
        ipam = self.get("ipam")
        made = self._ipam(ipam, (*self.path, self.key("ipam"))) if isinstance(ipam, dict) else None
        object.__setattr__(self, "ipam", made)

    def _ipam(self, data: dict[str, Data], path: Path) -> "Ipam":
        """Create its address management; subclasses override it."""
        return Ipam(data, path, self)

    @property
    def type(self) -> str:
        """Name of the plugin's binary."""
        return self.text("type")

    @property
    def object_type(self) -> InterfacePlugin | ChainedPlugin:
        """Its entry in the catalogue."""
        return plugin_type(self.type)

    def reads(self, key: str) -> bool:
        """Whether the plugin reads a key."""
        return key in self.object_type.keys

    @property
    def traits(self) -> InterfacePlugin:
        """Its entry as a plugin that creates an interface; UNKNOWN for chained plugins."""
        return interface_plugin(self.type)

    @property
    def chained(self) -> bool:
        """Whether another plugin runs before it."""
        return self.index > 0

    @property
    def works_on_earlier(self) -> bool:
        """Whether it works on the interface of an earlier plugin instead of creating one."""
        return self.chained and self.traits.works_chained

    @property
    def nic_key(self) -> str:
        """The key that names the node's NIC; empty if the plugin uses none."""
        nic = self.traits.nic
        return next(iter(nic.keys)) if nic else ""

    @property
    def master(self) -> str | None:
        """The node's NIC whose children pods get: empty for the NIC of the default route, None if there is none."""
        nic = self.traits.nic
        if nic is None or nic.moves or self.works_on_earlier or self.get("linkInContainer") is True:
            return None
        return self.text(self.nic_key)

    @property
    def moved_nic(self) -> str:
        """Name of the node's NIC that moves into the pod; empty if none does or its name is not given."""
        nic = self.traits.nic
        return self.text(self.nic_key) if nic and nic.moves else ""

    @property
    def vlan(self) -> int:
        """The VLAN id that the plugin sets; 0 for none."""
        key = self.object_type.vlan_key
        return (self.integer(key) or 0) if key else 0

    def capability(self, name: str) -> bool:
        """Whether a capability is enabled, so that the runtime passes the pod's request."""
        capabilities = self.get("capabilities")
        return isinstance(capabilities, dict) and capabilities.get(name) is True


@dataclass(frozen=True, slots=True, eq=False)
class Ipam(Part):
    """Address management of a plugin. `plugin` is None for a configuration file of address management alone."""

    plugin: Plugin | None = None

    @property
    def type(self) -> str:
        """Name of the plugin's binary."""
        return self.text("type")

    @property
    def object_type(self) -> IpamPlugin:
        """Its entry in the catalogue."""
        return ipam_plugin(self.type)

    @property
    def interface(self) -> InterfacePlugin:
        """The entry of the plugin whose interface gets the addresses."""
        return interface_plugin(self.plugin.type if self.plugin else "")


def read(config: Any) -> Config:  # noqa: ANN401  # any value of a raw network
    """Read a configuration from JSON text or an object; anything else gives one without plugins."""
    data = go_json.parse(config)[0] if isinstance(config, str) else config
    return Config(data if isinstance(data, dict) else {}, ())


def version_key(version: str) -> tuple[int, ...]:
    """A CNI version as numbers, for comparing; () for anything else."""
    parts = version.split(".")
    return tuple(int(part) for part in parts) if parts and all(p.isascii() and p.isdigit() for p in parts) else ()
