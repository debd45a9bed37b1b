"""What must be true of each pod, derived from the site alone."""

import ipaddress
from collections.abc import Iterator

from model.base import Part
from model.networks import HostLocal, Macvlan
from model.site import Site


class ExpectedRange(Part):
    """One range: each pod holds exactly one address out of it."""

    subnet: str
    start: str
    end: str
    gateway: str | None = None

    def holds(self, address: str) -> bool:
        """Whether an address is inside the range."""
        ip = ipaddress.ip_address(address)
        start, end = ipaddress.ip_address(self.start), ipaddress.ip_address(self.end)
        return ip.version == start.version and int(start) <= int(ip) <= int(end)

    @property
    def prefix(self) -> int:
        """Prefix length of the address on the interface."""
        return ipaddress.ip_network(self.subnet).prefixlen


class ExpectedInterface(Part):
    """One attachment."""

    interface: str
    network: str
    """Namespace and name, as network-status has them."""
    ranges: tuple[ExpectedRange, ...] = ()
    mtu: int | None = None
    """Bytes; None: whatever the master has."""


class ExpectedWorkload(Part):
    """The pods of one workload."""

    name: str
    namespace: str
    replicas: int
    interfaces: tuple[ExpectedInterface, ...]


def expected(site: Site) -> list[ExpectedWorkload]:
    """The expectations of a site, in the order of its workloads."""
    return [
        ExpectedWorkload(
            name=name,
            namespace=workload.namespace,
            replicas=workload.replicas,
            interfaces=tuple(_interface(site, interface, a.name) for interface, a in workload.interfaces()),
        )
        for name, workload in site.workloads.items()
    ]


def _interface(site: Site, interface: str, network_name: str) -> ExpectedInterface:
    network = site.networks[network_name]
    full_name = f"{network.namespace}/{network_name}"
    if not isinstance(network, Macvlan):
        return ExpectedInterface(interface=interface, network=full_name)
    ranges = tuple(_ranges(network.ipam)) if isinstance(network.ipam, HostLocal) else ()
    return ExpectedInterface(interface=interface, network=full_name, ranges=ranges, mtu=network.mtu)


def _ranges(ipam: HostLocal) -> Iterator[ExpectedRange]:
    for r in ipam.ranges:
        net = ipaddress.ip_network(r.subnet)
        last = net.broadcast_address - 1 if net.version == 4 else net.broadcast_address
        yield ExpectedRange(
            subnet=r.subnet,
            start=r.range_start or str(net.network_address + 1),
            end=r.range_end or str(last),
            gateway=r.gateway,
        )
