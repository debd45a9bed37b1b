"""Virtual functions of a site's SR-IOV NICs: how many, whose they are, as which resource they are handed out."""

from typing import Literal

from pydantic import Field

from multus_site.model.base import Part
from multus_site.model.types import BareVersion, InterfaceName, NodeName, ObjectName, ResourceName


class SriovPool(Part):
    """Functions that are handed out as one resource."""

    resource_name: ResourceName
    """Resource that pods ask for; networks of type sriov name the same one."""
    pf_names: tuple[InterfaceName, ...] = Field(min_length=1, examples=[["ens1f0"]])
    """NICs (physical functions), by name."""
    num_vfs: int = Field(ge=1, le=256, examples=[8])
    """Functions made of each NIC, at each boot."""
    driver: Literal["netdevice", "vfio-pci"] = "netdevice"
    """`vfio-pci` for DPDK programs, which drive the function themselves."""
    nodes: tuple[NodeName, ...] = ()
    """Nodes that have the NICs; all workers if empty."""
    racks: tuple[ObjectName, ...] = Field(default=(), examples=[["c1"]])
    """The same by rack: all workers in these racks."""


class SriovSetup(Part):
    """Who makes virtual functions and hands them out."""

    manager: Literal["device-plugin", "operator"] = "device-plugin"
    """`device-plugin`: functions by a systemd unit on each node, handed out by the SR-IOV network device plugin, which is installed. `operator`: by an SR-IOV network operator that is there already, through its policies."""
    version: BareVersion = Field(default="3.11.0", examples=["3.11.0"])
    """Release of the device plugin."""
    operator_namespace: ObjectName = Field(
        default="sriov-network-operator", examples=["openshift-sriov-network-operator"]
    )
    """Namespace of the operator."""
    pools: dict[ObjectName, SriovPool] = Field(min_length=1)
    """The functions by name."""
