"""Networks that are created on the node or use one of its devices: bridge, ptp, tap, dummy, host-device."""

from typing import Literal, Self

from pydantic import Field, model_validator

from multus_site.model.addresses import MacAddress
from multus_site.model.attachable import Attachable
from multus_site.model.chained import Backend
from multus_site.model.ipam import AddressedByIp, NoAddresses
from multus_site.model.part import ExactlyOne, Part
from multus_site.model.types import InterfaceName, Mtu, PciAddress, ResourceName, VlanId


class Trunk(Part):
    """VLANs that a bridge's port carries tagged: one id, or all from minID to maxID."""

    id: VlanId | None = None
    """One VLAN."""
    min_id: VlanId | None = Field(default=None, alias="minID")
    """First of several."""
    max_id: VlanId | None = Field(default=None, alias="maxID")
    """Last of several."""

    @model_validator(mode="after")
    def _one_or_several(self) -> Self:
        if (self.min_id is None) != (self.max_id is None):
            msg = (
                f"a trunk's range has {'maxID' if self.min_id is None else 'minID'} alone; give minID and maxID, or id"
            )
            raise ValueError(msg)
        if self.id is None and self.min_id is None:
            msg = "a trunk without a VLAN; give id, or minID and maxID"
            raise ValueError(msg)
        if self.min_id is not None and self.max_id is not None and self.min_id > self.max_id:
            msg = f"minID {self.min_id} is above maxID {self.max_id}; exchange them"
            raise ValueError(msg)
        return self


class Bridge(Attachable):
    """A port of a bridge of the node. The bridge is each node's own: it spans nodes only where it has an uplink."""

    type: Literal["bridge"]
    bridge: InterfaceName = Field(default="cni0", examples=["br-telecom"])
    """The bridge; created if it does not exist."""
    is_gateway: bool | None = None
    """Give the bridge the gateway's address."""
    is_default_gateway: bool | None = None
    """The same, and make it the pod's default route."""
    force_address: bool | None = None
    """Change the bridge's address if it has another one."""
    ip_masq: bool | None = None
    """Hide pods behind the node's address."""
    ip_masq_backend: Backend | None = None
    """What masquerades."""
    mtu: Mtu | None = None
    """Of bridge and pod; the kernel's if absent."""
    hairpin_mode: bool | None = None
    """Send a frame back out of the port that it arrived on."""
    promisc_mode: bool | None = None
    """Set the bridge promiscuous; not together with hairpinMode."""
    vlan: VlanId | None = None
    """VLAN of untagged frames of the port."""
    vlan_trunk: tuple[Trunk, ...] = ()
    """VLANs that the port carries tagged."""
    preserve_default_vlan: bool | None = None
    """Keep VLAN 1 on the port too."""
    macspoofchk: bool | None = None
    """Let through only frames from the pod's own MAC address (needs nftables)."""
    enabledad: bool | None = None
    """Wait for duplicate address detection of IPv6 addresses."""
    disable_container_interface: bool | None = None
    """Leave the pod's interface down, for programs that take it over; without addresses."""
    port_isolation: bool | None = None
    """Isolate the pods of one bridge from each other."""

    makes_veth = True
    takes_mac = True

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        if self.hairpin_mode and self.promisc_mode:
            msg = "hairpinMode and promiscMode exclude each other; keep one of them"
            raise ValueError(msg)
        if self.disable_container_interface and not isinstance(self.ipam, NoAddresses):
            msg = "disableContainerInterface leaves the interface without addresses; write ipam: {type: none}"
            raise ValueError(msg)
        return self


class Ptp(Attachable):
    """A veth pair between pod and node, which routes: no segment is shared."""

    type: Literal["ptp"]
    ip_masq: bool | None = None
    """Hide pods behind the node's address."""
    ip_masq_backend: Backend | None = None
    """What masquerades."""
    mtu: Mtu | None = None
    """Of both ends; the kernel's if absent."""
    ipam: AddressedByIp

    makes_veth = True


class Tap(Attachable):
    """A tap device in the pod, for virtual machines and user-space stacks. Set its MTU with tuning: the plugin accepts one and ignores it."""

    type: Literal["tap"]
    multi_queue: bool | None = None
    """Several queues, one for each processor that reads."""
    owner: int | None = Field(default=None, ge=0, examples=[1000])
    """User id that may open it."""
    group: int | None = Field(default=None, ge=0, examples=[1000])
    """Group id that may open it."""
    selinux_context: str | None = Field(default=None, examples=["system_u:system_r:container_t:s0"])
    """SELinux context of the device."""
    bridge: InterfaceName | None = None
    """Bridge inside the pod that it becomes a port of."""

    takes_mac = True


class Dummy(Attachable):
    """An interface without a link, for addresses that a routing daemon in the pod announces."""

    type: Literal["dummy"]
    ipam: AddressedByIp


class HostDevice(ExactlyOne, Attachable):
    """A NIC of the node, moved into the pod: one pod a node. Named in one of four ways, or handed out by a device plugin."""

    type: Literal["host-device"]
    device: InterfaceName | None = None
    """The NIC by its name."""
    hwaddr: MacAddress | None = None
    """The NIC by its MAC address."""
    kernelpath: str | None = Field(
        default=None, pattern="^/sys/devices/", examples=["/sys/devices/pci0000:00/0000:00:1f.6"]
    )
    """The NIC by its path in sysfs."""
    pci_bus_id: PciAddress | None = Field(default=None, alias="pciBusID")
    """The NIC by its PCI address."""
    resource_name: ResourceName | None = None
    """A device of this resource, which a device plugin hands out: VFs in virtual machines."""

    @property
    def device_resource(self) -> str | None:
        """The resource that it is handed out as."""
        return self.resource_name

    one_of = ("device", "hwaddr", "kernelpath", "pci_bus_id", "resource_name")
