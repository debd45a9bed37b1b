"""SR-IOV: virtual functions of NICs, the networks that use them, and who creates them and hands them out."""

from typing import Literal, Self

from pydantic import Field, model_validator

from multus_site.model.attachable import Attachable
from multus_site.model.ipam import NoAddresses
from multus_site.model.part import Part
from multus_site.model.racks import Placed
from multus_site.model.types import BareVersion, InterfaceName, Namespace, PoolName, ResourceName


class Sriov(Attachable):
    """A virtual function of a NIC, moved into the pod (sriov-cni)."""

    type: Literal["sriov"]
    resource_name: ResourceName
    """Resource that the device plugin offers the functions as; pods ask for one for each attachment."""
    driver: Literal["netdevice", "vfio-pci"] = "netdevice"
    """`vfio-pci` hands the function to a DPDK program: the pod gets no interface and no address."""
    vlan: int | None = Field(default=None, ge=0, le=4094, examples=[110])
    """VLAN that the NIC tags; 0 for none."""
    vlan_qos: int | None = Field(default=None, ge=0, le=7, alias="vlanQoS", examples=[5])
    """Priority in the VLAN tag."""
    vlan_proto: Literal["802.1q", "802.1ad"] | None = None
    """Standard of the tag; 802.1q if absent."""
    spoofchk: Literal["on", "off"] | None = None
    """Whether the NIC drops frames with a source MAC address other than the function's."""
    trust: Literal["on", "off"] | None = None
    """Whether the pod may change its MAC address and be promiscuous."""
    link_state: Literal["auto", "enable", "disable"] | None = None
    """Link that the function sees; the NIC's own in `auto`."""
    min_tx_rate: int | None = Field(default=None, ge=0, examples=[100])
    """Guaranteed Mbit/s; 0 for no guarantee."""
    max_tx_rate: int | None = Field(default=None, ge=0, examples=[1000])
    """Maximum Mbit/s; 0 for no limit."""

    takes_mac = True

    @property
    def has_interface(self) -> bool:
        """Whether the kernel drives the function."""
        return self.driver != "vfio-pci"

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


class SriovPool(Placed):
    """Functions that are handed out as one resource."""

    resource_name: ResourceName
    """Resource that pods ask for; networks of type sriov name the same one."""
    pf_names: tuple[InterfaceName, ...] = Field(min_length=1, examples=[["ens1f0"]])
    """NICs (physical functions), by name."""
    num_vfs: int = Field(ge=1, le=256, examples=[8])
    """Functions created on each NIC, at each boot."""
    driver: Literal["netdevice", "vfio-pci"] = "netdevice"
    """`vfio-pci` for DPDK programs, which drive the function themselves."""


class SriovSetup(Part):
    """Who creates virtual functions and hands them out."""

    manager: Literal["device-plugin", "operator"] = "device-plugin"
    """`device-plugin`: functions by a systemd unit on each node, handed out by the SR-IOV network device plugin, which is installed. `operator`: by an existing SR-IOV network operator, through its policies."""
    version: BareVersion = Field(default="3.11.0", examples=["3.11.0"])
    """Release of the device plugin."""
    operator_namespace: Namespace = Field(
        default="sriov-network-operator", examples=["openshift-sriov-network-operator"]
    )
    """Namespace of the operator."""
    pools: dict[PoolName, SriovPool] = Field(min_length=1)
    """The functions by name."""
