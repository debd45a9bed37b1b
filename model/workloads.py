"""Workloads and the networks that their pods attach to."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from model.base import Part
from model.types import NodeName, ObjectName, PinnedImage, PodInterfaceName


class Attachment(Part):
    """A pod's attachment to a network; in a site file the network's name alone will do."""

    name: ObjectName
    """Name of the network."""
    interface: PodInterfaceName | None = None
    """Interface in the pod; net1, net2, … by position if absent."""


def _named(value: object) -> object:
    """`networks: [a, b]` says the same as `networks: [{name: a}, {name: b}]`."""
    return {"name": value} if isinstance(value, str) else value


NamedAttachment = Annotated[Attachment, BeforeValidator(_named, json_schema_input_type=str | Attachment)]


class Workload(Part):
    """Pods of one kind, each attached to the same networks."""

    kind: Literal["Deployment"] = "Deployment"
    """What Kubernetes makes of it."""
    namespace: ObjectName = Field(default="default", examples=["telecom"])
    """Namespace of its pods and of their networks."""
    image: PinnedImage
    """Image of the container, with a tag or digest that does not move."""
    command: tuple[str, ...] = Field(default=(), examples=[["tail", "-f", "/dev/null"]])
    """Command of the container; the image's own if empty."""
    replicas: int = Field(default=1, ge=0, le=5000)
    """How many pods."""
    networks: tuple[NamedAttachment, ...] = Field(default=(), examples=[["macvlan-internal", "macvlan-external"]])
    """Networks that each pod is attached to, by name: net1, net2, … in this order."""
    nodes: tuple[NodeName, ...] = ()
    """Nodes that the pods may run on; all workers if empty."""

    def interfaces(self) -> list[tuple[str, Attachment]]:
        """Each attachment with its effective interface name: a custom name still takes its position (Multus' getIfname)."""
        return [(a.interface or f"net{i}", a) for i, a in enumerate(self.networks, 1)]
