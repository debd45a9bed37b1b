"""SR-IOV networks: virtual functions of a NIC, handed out by a device plugin as a resource."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from multus_site.model.attachable import Attachable
from multus_site.model.ipam import Ipam, NoAddresses
from multus_site.model.types import ResourceName


class Sriov(Attachable):
    """A virtual function of a NIC, moved into the pod (sriov-cni)."""

    type: Literal["sriov"]
    """The plugin sriov."""
    resource_name: ResourceName
    """Resource that the device plugin offers the functions as; pods ask for one for each attachment."""
    driver: Literal["netdevice", "vfio-pci"] = "netdevice"
    """`vfio-pci` hands the function to a DPDK program: no interface is in the pod, and no address is given."""
    vlan: int | None = Field(default=None, ge=0, le=4094, examples=[110])
    """VLAN that the NIC tags; 0 for none."""
    vlan_qos: int | None = Field(default=None, ge=0, le=7, alias="vlanQoS", examples=[5])
    """Priority in the VLAN tag."""
    vlan_proto: Literal["802.1q", "802.1ad"] | None = None
    """Tag of which standard; 802.1q if absent."""
    spoofchk: Literal["on", "off"] | None = None
    """Whether the NIC drops frames from other MAC addresses than the function's."""
    trust: Literal["on", "off"] | None = None
    """Whether the pod may change its MAC address and be promiscuous."""
    link_state: Literal["auto", "enable", "disable"] | None = None
    """Link that the function sees; the NIC's own in `auto`."""
    min_tx_rate: int | None = Field(default=None, ge=0, examples=[100])
    """Mbit/s that it is granted; 0 for no promise."""
    max_tx_rate: int | None = Field(default=None, ge=0, examples=[1000])
    """Mbit/s at most; 0 for no limit."""
    ipam: Ipam
    """How the pod gets its address."""

    takes_mac: ClassVar[bool] = True

    @property
    def device_resource(self) -> str | None:
        """The resource that it is handed out as."""
        return self.resource_name

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        if self.driver == "vfio-pci" and not isinstance(self.ipam, NoAddresses):
            msg = "a function under vfio-pci has no interface that could get an address; write ipam: {type: none}"
            raise ValueError(msg)
        if not self.vlan and (self.vlan_qos or self.vlan_proto == "802.1ad"):
            key = "vlanQoS" if self.vlan_qos else "vlanProto"
            msg = f"{key} without a VLAN: it is a field of the tag; give vlan, 1 to 4094"
            raise ValueError(msg)
        if self.min_tx_rate and self.max_tx_rate and self.min_tx_rate > self.max_tx_rate:
            msg = f"minTxRate {self.min_tx_rate} is above maxTxRate {self.max_tx_rate}; exchange them (Mbit/s)"
            raise ValueError(msg)
        return self
