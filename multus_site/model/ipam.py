"""How pods of a network get their addresses: one class for each address management, by `type`."""

import ipaddress
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from multus_site.model.addresses import AddressPool, Cidr, CidrOrAddress, InterfaceAddress, IpAddress
from multus_site.model.part import Mistake, Part, Plugin, refuse
from multus_site.model.types import ObjectName


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


class HostLocal(Plugin):
    """Addresses remembered on the node itself: for networks on one node, or with a part of the range for each node."""

    type: Literal["host-local"]
    ranges: tuple[Range, ...] = Field(min_length=1)
    """A pod gets one address from each: two ranges for dual stack."""
    addresses_per_node: int | None = Field(default=None, ge=1, le=65536, examples=[16])
    """Split each range by node into parts of so many addresses. A node's part depends only on its own address (or its `slice`), so that it stays when other nodes come and go."""
    routes: tuple[Route, ...] = ()
    """Routes that pods get through this network."""


class IpRange(Part):
    """A further range of whereabouts; each pod gets one address from each."""

    range: AddressPool
    """A network, or the first and last address with its prefix length."""
    exclude: tuple[CidrOrAddress, ...] = ()
    """Networks and addresses of the range that are not handed out."""
    gateway: IpAddress | None = None
    """Never handed out, and pinged by the verification."""


class Whereabouts(Plugin, IpRange):
    """Addresses remembered in the cluster (whereabouts): for networks whose pods on several nodes share a range."""

    type: Literal["whereabouts"]
    """The plugin; its daemon is installed where a network uses it."""
    ip_ranges: tuple[IpRange, ...] = ()
    """Further ranges, for dual stack."""
    routes: tuple[Route, ...] = ()
    """Routes that pods get through this network."""
    network_name: ObjectName | None = Field(default=None, examples=["tenant-a"])
    """Keeps equal ranges apart: networks of one name share their addresses, those of two names do not."""

    @model_validator(mode="after")
    def _gateways_inside(self) -> "Whereabouts":
        refuse(self._check_gateways())
        return self

    def _check_gateways(self) -> Iterator[Mistake]:
        for i, entry in enumerate(self.all_ranges()):
            if entry.gateway is not None and not _inside(entry.gateway, entry.range):
                path = ("ipRanges", i - 1, "gateway") if i else ("gateway",)
                message = f"{entry.gateway} is not in the network of {entry.range}; give it one of that network, and each range its own"
                yield Mistake(path, message)

    def all_ranges(self) -> Iterator[IpRange]:
        """The first range and the further ones, alike."""
        yield self
        yield from self.ip_ranges


class StaticAddress(Part):
    """A fixed address of the network's only pod."""

    address: InterfaceAddress
    """Address and prefix length."""
    gateway: IpAddress | None = None
    """Next hop of routes without one, and pinged by the verification."""


class Static(Plugin):
    """Fixed addresses: the network's own for its only pod, or each pod's, given where it is attached (`ips`, `ipsByReplica`)."""

    type: Literal["static"]
    addresses: tuple[StaticAddress, ...] = ()
    """Addresses of the network's only pod; if empty, attachments have them."""
    gateways: tuple[IpAddress, ...] = Field(default=(), examples=[["10.1.10.1"]])
    """Routers of the segment: no pod may have their addresses, and the verification pings them."""
    routes: tuple[Route, ...] = ()
    """Routes that pods get through this network."""


class Dhcp(Plugin):
    """Addresses of a DHCP server of the segment, requested by the plugins' DHCP daemon, which is installed if a network needs it."""

    type: Literal["dhcp"]


class NoAddresses(Plugin):
    """Layer 2 only: the pod's interface gets no address."""

    type: Literal["none"]
    """No address management."""


Addressed = Annotated[HostLocal | Whereabouts | Static | Dhcp, Field(discriminator="type")]
"""For plugins that require addresses."""

AddressedByIp = Annotated[HostLocal | Whereabouts | Static, Field(discriminator="type")]
"""For plugins whose interfaces share a MAC address, by which a DHCP server tells its clients apart."""

Ipam = Annotated[HostLocal | Whereabouts | Static | Dhcp | NoAddresses, Field(discriminator="type")]
"""Every address management."""

AnyIpam = HostLocal | Whereabouts | Static | Dhcp | NoAddresses


def _inside(address: str, pool: str) -> bool:
    network = ipaddress.ip_interface(pool.rpartition("-")[2]).network
    return ipaddress.ip_address(address) in network
