"""Workloads and the networks that their pods attach to."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from multus_site.model.addresses import InterfaceAddress, IpAddress, MacAddress
from multus_site.model.part import ExactlyOne, Part
from multus_site.model.racks import Placed, Spreads
from multus_site.model.types import Namespace, NetworkName, NodeName, PinnedImage, PodInterfaceName, Port, RackName


class PortMapping(Part):
    """A port of the node that leads to a port of the pod (the network chains portmap)."""

    host_port: Port
    """Port of the node."""
    container_port: Port
    """Port of the pod."""
    protocol: Literal["tcp", "udp", "sctp"] = "tcp"
    """Its protocol."""


def _listed(value: object) -> object:
    """`ipsByReplica: [a, b]` says the same as `ipsByReplica: [[a], [b]]`."""
    return [value] if isinstance(value, str) else value


ReplicaAddresses = Annotated[
    tuple[InterfaceAddress, ...],
    Field(min_length=1),
    BeforeValidator(
        _listed,
        json_schema_input_type=InterfaceAddress | Annotated[tuple[InterfaceAddress, ...], Field(min_length=1)],
    ),
]


class Attachment(Part):
    """A pod's attachment to a network; in a site file the network's name alone will do."""

    name: NetworkName
    """Name of the network."""
    interface: PodInterfaceName | None = None
    """Interface in the pod; net1, net2, … by position if absent."""
    ips: tuple[InterfaceAddress, ...] = ()
    """Fixed addresses of the workload's only pod, with prefix length."""
    ips_by_replica: tuple[ReplicaAddresses, ...] = Field(default=(), examples=[["10.1.10.11/24", "10.1.10.12/24"]])
    """Fixed addresses of a StatefulSet's pods, by ordinal: each keeps its own whatever happens to it. An entry is an address, or a list of them for dual stack."""
    mac: MacAddress | None = None
    """MAC address of the workload's only pod."""
    default_route: tuple[IpAddress, ...] = Field(default=(), examples=[["10.1.10.1"]])
    """Gateways, one of each family, that the pod's default route leads to through this attachment. Pods, services and nodes stay reachable through eth0."""
    port_mappings: tuple[PortMapping, ...] = ()
    """Ports of the node that lead to the pod."""


def _named(value: object) -> object:
    """`networks: [a, b]` says the same as `networks: [{name: a}, {name: b}]`."""
    return {"name": value} if isinstance(value, str) else value


NamedAttachment = Annotated[Attachment, BeforeValidator(_named, json_schema_input_type=NetworkName | Attachment)]


class Resources(Part):
    """Amounts by resource, as Kubernetes has them. What SR-IOV networks need is added to both."""

    requests: dict[str, str] = Field(default={}, examples=[{"cpu": "100m", "memory": "64Mi"}])
    """What is set aside."""
    limits: dict[str, str] = Field(default={}, examples=[{"memory": "64Mi"}])
    """What it may use at most."""


class Probe(ExactlyOne):
    """A check of the container, in one of three ways."""

    exec: tuple[str, ...] = Field(default=(), examples=[["ping", "-c", "1", "10.1.10.1"]])
    """A command in the container that ends with 0."""
    http_get: str | None = Field(default=None, pattern=r"^:[0-9]{1,5}/", examples=[":8080/healthz"])
    """Port and path that answer HTTP on the pod's own address."""
    tcp_socket: Port | None = None
    """Port that takes connections on the pod's own address."""
    initial_delay_seconds: int = Field(default=0, ge=0, le=3600)
    """Seconds before the first check."""
    period_seconds: int = Field(default=10, ge=1, le=3600)
    """Seconds between checks."""
    timeout_seconds: int = Field(default=1, ge=1, le=600)
    """How long an answer may take."""
    failure_threshold: int = Field(default=3, ge=1, le=100)
    """How many checks in a row must fail."""

    one_of = ("exec", "http_get", "tcp_socket")


class Workload(Placed):
    """Pods of one kind, each attached to the same networks."""

    kind: Literal["Deployment", "StatefulSet", "DaemonSet"] = "Deployment"
    """What Kubernetes makes of it. A DaemonSet has a pod on each node that has the networks."""
    namespace: Namespace = Field(default="default", examples=["telecom"])
    """Namespace of its pods and of their networks."""
    image: PinnedImage
    """Image of the container, with a tag or digest that does not move."""
    command: tuple[str, ...] = Field(default=(), examples=[["tail", "-f", "/dev/null"]])
    """Command of the container; the image's own if empty."""
    replicas: int = Field(default=1, ge=0, le=5000)
    """How many pods; not for a DaemonSet."""
    networks: tuple[NamedAttachment, ...] = Field(default=(), examples=[["macvlan-internal", "macvlan-external"]])
    """Networks that each pod is attached to, by name: net1, net2, … in this order."""
    nodes: tuple[NodeName, ...] = ()
    """Nodes that the pods may run on; all workers that have the networks if empty, but those of dedicated racks."""
    racks: tuple[RackName, ...] = Field(default=(), examples=[["c1"]])
    """Racks whose workers they may run on, instead of `nodes`. Pods of a workload that names a dedicated rack, or a node in it, tolerate its taint."""
    spread: Spreads = Field(default=(), examples=["rack"])
    """Over what the pods are spread: rack, row, zone or node, or a list of them; as the scheduler likes if empty."""
    resources: Resources = Resources()
    """What the container asks for and may use."""
    readiness_probe: Probe | None = None
    """When a pod counts as ready."""
    liveness_probe: Probe | None = None
    """When its container is restarted."""

    def interfaces(self) -> list[tuple[str, Attachment]]:
        """Each attachment with its effective interface name: a custom name still takes its position (Multus' getIfname)."""
        return [(a.interface or f"net{i}", a) for i, a in enumerate(self.networks, 1)]

    @property
    def sticky(self) -> bool:
        """Whether each replica has addresses of its own."""
        return any(a.ips_by_replica for a in self.networks)


def replica_name(workload: str, ordinal: int) -> str:
    """Name of the object that holds one replica of a workload whose replicas have addresses of their own."""
    return f"{workload}-{ordinal}"
