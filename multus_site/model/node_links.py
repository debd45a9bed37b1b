"""Interfaces that `up` creates on nodes for networks: VLAN sub-interfaces and bonds."""

from typing import Annotated, Literal

from pydantic import Field

from multus_site.model.racks import Placed
from multus_site.model.types import InterfaceName, Mtu, VlanId


class VlanLink(Placed):
    """A VLAN of an interface of the node."""

    type: Literal["vlan"]
    """A VLAN sub-interface."""
    link: InterfaceName
    """Interface that carries the VLAN: a NIC, or a bond of `links`."""
    id: VlanId
    """VLAN id."""
    mtu: Mtu | None = None
    """At most the MTU of the interface that carries it; the same if absent."""

    @property
    def below(self) -> tuple[InterfaceName, ...]:
        """The interface that it is created on."""
        return (self.link,)


class BondLink(Placed):
    """Several NICs of the node as one."""

    type: Literal["bond"]
    """A bond."""
    members: tuple[InterfaceName, ...] = Field(min_length=1, examples=[["ens6", "ens7"]])
    """The NICs. None may carry the node's own address."""
    mode: Literal[
        "active-backup", "802.3ad", "balance-rr", "balance-xor", "broadcast", "balance-tlb", "balance-alb"
    ] = "active-backup"
    """How they share the traffic; 802.3ad needs a switch that speaks LACP."""
    mtu: Mtu | None = None
    """MTU of bond and members; unchanged if absent."""

    @property
    def below(self) -> tuple[InterfaceName, ...]:
        """The interfaces that it combines."""
        return self.members


NodeLink = Annotated[VlanLink | BondLink, Field(discriminator="type")]
