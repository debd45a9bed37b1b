"""What rules check: manifests, CNI configurations and their parts with the facts around them, pods and what they ask for."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from multus_site.cni import configuration
from multus_site.cni.catalogue import OPERATOR
from multus_site.cni.configuration import Part
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
class Config(configuration.Config):
    """A CNI configuration, and what is known around it."""

    facts: Facts = field(kw_only=True)
    nad: Nad | None = field(default=None, kw_only=True)
    in_site: bool = field(default=False, kw_only=True)
    """Of a site of ours, whose workloads and nodes are known: rules on sites apply then."""
    nodes: tuple[str, ...] = field(default=(), kw_only=True)
    """Nodes that have this configuration as their own; none where every node has the same, or nothing is known of them."""
    plugins: "tuple[Plugin, ...]" = field(init=False)

    def _plugin(self, data: dict[str, Data], path: Path, index: int) -> "Plugin":
        return Plugin(data, path, self, index)

    @property
    def title(self) -> str:
        """What it is called in messages."""
        return self.nad.full_name if self.nad else self.text("name") or "another network"

    @property
    def addresses(self) -> "list[Ipam]":
        """Address management of every plugin."""
        return [plugin.ipam for plugin in self.plugins if plugin.ipam is not None]


@dataclass(frozen=True, slots=True, eq=False)
class Plugin(configuration.Plugin):
    """One plugin's configuration."""

    config: Config
    ipam: "Ipam | None" = field(init=False)

    def _ipam(self, data: dict[str, Data], path: Path) -> "Ipam":
        return Ipam(data, path, self, facts=self.facts)

    @property
    def facts(self) -> Facts:
        """What is known of nodes and cluster."""
        return self.config.facts

    @property
    def known_master(self) -> str:
        """The node's interface by name, by the facts if the configuration leaves it to the default route; empty if unknown."""
        return (self.master or self.facts.default_route or "") if self.master is not None else ""


@dataclass(frozen=True, slots=True, eq=False)
class Ipam(configuration.Ipam):
    """Address management of a plugin; of none when it stands by itself in a file."""

    plugin: Plugin | None = None
    facts: Facts = field(kw_only=True)


@dataclass(frozen=True, slots=True, eq=False)
class Operator(Part):
    """The spec of an object of the SR-IOV network operator."""

    kind: str = ""

    @property
    def object_type(self) -> ObjectType:
        """What the catalogue says of its keys."""
        return OPERATOR[self.kind]

    def reads(self, key: str) -> bool:
        """Whether the operator reads a key."""
        return key in self.object_type.keys


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
    """A pod's attachment together with the NetworkAttachmentDefinition, where it is among what is checked."""

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
    """Everything that is checked together. Problems name the subject that they are about."""

    nads: list[Nad]
    configs: list[Config]
    pods: list[Pod]
    facts: Facts
