"""The address plan of a site: which pods can get which addresses, which are taken, and how full each range is. Pure: no I/O."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from multus_site.cni import configuration
from multus_site.cni.addresses import Span, merged, parse_address, single
from multus_site.cni.ranges import handed_out
from multus_site.model.ipam import HostLocal, Static, Whereabouts
from multus_site.model.networks import Raw
from multus_site.model.node_ranges import ranges_of_node
from multus_site.model.site import Site
from multus_site.model.workloads import replica_name
from multus_site.render.attachment import config_of, configs_by_node
from multus_site.render.network import network_facts


@dataclass(frozen=True, order=True)
class Taken:
    """An address of a running pod. Network and pod are namespace/name."""

    network: str
    address: str
    pod: str
    node: str
    ours: bool = False
    """Whether the pod belongs to this site, which recreates it when its network changes."""


@dataclass(frozen=True, order=True)
class Reserved:
    """An address that host-local holds on a node, whether a pod has it or not. Network is namespace/name."""

    network: str
    address: str
    node: str


@dataclass(frozen=True)
class Line:
    """One range, or the fixed addresses of a network. `size` and `asked` count addresses; `who` names the pods that can hold them."""

    network: str
    ipam: str
    range: str
    gateway: str
    size: int
    asked: int
    who: tuple[str, ...]
    taken: tuple[Taken, ...] = ()
    reserved: tuple[Reserved, ...] = ()
    spans: tuple[Span, ...] = field(default=(), repr=False)

    @property
    def full(self) -> float:
        """The part of the range that is taken or reserved, 0 to 1."""
        used = {t.address for t in self.taken} | {one.address for one in self.reserved}
        return len(used) / self.size if self.size else 0.0

    def holds(self, one: Taken | Reserved) -> bool:
        """Whether an address is from this range."""
        address = parse_address(one.address) if one.network == self.network else None
        return address is not None and any(span.contains(address) for span in self.spans)

    def row(self) -> dict[str, Any]:
        """The line as data."""
        data = {key: value for key, value in asdict(self).items() if key not in {"spans", "who", "taken", "reserved"}}
        return {
            **data,
            "who": list(self.who),
            "taken": [asdict(t) for t in self.taken],
            "reserved": [{"address": one.address, "node": one.node} for one in self.reserved],
            "full": round(self.full, 4),
        }


def plan(site: Site, live: Iterable[Taken] = (), reserved: Iterable[Reserved] = ()) -> list[Line]:
    """The plan: a line for each range and each network with fixed addresses, in the order of the site."""
    seen, held = sorted(set(live)), sorted(set(reserved))
    lines = (line for name in site.networks for line in _lines(site, name))
    return [
        replace(line, taken=tuple(filter(line.holds, seen)), reserved=tuple(filter(line.holds, held))) for line in lines
    ]


def outside(site: Site, live: Iterable[Taken]) -> list[Taken]:
    """Running pods' addresses outside the ranges of their network. Networks with DHCP and raw networks are left out."""
    lines = [line for name in site.networks for line in _lines(site, name)]
    known = {line.network for line in lines if line.ipam != "dhcp"}
    return sorted({t for t in live if t.network in known and not any(line.holds(t) for line in lines)})


def addresses_of(site: Site, name: str) -> list[Span]:
    """Every address that pods can get on a network, including those that workloads ask for: sorted, without duplicates."""
    differs = site.differs_by_node(site.networks[name])
    configs = configs_by_node(site, name).values() if differs else (config_of(site, name),)
    found = [span for config in configs for ipam in configuration.read(config).addresses for span in handed_out(ipam)]
    attachments = (a for workload in site.workloads.values() for a in workload.networks if a.name == name)
    asked = (ip for a in attachments for ips in (a.ips, *a.ips_by_replica) for ip in ips)
    return merged([*found, *_singles(ip.partition("/")[0] for ip in asked)])


def _lines(site: Site, name: str) -> Iterator[Line]:
    network = site.networks[name]
    if isinstance(network, Raw):
        return
    full_name = f"{network.namespace}/{name}"
    fixed = dict(_fixed(site, name))
    pods = sum(count for _, count in _pods(site, name))
    anyone = tuple(f"{who} ({count} pods)" for who, count in _pods(site, name))
    ipam = network.ipam
    if isinstance(ipam, (Whereabouts, HostLocal)):
        for i, one in enumerate(network_facts(name, network).ranges):
            split = isinstance(ipam, HostLocal) and ipam.addresses_per_node is not None
            who = (*anyone, *_by_node(site, name, i)) if split else anyone
            spans, gateway = tuple(one.handed_out), str(one.gateway or "")
            yield Line(full_name, ipam.type, str(one.span), gateway, one.size, pods, who, spans=spans)
    elif isinstance(ipam, Static):
        own = (
            {"the network's only pod": [a.address.partition("/")[0] for a in ipam.addresses]} if ipam.addresses else {}
        )
        named = {**own, **fixed}
        addresses = [address for held in named.values() for address in held]
        spans = tuple(_singles(addresses))
        who = tuple(f"{holder}: {', '.join(held)}" for holder, held in named.items())
        gateways = ", ".join(ipam.gateways or filter(None, (a.gateway for a in ipam.addresses)))
        yield Line(full_name, ipam.type, "each pod's own", gateways, len(spans), len(spans), who, spans=spans)
    elif ipam.type == "dhcp":
        yield Line(full_name, "dhcp", "the DHCP server's", "", 0, pods, anyone)


def _pods(site: Site, name: str) -> Iterator[tuple[str, int]]:
    """Workloads on the network that request no address, and how many addresses of each range they need."""
    for key, workload in site.workloads.items():
        used = sum(a.name == name and not a.ips and not a.ips_by_replica for a in workload.networks)
        pods = len(site.nodes_of(workload)) if workload.kind == "DaemonSet" else workload.replicas
        if used:
            yield key, used * pods


def _fixed(site: Site, name: str) -> Iterator[tuple[str, list[str]]]:
    """Pods that request addresses on the network."""
    for key, workload in site.workloads.items():
        for attachment in workload.networks:
            if attachment.name != name:
                continue
            if attachment.ips:
                yield key, [ip.partition("/")[0] for ip in attachment.ips]
            for i, ips in enumerate(attachment.ips_by_replica[: workload.replicas]):
                yield replica_name(key, i), [ip.partition("/")[0] for ip in ips]


def _by_node(site: Site, name: str, index: int) -> Iterator[str]:
    """Each node's part of a split range."""
    network = site.networks[name]
    for node in site.nodes_with(network):
        ipam = getattr(network, "ipam", None)
        if isinstance(ipam, HostLocal):
            own = ranges_of_node(ipam, site.nodes.hosts[node]).ranges[index]
            yield f"{node}: {own.range_start}-{own.range_end}"


def _singles(addresses: Iterable[str]) -> Iterator[Span]:
    return (single(address) for address in map(parse_address, addresses) if address)
