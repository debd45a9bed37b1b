"""Machines that podman or a program of the project creates: their NICs, image and limits."""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from multus_site.model.part import Part
from multus_site.model.types import InterfaceName, NodeName, PinnedImage, PodmanInterfaceName, PodmanName

BackendNetwork = Annotated[str, Field(min_length=1, examples=["internal"])]


class Plugged(Part):
    """NICs of created machines, the same on all."""

    networks: dict[InterfaceName, BackendNetwork] = Field(min_length=1)
    """Interface in the node → network that it is plugged into, by its name there."""
    interface: InterfaceName = "eth0"
    """Interface with the node's address, one of `networks`."""

    @model_validator(mode="after")
    def _address_has_an_interface(self) -> Self:
        if self.interface not in self.networks:
            msg = f"interface {self.interface!r} is not among networks ({', '.join(self.networks)}); name one of them"
            raise ValueError(msg)
        return self


class Limits(Part):
    """Limits of a system container. They are changed in place, without a restart."""

    cpus: float | None = Field(default=None, gt=0, examples=[2])
    """Processors; no limit if absent."""
    memory: int | None = Field(default=None, ge=256, examples=[4096])
    """MiB; no limit if absent."""


class Container(Plugged, Limits):
    """How the system containers of a site are created."""

    networks: dict[PodmanInterfaceName, PodmanName] = Field(min_length=1)
    """Interface in the node → podman network that it is plugged into."""
    image: PinnedImage
    """Image with systemd and sshd."""
    machines: dict[NodeName, Limits] = Field(default={}, examples=[{"node2": {"memory": 8192}}])
    """Limits of single nodes; the rest is as for all nodes."""

    def limits(self, node: str) -> Limits:
        """The limits of one node."""
        own = self.machines.get(node, Limits())
        given = {key: getattr(own if key in own.model_fields_set else self, key) for key in Limits.model_fields}
        return Limits.model_construct(**given)


class Custom(Plugged):
    """Machines that a program of the project creates, in any cloud or virtualization that Pulumi has a package for."""

    program: str = Field(pattern=r"^[^/].*\.py$", examples=["backends/openstack.py"])
    """A Python file, relative to the project, with a class `Settings` and a class `Backend`."""
    settings: dict[str, Any] = Field(default={}, examples=[{"flavor": "m1.large"}])
    """Settings of the program; its `Settings` class defines them."""
