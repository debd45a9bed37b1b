"""Networks that are children of a NIC of the node: macvlan, ipvlan, vlan."""

from typing import ClassVar, Literal

from pydantic import Field

from multus_site.model.attachable import Attachable
from multus_site.model.ipam import Addressed, AddressedByIp
from multus_site.model.master import Master, MasterByNode
from multus_site.model.types import Mtu, VlanId


class Link(Attachable):
    """A network whose interfaces hang on a NIC of the node."""

    master: Master
    """NIC of the node."""
    link_in_container: bool = False
    """Whether the master is an interface of the pod, made by an attachment before this one."""

    own_macs: ClassVar[bool] = False
    """Whether pods send with MAC addresses of their own through the NIC."""

    def master_on(self, node: str, groups: tuple[str, ...]) -> str | None:
        """The NIC on a node: its name, `mac …`, `pci …` or `altname …`; None where the node has none."""
        if not isinstance(self.master, MasterByNode):
            return self.master
        if self.master.mac:
            return f"mac {self.master.mac[node]}" if node in self.master.mac else None
        own = next((name for group, name in self.master.groups.items() if group in groups), None)
        return own or self.master.found_by or None


class Macvlan(Link):
    """Children of a NIC of the node, each with a MAC address of its own."""

    type: Literal["macvlan"]
    mode: Literal["bridge", "private", "vepa", "passthru"] = "bridge"
    """Whether pods on one node hear each other: in `bridge` directly, in `vepa` through the switch, in `private` never. `passthru` gives the master to one pod."""
    mtu: Mtu | None = None
    """Not above the master's; the master's if absent."""
    bcqueuelen: int | None = Field(default=None, ge=0, le=2**32 - 1, examples=[1000])
    """Length of the queue of broadcast frames, packets; the kernel's 1000 if absent."""

    takes_mac = True
    own_macs = True


class Ipvlan(Link):
    """Children of a NIC of the node that share its MAC address: where a switch or hypervisor lets no other MAC through."""

    type: Literal["ipvlan"]
    mode: Literal["l2", "l3", "l3s"] = "l2"
    """In `l2` the segment hears the pods; in `l3` and `l3s` the node routes for them, `l3s` through its netfilter."""
    mtu: Mtu | None = None
    """Not above the master's, which the plugin does not check; the master's if absent."""
    ipam: AddressedByIp
    """How pods get their addresses; DHCP cannot tell them apart, since they share a MAC address."""


class Vlan(Link):
    """A VLAN of a NIC of the node, moved into the pod: one pod a node for each VLAN id."""

    type: Literal["vlan"]
    vlan_id: VlanId
    """VLAN id."""
    mtu: Mtu | None = None
    """Not above the master's; the master's if absent."""
    ipam: Addressed
