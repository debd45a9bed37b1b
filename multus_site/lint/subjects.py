"""The subjects of rules: manifests, CNI configurations and their parts with the facts, pods and their attachments."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from multus_site.cni import configuration
from multus_site.cni.catalogue import OPERATOR
from multus_site.cni.go_object import Part
from multus_site.cni.plugin_type import ObjectType
from multus_site.cni.selections import Selection
from multus_site.lint.facts import Facts
from multus_site.model.networks import RESOURCE
from multus_site.model.paths import Data, Path


@dataclass(frozen=True, slots=True, eq=False)
class Manifest:
    """A Kubernetes object of any kind."""

    data: dict[str, Data]
    path: Path
    facts: Facts


@dataclass(frozen=True, slots=True, eq=False)
class BrokenYaml:
    """A document that is not valid YAML."""

    message: str
    right: str
    path: Path = ()
    text: str = ""
    """The document."""


@dataclass(frozen=True, slots=True, eq=False)
class ConfigText:
    """The text of a CNI configuration: spec.config, or a JSON file."""

    text: str
    path: Path
    facts: Facts
    whole_file: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Nad:
    """A NetworkAttachmentDefinition. `config` is None if the text is missing or not a JSON object."""

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
        """The device resource that pods must request, empty if none."""
        value = self.annotations.get(RESOURCE)
        return value if isinstance(value, str) else (self.facts.nad_resource or {}).get(self.full_name, "")


@dataclass(frozen=True, slots=True, eq=False)
class MadeNad(Nad):
    """A NetworkAttachmentDefinition that an operator makes; it is only compared with others."""


@dataclass(frozen=True, slots=True, eq=False)
class Config(configuration.Config):
    """A CNI configuration with its NAD and the facts."""

    facts: Facts = field(kw_only=True)
    nad: Nad | None = field(default=None, kw_only=True)
    in_site: bool = field(default=False, kw_only=True)
    """Whether it belongs to a site, whose workloads and nodes are known."""
    nodes: tuple[str, ...] = field(default=(), kw_only=True)
    """Nodes with this variant of the configuration; empty if all nodes have the same, or they are unknown."""
    plugins: "tuple[Plugin, ...]" = field(init=False)

    def _plugin(self, data: dict[str, Data], path: Path, index: int) -> "Plugin":
        return Plugin(data, path, self, index)

    @property
    def title(self) -> str:
        """Its name in messages."""
        return self.nad.full_name if self.nad else self.text("name") or "another network"

    @property
    def addresses(self) -> "list[Ipam]":
        """IPAM of every plugin."""
        return [plugin.ipam for plugin in self.plugins if plugin.ipam is not None]


@dataclass(frozen=True, slots=True, eq=False)
class MadeConfig(Config):
    """The configuration of a MadeNad, of which the object contains only some keys; it is only compared with others."""


@dataclass(frozen=True, slots=True, eq=False)
class Plugin(configuration.Plugin):
    """One plugin's configuration."""

    config: Config
    ipam: "Ipam | None" = field(init=False)

    def _ipam(self, data: dict[str, Data], path: Path) -> "Ipam":
        return Ipam(data, path, self, facts=self.facts)

    @property
    def facts(self) -> Facts:
        """Facts about the nodes and the cluster."""
        return self.config.facts

    @property
    def known_master(self) -> str:
        """Name of the node's interface, from the facts if the default route decides; empty if unknown."""
        return (self.master or self.facts.default_route or "") if self.master is not None else ""


@dataclass(frozen=True, slots=True, eq=False)
class Ipam(configuration.Ipam):
    """IPAM of a plugin; `plugin` is None for an ipam that is a file of its own."""

    plugin: Plugin | None = None
    facts: Facts = field(kw_only=True)


@dataclass(frozen=True, slots=True, eq=False)
class DevicePlugins:
    """The configuration of the SR-IOV device plugin."""

    data: dict[str, Data]
    path: Path


@dataclass(frozen=True, slots=True, eq=False)
class Operator(Part):
    """The spec of an object that an operator reads."""

    kind: str = ""

    @property
    def object_type(self) -> ObjectType:
        """Its entry in the catalogue."""
        return OPERATOR[self.kind]

    def reads(self, key: str) -> bool:
        """Whether the operator reads a key."""
        return key in self.object_type.keys


@dataclass(frozen=True, slots=True, eq=False)
class Pod:
    """A pod, or the pod template of a workload."""

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
    """Annotations of the workload, which its pods do not get."""
    outer_path: Path = ()
    selections: list[Selection] = field(default_factory=list)
    nodes: tuple[str, ...] = ()
    """Nodes on which it can run; empty if unknown."""
    annotations_key: str = "annotations"
    """The key of the annotations in `metadata`; operators and charts have others."""

    def place(self, annotation: str) -> Path:
        """Path of an annotation."""
        return (*self.metadata, self.annotations_key, annotation)

    @property
    def title(self) -> str:
        """Name of the pod or its workload in messages."""
        return f"{self.kind} {self.namespace}/{self.name}"

    @property
    def many(self) -> int:
        """Number of pods; a DaemonSet has one on each node, if the facts contain the number of nodes."""
        return max(self.replicas, self.facts.nodes or 1) if self.kind == "DaemonSet" else self.replicas

    def containers(self, key: str) -> Iterator[dict[str, Data]]:
        """Containers under a key of the pod's spec."""
        containers = self.spec.get(key)
        yield from (c for c in containers if isinstance(c, dict)) if isinstance(containers, list) else ()


@dataclass(frozen=True, slots=True, eq=False)
class Attached:
    """A pod's attachment with its NetworkAttachmentDefinition, None if that is not among the checked files."""

    pod: Pod
    selection: Selection
    nad: Nad | None
    facts: Facts

    @property
    def path(self) -> Path:
        """Path of the attachment."""
        return self.selection.path


@dataclass(frozen=True, slots=True, eq=False)
class Everything:
    """All subjects that are checked together. Each problem names its subject."""

    nads: list[Nad]
    configs: list[Config]
    pods: list[Pod]
    facts: Facts
