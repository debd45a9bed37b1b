"""Who may get which address at a site, what is taken of it, and how full each range is. Pure: no cluster, no files."""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from multus_site.model.ipam import HostLocal, Static, Whereabouts
from multus_site.model.networks import Raw
from multus_site.model.node_ranges import range_bounds, ranges_of_node
from multus_site.model.site import Site
from multus_site.model.workloads import replica_name
from multus_site.render.addresses import ends

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, order=True)
class Taken:
    """An address that a live pod has: network and pod as namespace/name."""

    network: str
    address: str
    pod: str
    node: str
    ours: bool = False
    """Whether the site made the pod, and makes it anew when its network changes."""


@dataclass(frozen=True)
class Span:
    """Addresses from first to last, both included, less what is not handed out."""

    first: Address
    last: Address
    holes: tuple[tuple[int, int], ...] = ()

    def __contains__(self, address: str) -> bool:
        ip = ipaddress.ip_address(address)
        inside = ip.version == self.first.version and int(self.first) <= int(ip) <= int(self.last)
        return inside and not any(low <= int(ip) <= high for low, high in self.holes)

    @property
    def size(self) -> int:
        """How many addresses pods can get."""
        lost: set[int] = set()
        count = int(self.last) - int(self.first) + 1
        for low, high in self.holes:
            low, high = max(low, int(self.first)), min(high, int(self.last))
            if high - low > 1_000_000:
                count -= high - low + 1
            else:
                lost.update(range(low, high + 1))
        return count - len(lost)

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


@dataclass(frozen=True)
class Line:
    """One range, or the fixed addresses of a network. `size` and `asked` count addresses; `who` says whose they may be."""

    network: str
    ipam: str
    range: str
    gateway: str
    size: int
    asked: int
    who: tuple[str, ...]
    taken: tuple[Taken, ...] = ()
    spans: tuple[Span, ...] = field(default=(), repr=False)

    @property
    def full(self) -> float:
        """Part of the range that is taken, 0 to 1."""
        return len({t.address for t in self.taken}) / self.size if self.size else 0.0

    def row(self) -> dict[str, Any]:
        """The line as data."""
        data = {key: value for key, value in asdict(self).items() if key not in {"spans", "who", "taken"}}
        return {**data, "who": list(self.who), "taken": [asdict(t) for t in self.taken], "full": round(self.full, 4)}


def plan(site: Site, live: Iterable[Taken] = ()) -> list[Line]:
    """A line for each range and each network with fixed addresses, in the order of the site."""
    seen = sorted(set(live))
    lines = [line for name in site.networks for line in _lines(site, name)]
    found = []
    for line in lines:
        taken = tuple(t for t in seen if t.network == line.network and any(t.address in span for span in line.spans))
        found.append(Line(**{**vars(line), "taken": taken}))
    return found


def outside(site: Site, live: Iterable[Taken]) -> list[Taken]:
    """Live addresses on the site's networks that no range of theirs holds; DHCP's and raw networks' are not known here."""
    lines = [line for name in site.networks for line in _lines(site, name)]
    known = {line.network for line in lines if line.ipam != "dhcp"}
    return sorted(
        {
            t
            for t in live
            if t.network in known
            and not any(t.address in span for line in lines if line.network == t.network for span in line.spans)
        }
    )


def _lines(site: Site, name: str) -> Iterator[Line]:
    network = site.networks[name]
    if isinstance(network, Raw):
        return
    full_name = f"{network.namespace}/{name}"
    fixed = dict(_fixed(site, name))
    pods = sum(count for _, count in _pods(site, name))
    anyone = tuple(f"{who} ({count} pods)" for who, count in _pods(site, name))
    ipam = network.ipam
    if isinstance(ipam, Whereabouts):
        for entry in ipam.all_ranges():
            span = Span(*ends(entry.range), holes=tuple(_holes((*entry.exclude, *filter(None, (entry.gateway,))))))
            yield Line(full_name, ipam.type, str(span), entry.gateway or "", span.size, pods, anyone, spans=(span,))
    elif isinstance(ipam, HostLocal):
        for i, pool in enumerate(ipam.ranges):
            gateway = pool.gateway or str(ipaddress.ip_network(pool.subnet).network_address + 1)
            span = Span(*range_bounds(pool), holes=tuple(_holes((gateway,))))
            who = anyone if ipam.addresses_per_node is None else (*anyone, *_by_node(site, name, i))
            yield Line(full_name, ipam.type, str(span), pool.gateway or "", span.size, pods, who, spans=(span,))
    elif isinstance(ipam, Static):
        own = (
            {"the network's only pod": [a.address.partition("/")[0] for a in ipam.addresses]} if ipam.addresses else {}
        )
        named = {**own, **fixed}
        addresses = [address for held in named.values() for address in held]
        spans = tuple(Span(ip, ip) for ip in map(ipaddress.ip_address, addresses))
        who = tuple(f"{holder}: {', '.join(held)}" for holder, held in named.items())
        gateways = ", ".join(ipam.gateways or filter(None, (a.gateway for a in ipam.addresses)))
        yield Line(full_name, ipam.type, "each pod's own", gateways, len(spans), len(spans), who, spans=spans)
    elif ipam.type == "dhcp":
        yield Line(full_name, "dhcp", "the DHCP server's", "", 0, pods, anyone)


def _pods(site: Site, name: str) -> Iterator[tuple[str, int]]:
    """Workloads on the network that take what they are given, and how many addresses of each range they need."""
    for key, workload in site.workloads.items():
        used = sum(a.name == name and not a.ips and not a.ips_by_replica for a in workload.networks)
        pods = len(site.nodes_of(workload)) if workload.kind == "DaemonSet" else workload.replicas
        if used:
            yield key, used * pods


def _fixed(site: Site, name: str) -> Iterator[tuple[str, list[str]]]:
    """Pods that ask for addresses of their own on the network."""
    for key, workload in site.workloads.items():
        for attachment in workload.networks:
            if attachment.name != name:
                continue
            if attachment.ips:
                yield key, [ip.partition("/")[0] for ip in attachment.ips]
            for i, ips in enumerate(attachment.ips_by_replica[: workload.replicas]):
                yield replica_name(key, i), [ip.partition("/")[0] for ip in ips]


def _by_node(site: Site, name: str, index: int) -> Iterator[str]:
    """Each node's part of a range that is split."""
    network = site.networks[name]
    for node in site.nodes_with(network):
        ipam = getattr(network, "ipam", None)
        if isinstance(ipam, HostLocal):
            own = ranges_of_node(ipam, site.nodes.hosts[node]).ranges[index]
            yield f"{node}: {own.range_start}-{own.range_end}"


def _holes(texts: Iterable[str]) -> Iterator[tuple[int, int]]:
    for text in texts:
        network = ipaddress.ip_network(text)
        yield int(network.network_address), int(network.broadcast_address)
