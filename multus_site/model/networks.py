"""Networks that pods attach to: one class for each type, and the segments that they are on."""

import json
from collections.abc import Iterator
from itertools import islice
from math import isfinite
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from multus_site.model.addresses import AddressRange, IpAddress
from multus_site.model.attachable import NamespacedNetwork
from multus_site.model.links import Ipvlan, Macvlan, Vlan
from multus_site.model.node_interfaces import Bridge, Dummy, HostDevice, Ptp, Tap
from multus_site.model.part import Mistake, Part, refuse
from multus_site.model.paths import Path
from multus_site.model.sriov import Sriov
from multus_site.model.types import ObjectName, VlanId

RESOURCE = "k8s.v1.cni.cncf.io/resourceName"
"""Annotation of a NetworkAttachmentDefinition: the device resource that its pods must ask for."""


_DEEPEST = 50
"""Levels of a raw configuration; a YAML alias can make one that contains itself."""


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
        """Refuse what JSON cannot express, such as .inf, .nan and dates."""
        try:
            json.dumps(config, sort_keys=True, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            refuse(islice(_check_json(config, ()), 1))
        return config

    @property
    def device_resource(self) -> str | None:
        """The device resource that a pod must ask for."""
        return self.annotations.get(RESOURCE)


def _check_json(value: object, path: Path) -> Iterator[Mistake]:
    """What keeps Python from writing a value as JSON."""
    if len(path) > _DEEPEST:
        yield Mistake(path[:1], f"the configuration is nested more than {_DEEPEST} levels deep")
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from _check_json(key, path)
            yield from _check_json(entry, (*path, str(key)))
        if len({isinstance(key, str) for key in value}) > 1:
            yield _not_json(next(key for key in value if not isinstance(key, str)), path)
    elif isinstance(value, list):
        for i, entry in enumerate(value):
            yield from _check_json(entry, (*path, i))
    elif not isinstance(value, str | int | float | None) or (isinstance(value, float) and not isfinite(value)):
        yield _not_json(value, path)


def _not_json(value: object, path: Path) -> Mistake:
    right = "write text, plain numbers, true, false, null, lists and mappings with text as keys"
    return Mistake(path, f"the configuration is not JSON: {value} is not a JSON value; {right}")


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
