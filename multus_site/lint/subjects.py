"""What rules look at: manifests, CNI configurations and their parts, pods and what they ask for.

Go reads the keys of a struct in any case (`VLANID` is `vlanId`), so parts are asked for keys by the name in the Go source.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from multus_site.lint.facts import Facts
from multus_site.model.positions import Data, Path

CHAINED = ("tuning", "sbr", "vrf", "bandwidth", "firewall", "portmap")
"""Plugins that only work behind another one, on what it made."""

RESOURCE = "k8s.v1.cni.cncf.io/resourceName"
"""Annotation of a NAD: the device resource that its pods must ask for."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A JSON object whose keys Go reads in any case; the last of several wins, as in encoding/json."""

    data: dict[str, Data]
    path: Path
    facts: Facts
    keys: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", {key.lower(): key for key in self.data})

    def get(self, name: str) -> Data:
        """The value of a key, None if it is absent (or null, which Go takes for absent)."""
        if name in self.data and len(self.keys) == len(self.data):
            return self.data[name]
        key = self.keys.get(name.lower())
        return self.data[key] if key is not None else None

    def has(self, name: str) -> bool:
        """Whether the key is there, with another value than null."""
        return self.get(name) is not None

    def key(self, name: str) -> str:
        """The key as it is written, for paths."""
        return self.keys.get(name.lower(), name)

    def text(self, name: str) -> str:
        """Text of a key, empty if it is absent or no text."""
        value = self.get(name)
        return value if isinstance(value, str) else ""

    def integer(self, name: str) -> int | None:
        """Whole number of a key."""
        value = self.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def entries(self, name: str) -> list[Data]:
        """Entries of a list, none if it is absent or no list."""
        value = self.get(name)
        return value if isinstance(value, list) else []


@dataclass(frozen=True, slots=True, eq=False)
class Manifest:
    """A Kubernetes object of any kind."""

    data: dict[str, Data]
    path: Path
    facts: Facts


@dataclass(frozen=True, slots=True, eq=False)
class BrokenYaml:
    """A document that is not YAML."""

    message: str
    path: Path = ()


@dataclass(frozen=True, slots=True, eq=False)
class ConfigText:
    """The text of a CNI configuration: spec.config, or a file of JSON."""

    text: str
    path: Path
    facts: Facts
    whole_file: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Nad:
    """A NetworkAttachmentDefinition. `config` is None where the text is absent or no JSON object."""

    name: str
    namespace: str
    annotations: dict[str, Data]
    data: dict[str, Data]
    path: Path
    facts: Facts
    config: "Config | None" = None

    @property
    def full_name(self) -> str:
        """Namespace and name, as pods refer to it."""
        return f"{self.namespace}/{self.name}"

    @property
    def resource(self) -> str:
        """The device resource that pods must ask for, empty if none."""
        value = self.annotations.get(RESOURCE)
        return value if isinstance(value, str) else (self.facts.nad_resource or {}).get(self.full_name, "")


@dataclass(frozen=True, slots=True, eq=False)
class Config(Part):
    """A CNI configuration: one plugin, or a list of them."""

    nad: Nad | None = None
    in_site: bool = False
    """Of a site of ours, whose workloads and nodes are known: rules on sites speak then."""
    plugins: "list[Plugin]" = field(default_factory=list)
    nodes: tuple[str, ...] = ()
    """Nodes that have this configuration as their own; none where every node has the same, or nothing is known of them."""

    @property
    def is_list(self) -> bool:
        """Whether it is a configuration list. Multus looks for `type` first."""
        return not self.text("type") and self.data.get("plugins") is not None

    @property
    def version(self) -> str:
        """The CNI version that plugins are called with; empty if none is given."""
        versions = [v for v in self.entries("cniVersions") if isinstance(v, str)]
        return max([*versions, self.text("cniVersion")], key=version_key) if versions else self.text("cniVersion")

    @property
    def addresses(self) -> "list[Ipam]":
        """Address management of every plugin."""
        return [plugin.ipam for plugin in self.plugins if plugin.ipam is not None]


