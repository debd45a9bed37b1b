"""Networks that are children of a NIC of the node: macvlan, ipvlan, vlan."""

from typing import ClassVar, Literal

from pydantic import Field

from model.attachable import Attachable
from model.ipam import Addressed, AddressedByIp, Ipam
from model.types import InterfaceName, Mtu, VlanId


class Macvlan(Attachable):
    """Children of a NIC of the node, each with a MAC address of its own."""

    type: Literal["macvlan"]
    """The plugin macvlan."""
    master: InterfaceName
    """NIC of the node."""
    link_in_container: bool = False
    """Whether the master is an interface of the pod, made by an attachment before this one."""
    mode: Literal["bridge", "private", "vepa", "passthru"] = "bridge"
    """Whether pods on one node hear each other: in `bridge` directly, in `vepa` through the switch, in `private` never. `passthru` gives the master to one pod."""
    mtu: Mtu | None = None
    """Not above the master's; the master's if absent."""
    bcqueuelen: int | None = Field(default=None, ge=0, le=2**32 - 1, examples=[1000])
    """Length of the queue of broadcast frames, packets; the kernel's 1000 if absent."""
    ipam: Ipam
    """How pods get their addresses."""

    takes_mac: ClassVar[bool] = True


class Ipvlan(Attachable):
    """Children of a NIC of the node that share its MAC address: where a switch or hypervisor lets no other MAC through."""

    type: Literal["ipvlan"]
    """The plugin ipvlan."""
    master: InterfaceName
    """NIC of the node."""
    link_in_container: bool = False
    """Whether the master is an interface of the pod, made by an attachment before this one."""
    mode: Literal["l2", "l3", "l3s"] = "l2"
    """In `l2` the segment hears the pods; in `l3` and `l3s` the node routes for them, `l3s` through its netfilter."""
    mtu: Mtu | None = None
    """Not above the master's, which the plugin does not check; the master's if absent."""
    ipam: AddressedByIp
    """How pods get their addresses; DHCP cannot tell them apart, since they share a MAC address."""


class Vlan(Attachable):
    """A VLAN of a NIC of the node, moved into the pod: one pod a node for each VLAN id."""

    type: Literal["vlan"]
    """The plugin vlan."""
    master: InterfaceName
    """NIC of the node that carries the VLAN."""
    link_in_container: bool = False
    """Whether the master is an interface of the pod, made by an attachment before this one."""
    vlan_id: VlanId
    """VLAN id."""
    mtu: Mtu | None = None
    """Not above the master's; the master's if absent."""
    ipam: Addressed
    """How the pod gets its address."""
