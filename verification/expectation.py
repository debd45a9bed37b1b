"""What must be true of each pod, derived from the site alone."""

import ipaddress
from collections.abc import Iterator

from model.base import Part
from model.ipam import HostLocal, Static, Whereabouts
from model.networks import Network, Raw, TypedNetwork
from model.site import Site
from model.sriov import Sriov
from model.workloads import Attachment, Workload, replica_name
from render.addresses import ends


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
    """The expectations of a site, in the order of its workloads; replicas with addresses of their own are one each."""
    found = []
    for name, workload in site.workloads.items():
        if workload.sticky:
            found += [_workload(site, replica_name(name, i), workload, i, 1) for i in range(workload.replicas)]
        else:
            pods = len(site.nodes_of(workload)) if workload.kind == "DaemonSet" else workload.replicas
            found.append(_workload(site, name, workload, 0, pods))
    return found


def _workload(site: Site, name: str, workload: Workload, replica: int, pods: int) -> ExpectedWorkload:
    seen = [(interface, a, site.networks[a.name]) for interface, a in workload.interfaces()]
    interfaces = tuple(_interface(i, a, n, replica) for i, a, n in seen if not _user_space(n))
    return ExpectedWorkload(name=name, namespace=workload.namespace, replicas=pods, interfaces=interfaces)


def _user_space(network: Network) -> bool:
    """Whether a program in the pod drives the device, so that no interface can be seen."""
    return isinstance(network, Sriov) and network.driver == "vfio-pci"


def _interface(interface: str, attachment: Attachment, network: Network, replica: int) -> ExpectedInterface:
    full_name = f"{network.namespace}/{attachment.name}"
    if isinstance(network, Raw):
        return ExpectedInterface(interface=interface, network=full_name)
    asked = attachment.ips or (attachment.ips_by_replica[replica] if attachment.ips_by_replica else ())
    ranges = tuple(_fixed(network, asked)) if asked else tuple(_ranges(network))
    return ExpectedInterface(interface=interface, network=full_name, ranges=ranges, mtu=getattr(network, "mtu", None))


def _ranges(network: TypedNetwork) -> Iterator[ExpectedRange]:
    ipam = network.ipam
    if isinstance(ipam, HostLocal):
        for r in ipam.ranges:
            net = ipaddress.ip_network(r.subnet)
            last = net.broadcast_address - 1 if net.version == 4 else net.broadcast_address
            start, end = r.range_start or str(net.network_address + 1), r.range_end or str(last)
            yield ExpectedRange(subnet=r.subnet, start=start, end=end, gateway=_asked(network, r.gateway))
    elif isinstance(ipam, Whereabouts):
        for entry in ipam.all_ranges():
            first, last = ends(entry.range)
            subnet = ipaddress.ip_interface(entry.range.rpartition("-")[2]).network
            gateway = _asked(network, entry.gateway)
            yield ExpectedRange(subnet=str(subnet), start=str(first), end=str(last), gateway=gateway)
    elif isinstance(ipam, Static):
        for fixed in ipam.addresses:
            own = ipaddress.ip_interface(fixed.address)
            gateway = _asked(network, fixed.gateway)
            yield ExpectedRange(subnet=str(own.network), start=str(own.ip), end=str(own.ip), gateway=gateway)


def _fixed(network: TypedNetwork, asked: tuple[str, ...]) -> Iterator[ExpectedRange]:
    ipam = network.ipam
    known = ipam.gateways if isinstance(ipam, Static) else ()
    if isinstance(ipam, HostLocal):
        known = tuple(r.gateway for r in ipam.ranges if r.gateway)
    for address in asked:
        own = ipaddress.ip_interface(address)
        gateway = next((g for g in known if ipaddress.ip_address(g) in own.network), None)
        shown = _asked(network, gateway)
        yield ExpectedRange(subnet=str(own.network), start=str(own.ip), end=str(own.ip), gateway=shown)


def _asked(network: TypedNetwork, gateway: str | None) -> str | None:
    """The gateway that must answer; nobody can where the interface leads nowhere or no program drives it."""
    return None if network.type in {"dummy", "tap"} else gateway