@dataclass(frozen=True, slots=True, eq=False)
class Plugin(Part):
    """One plugin's configuration."""

    config: Config
    index: int = 0
    ipam: "Ipam | None" = None

    @property
    def type(self) -> str:
        """Name of the plugin's binary."""
        return self.text("type")

    @property
    def chained(self) -> bool:
        """Whether it works on what an earlier plugin made."""
        return self.index > 0

    @property
    def master(self) -> str | None:
        """The node's interface that it works on: empty for that of the default route, None if it works on none."""
        if self.get("linkInContainer") is True:
            return None
        if self.type in {"macvlan", "vlan"} or (self.type == "ipvlan" and not self.chained):
            return self.text("master")
        return None

    @property
    def known_master(self) -> str:
        """The node's interface by name, by the facts if the configuration leaves it to the default route; empty if unknown."""
        return (self.master or self.facts.default_route or "") if self.master is not None else ""

    def capability(self, name: str) -> bool:
        """Whether the runtime is told to pass something of the pod on."""
        capabilities = self.get("capabilities")
        return isinstance(capabilities, dict) and capabilities.get(name) is True


@dataclass(frozen=True, slots=True, eq=False)
class Ipam(Part):
    """Address management of a plugin; of none when it stands by itself in a file."""

    plugin: Plugin | None = None

    @property
    def type(self) -> str:
        """Name of the plugin's binary."""
        return self.text("type")

    @property
    def interface_type(self) -> str:
        """Type of the plugin that gets the addresses, empty if unknown."""
        return self.plugin.type if self.plugin else ""


def inner_parts(part: Part, name: str) -> Iterator[Part]:
    """Objects that a key holds, in lists or not; their paths are relative to the part."""
    stack: list[tuple[Path, Data]] = [((part.key(name),), part.get(name))]
    while stack:
        path, value = stack.pop()
        if isinstance(value, dict):
            yield Part(value, path, part.facts)
        elif isinstance(value, list):
            stack += [((*path, i), item) for i, item in reversed(list(enumerate(value)))]


@dataclass(frozen=True, slots=True, eq=False)
class Operator(Part):
    """The spec of an object of the SR-IOV network operator."""

    kind: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """One attachment that a pod asks for. `interface` is the effective name; `item` is set in the JSON form only."""

    name: str
    namespace: str
    interface: str
    path: Path
    item: Part | None = None
    offset: int | None = None

    @property
    def full_name(self) -> str:
        """Namespace and name of the NetworkAttachmentDefinition."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, eq=False)
class Pod:
    """A pod, or the template that a workload makes pods of."""

    kind: str
    name: str
    namespace: str
    annotations: dict[str, Data]
    spec: dict[str, Data]
    path: Path
    metadata: Path
    """Path of the metadata that holds the annotations."""
    facts: Facts
    replicas: int = 1
    outer: dict[str, Data] = field(default_factory=dict)
    """Annotations of the workload itself, which its pods do not get."""
    outer_path: Path = ()
    selections: list[Selection] = field(default_factory=list)
    nodes: tuple[str, ...] = ()
    """Nodes that it can run on, as far as they are known."""

    @property
    def title(self) -> str:
        """What the pod or its workload is called in messages."""
        return f"{self.kind} {self.namespace}/{self.name}"

    @property
    def many(self) -> int:
        """How many pods there are; a DaemonSet has one on each node, as far as the facts tell how many those are."""
        return max(self.replicas, self.facts.nodes or 1) if self.kind == "DaemonSet" else self.replicas

    def containers(self, key: str) -> Iterator[dict[str, Data]]:
        """Containers of the pod."""
        found = self.spec.get(key)
        yield from (c for c in found if isinstance(c, dict)) if isinstance(found, list) else ()


@dataclass(frozen=True, slots=True, eq=False)
class Attached:
    """A pod's attachment together with the NetworkAttachmentDefinition, where it is among what is looked at."""

    pod: Pod
    selection: Selection
    nad: Nad | None
    facts: Facts

    @property
    def path(self) -> Path:
        """Place of the attachment."""
        return self.selection.path


@dataclass(frozen=True, slots=True, eq=False)
class Everything:
    """All that is looked at together. Problems name the subject that they are about."""

    nads: list[Nad]
    configs: list[Config]
    pods: list[Pod]
    facts: Facts


def version_key(version: str) -> tuple[int, ...]:
    """A CNI version as numbers, for comparing; () for what is none."""
    parts = version.split(".")
    return tuple(int(part) for part in parts) if parts and all(p.isascii() and p.isdigit() for p in parts) else ()
