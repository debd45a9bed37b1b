"""Networks that pods attach to: one class for each type, and the segments that they are on."""

import json
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from multus_site.model.addresses import AddressRange, IpAddress
from multus_site.model.attachable import NamespacedNetwork
from multus_site.model.links import Ipvlan, Macvlan, Vlan
from multus_site.model.node_interfaces import Bridge, Dummy, HostDevice, Ptp, Tap
from multus_site.model.part import Part
from multus_site.model.sriov import Sriov
from multus_site.model.types import ObjectName, VlanId

RESOURCE = "k8s.v1.cni.cncf.io/resourceName"
"""Annotation of a NetworkAttachmentDefinition: the device resource that its pods must ask for."""


class Raw(NamespacedNetwork):
    """A CNI configuration given word for word; linted, and otherwise left as it is."""

    type: Literal["raw"]
    """Any plugin, configured word for word."""
    config: dict[str, Any] = Field(examples=[{"cniVersion": "1.0.0", "name": "lan", "type": "bridge", "ipam": {}}])
    """The NetworkAttachmentDefinition's `spec.config`."""
    annotations: dict[str, str] = Field(default={}, examples=[{"k8s.v1.cni.cncf.io/resourceName": "intel.com/sriov"}])
    """Annotations of the NetworkAttachmentDefinition, such as k8s.v1.cni.cncf.io/resourceName."""

    @field_validator("config")
    @classmethod
    def _is_json(cls, config: dict[str, Any]) -> dict[str, Any]:
        """It becomes text of JSON, in which there is no .inf and no .nan, and of Python's values only those of JSON."""
        try:
            json.dumps(config, sort_keys=True, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            msg = f"the configuration is not JSON: {error}; write text, plain numbers, true, false, lists and mappings"
            raise ValueError(msg) from None
        return config

    @property
    def device_resource(self) -> str | None:
        """The device resource that a pod must ask for."""
        return self.annotations.get(RESOURCE)


class Segment(Part):
    """An L2 segment. Stacks that name the same one are checked together: addresses, VLAN id, virtual addresses."""

    vlan: VlanId | None = None
    """VLAN id on the wire; every site that names the segment must have the same."""
    vips: dict[ObjectName, IpAddress] = Field(default={}, examples=[{"router": "10.1.10.2"}])
    """Addresses on the segment that somebody holds already, by name: routers, VRRP, services. No pod may get them."""
    reserved: dict[ObjectName, AddressRange] = Field(default={}, examples=[{"dhcp": "10.1.10.100-10.1.10.149"}])
    """Addresses on the segment that others hand out or hold, by name, each a range or one address. No pod may get them."""


TypedNetwork = Macvlan | Ipvlan | Vlan | Bridge | HostDevice | Ptp | Tap | Dummy | Sriov

Network = Annotated[TypedNetwork | Raw, Field(discriminator="type")]
