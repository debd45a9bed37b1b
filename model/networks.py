"""Networks that pods attach to, by plugin type, and how their addresses are managed."""

from typing import Annotated, Any, Literal

from pydantic import Field

from model.base import Part
from model.types import AddressRange, Cidr, CniVersion, InterfaceName, IpAddress, Mtu, ObjectName, VlanId


class Route(Part):
    """A route that the pod gets through the attachment."""

    dst: Cidr
    """Network that it leads to."""
    gw: IpAddress | None = None
    """Next hop; the range's gateway if absent."""


class Range(Part):
    """A range of addresses of one subnet (containernetworking/plugins: plugins/ipam/host-local)."""

    subnet: Cidr
    """Network that the addresses belong to."""
    range_start: IpAddress | None = None
    """First address handed out; the subnet's first if absent."""
    range_end: IpAddress | None = None
    """Last address handed out; the subnet's last if absent."""
    gateway: IpAddress | None = None
    """Never handed out, and pinged by the verification."""


class HostLocal(Part):
    """Addresses remembered on the node itself: right where one node serves the network, wrong where several do."""

    type: Literal["host-local"]
    """The plugin host-local."""
    ranges: tuple[Range, ...] = Field(min_length=1)
    """One address is given out of each: two ranges for dual stack."""
    routes: tuple[Route, ...] = ()
    """Routes that pods get through this network."""


class NoAddresses(Part):
    """Layer 2 only: the pod's interface gets no address."""

    type: Literal["none"]
    """No address management."""


Ipam = Annotated[HostLocal | NoAddresses, Field(discriminator="type")]


class Macvlan(Part):
    """Children of a NIC of the node, each with a MAC address of its own."""

    type: Literal["macvlan"]
    """The plugin macvlan."""
    master: InterfaceName
    """NIC of the node."""
    mode: Literal["bridge", "private", "vepa", "passthru"] = "bridge"
    """Whether pods on one node hear each other: in `bridge` directly, in `vepa` through the switch, in `private` never."""
    mtu: Mtu | None = None
    """Not above the master's; the master's if absent."""
    cni_version: CniVersion = "1.0.0"
    """Version of the CNI specification that the plugin is called with."""
    namespace: ObjectName = Field(default="default", examples=["telecom"])
    """Namespace of the NetworkAttachmentDefinition; its workloads are in the same one."""
    segment: ObjectName | None = Field(default=None, examples=["core"])
    """L2 segment that the master is on, one of `segments`."""
    ipam: Ipam
    """How pods get their addresses."""


class Raw(Part):
    """A CNI configuration given word for word; linted, and otherwise left as it is."""

    type: Literal["raw"]
    """Any plugin, configured word for word."""
    config: dict[str, Any] = Field(examples=[{"cniVersion": "1.0.0", "name": "lan", "type": "bridge", "ipam": {}}])
    """The NetworkAttachmentDefinition's `spec.config`."""
    namespace: ObjectName = Field(default="default", examples=["telecom"])
    """Namespace of the NetworkAttachmentDefinition; its workloads are in the same one."""
    annotations: dict[str, str] = Field(default={}, examples=[{"k8s.v1.cni.cncf.io/resourceName": "intel.com/sriov"}])
    """Annotations of the NetworkAttachmentDefinition, such as k8s.v1.cni.cncf.io/resourceName."""
    segment: ObjectName | None = Field(default=None, examples=["core"])
    """L2 segment that it is on, one of `segments`."""


class Segment(Part):
    """An L2 segment. Stacks that name the same one are checked together: addresses, VLAN id, virtual addresses."""

    vlan: VlanId | None = None
    """VLAN id on the wire; every site that names the segment must have the same."""
    vips: dict[ObjectName, IpAddress] = Field(default={}, examples=[{"router": "10.1.10.2"}])
    """Addresses on the segment that somebody holds already, by name: routers, VRRP, services. No pod may get them."""
    reserved: dict[ObjectName, AddressRange] = Field(default={}, examples=[{"dhcp": "10.1.10.100-10.1.10.149"}])
    """Addresses on the segment that others hand out or hold, by name, each a range or one address. No pod may get them."""


Network = Annotated[Macvlan | Raw, Field(discriminator="type")]
