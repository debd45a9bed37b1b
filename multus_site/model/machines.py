"""Machines that podman or a program of the project makes: their NICs, image and limits."""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from multus_site.model.part import Part
from multus_site.model.types import InterfaceName, NodeName, PinnedImage, PodmanInterfaceName, PodmanName

NetworkName = Annotated[str, Field(min_length=1, examples=["internal"])]


class Plugged(Part):
    """NICs of created machines: all alike."""

    networks: dict[InterfaceName, NetworkName] = Field(min_length=1)
    """Interface in the node → network that it is plugged into, by its name there."""
    interface: InterfaceName = "eth0"
    """The one of them that holds the node's address."""

    @model_validator(mode="after")
    def _address_has_an_interface(self) -> Self:
        if self.interface not in self.networks:
            msg = f"interface {self.interface!r} is not among networks ({', '.join(self.networks)}); name one of them"
            raise ValueError(msg)
        return self


class Limits(Part):
    """The most that a system container gets of the machine that it runs on. Changed in place: nothing restarts."""

    cpus: float | None = Field(default=None, gt=0, examples=[2])
    """Processors' worth of time; none: as much as there is."""
    memory: int | None = Field(default=None, ge=256, examples=[4096])
    """MiB; none: as much as there is."""


class Container(Plugged, Limits):
    """How the system containers of a site are made."""

    networks: dict[PodmanInterfaceName, PodmanName] = Field(min_length=1)
    """Interface in the node → network of podman's that it is plugged into."""
    image: PinnedImage
    """Image with systemd and sshd."""
    machines: dict[NodeName, Limits] = Field(default={}, examples=[{"node2": {"memory": 8192}}])
    """Settings of single nodes; what is not written here is as for the rest."""

    def limits(self, node: str) -> Limits:
        """Those of one node."""
        own = self.machines.get(node, Limits())
        given = {key: getattr(own if key in own.model_fields_set else self, key) for key in Limits.model_fields}
        return Limits.model_construct(**given)


class Custom(Plugged):
    """Machines that a program of the project creates, in any cloud or virtualization that Pulumi has a package for."""

    program: str = Field(pattern=r"^[^/].*\.py$", examples=["backends/openstack.py"])
    """A Python file, relative to the project, with a class `Settings` and a class `Backend`."""
    settings: dict[str, Any] = Field(default={}, examples=[{"flavor": "m1.large"}])
    """Settings of the program; its `Settings` class defines them."""
