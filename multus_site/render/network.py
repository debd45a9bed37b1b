"""What a network's CNI configuration says, in the terms of the field: type, uplink, VLAN, MTU, addresses. Read from the rendered configuration, so that raw networks are understood too."""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from multus_site.model.ipam import HostLocal, Static, Whereabouts
from multus_site.model.networks import Network, Raw, TypedNetwork
from multus_site.model.node_ranges import range_bounds
from multus_site.render.addresses import ends
from multus_site.render.attachment import nad_config

_UPLINK_KEYS = ("master", "device", "hwaddr", "pciBusID", "kernelpath")
"""Where plugins name what they take from the node (containernetworking/plugins, main/)."""

_LAYER_2 = {"macvlan", "ipvlan", "vlan", "bridge", "sriov", "host-device"}
"""Plugins whose pods can be on one segment with pods of other nodes."""


@dataclass(frozen=True)
class AddressRange:
    """Addresses that pods may get, first and last, and the subnet that they are of."""

    subnet: str
    start: str
    end: str
    gateway: str | None = None
    exclude: tuple[str, ...] = ()
    """Networks and single addresses that are not handed out."""

    def holds(self, address: str) -> bool:
        """Whether an address is inside the range."""
        ip, first = ipaddress.ip_address(address), ipaddress.ip_address(self.start)
        return ip.version == first.version and int(first) <= int(ip) <= int(ipaddress.ip_address(self.end))

    @property
    def size(self) -> int:
        """How many addresses; the gateway is not among them."""
        every = int(ipaddress.ip_address(self.end)) - int(ipaddress.ip_address(self.start)) + 1
        return every - (1 if self.gateway and self.holds(self.gateway) else 0)

    def handed_out(self) -> list[tuple[str, str]]:
        """First and last address of each part that is left of the range without what it excludes."""
        first = ipaddress.ip_address(self.start)
        parts = [(int(first), int(ipaddress.ip_address(self.end)))]
        for text in self.exclude:
            hole = ipaddress.ip_network(text, strict=False)
            if hole.version == first.version:
                low, high = int(hole.network_address), int(hole.broadcast_address)
                sides = [side for a, b in parts for side in ((a, min(b, low - 1)), (max(a, high + 1), b))]
                parts = [(a, b) for a, b in sides if a <= b]
        kind = type(first)
        return [(str(kind(a)), str(kind(b))) for a, b in parts]


@dataclass(frozen=True)
class NetworkFacts:
    """One network of a site. `uplink`: NIC of the node, or the bridge there; empty where the pod's end leads nowhere else."""

    name: str
    namespace: str
    type: str
    mode: str
    uplink: str
    segment: str | None
    vlan: int | None
    mtu: int | None
    ipam: str
    ranges: tuple[AddressRange, ...]
    chained: tuple[str, ...]
    uplink_by_node: bool = False
    """Whether `uplink` only stands for NICs that are called otherwise on each node."""

    @property
    def full_name(self) -> str:
        """Namespace and name, as network-status has them."""
        return f"{self.namespace}/{self.name}"

    @property
    def between_nodes(self) -> bool:
        """Whether pods on different nodes share a segment: it has an uplink, or several nodes' ends of one kind."""
        return bool(self.uplink) and self.type in _LAYER_2 - {"bridge"}


def network_facts(name: str, network: Network) -> NetworkFacts:
    """What is known of a network."""
    config = nad_config(name, network)
    plugins = [p for p in config.get("plugins") or [config] if isinstance(p, Mapping)] or [{}]
    first = plugins[0]
    ipam = first.get("ipam")
    ipam = ipam if isinstance(ipam, Mapping) else {}
    by_node = isinstance(first.get("master"), Mapping)
    uplink = f"{name}'s" if by_node else next((str(first[key]) for key in _UPLINK_KEYS if first.get(key)), "")
    if first.get("type") == "bridge":
        uplink = str(first.get("bridge") or "cni0")
    uplink = uplink or network.device_resource or ""
    mtus = [mtu for plugin in plugins if (mtu := _number(plugin.get("mtu")))]
    return NetworkFacts(
        name=name,
        namespace=network.namespace,
        type=str(first.get("type") or "none"),
        mode=str(first.get("mode") or ""),
        uplink=uplink,
        segment=network.segment,
        vlan=_number(first.get("vlanId") or first.get("vlan")),
        mtu=mtus[-1] if mtus else None,
        ipam=str(ipam.get("type") or "none"),
        ranges=tuple(_ranges(ipam) if isinstance(network, Raw) else _typed_ranges(network)),
        chained=tuple(str(p.get("type")) for p in plugins[1:]),
        uplink_by_node=by_node,
    )


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and value else None


def _typed_ranges(network: TypedNetwork) -> Iterator[AddressRange]:
    """The ranges of a typed network, with the gateways that must answer: none can where the interface leads nowhere."""
    ipam, silent = network.ipam, network.type in {"dummy", "tap"}
    if isinstance(ipam, HostLocal):
        for entry in ipam.ranges:
            first, last = range_bounds(entry)
            yield AddressRange(entry.subnet, str(first), str(last), None if silent else entry.gateway)
    elif isinstance(ipam, Whereabouts):
        for pool in ipam.all_ranges():
            first, last = ends(pool.range)
            subnet = ipaddress.ip_interface(pool.range.rpartition("-")[2]).network
            yield AddressRange(str(subnet), str(first), str(last), None if silent else pool.gateway, pool.exclude)
    elif isinstance(ipam, Static):
        for fixed in ipam.addresses:
            own = ipaddress.ip_interface(fixed.address)
            yield AddressRange(str(own.network), str(own.ip), str(own.ip), None if silent else fixed.gateway)


def _ranges(ipam: Mapping[str, Any]) -> Iterator[AddressRange]:
    """The ranges of host-local, whereabouts and static; what cannot be read is the linter's to tell."""
    kind = ipam.get("type")
    if kind == "host-local":
        sets = [*([[ipam]] if ipam.get("subnet") else []), *(ipam.get("ranges") or [])]
        entries = [
            (e.get("subnet"), e.get("rangeStart"), e.get("rangeEnd"), e.get("gateway"), None) for s in sets for e in s
        ]
    elif kind == "whereabouts":
        alone = [ipam] if ipam.get("range") else []
        entries = [
            (
                e.get("range"),
                e.get("range_start"),
                e.get("range_end"),
                e.get("gateway") or ipam.get("gateway"),
                e.get("exclude"),
            )
            for e in [*alone, *(ipam.get("ipRanges") or [])]
        ]
    elif kind == "static":
        fixed = [(str(e.get("address", "")), e.get("gateway")) for e in ipam.get("addresses") or []]
        entries = [(text, own := text.partition("/")[0], own, gateway, None) for text, gateway in fixed]
    else:
        return
    for text, start, end, gateway, exclude in entries:
        try:
            found = _range(str(text), start, end, gateway)
        except ValueError:
            continue
        yield replace(found, exclude=tuple(_excluded(exclude)))


def _excluded(exclude: object) -> Iterator[str]:
    for text in exclude if isinstance(exclude, list) else []:
        try:
            yield str(ipaddress.ip_network(str(text), strict=False))
        except ValueError:
            continue


def _range(text: str, start: str | None, end: str | None, gateway: str | None) -> AddressRange:
    """`text` is a CIDR, or whereabouts' `first-last/length`. Raises ValueError where it is neither."""
    if "-" in text:
        first, _, rest = text.partition("-")
        last, _, length = rest.partition("/")
        start, end, text = start or first.strip(), end or last.strip(), f"{first.strip()}/{length}"
    net = ipaddress.ip_network(text, strict=False)
    last_usable = net.broadcast_address - 1 if net.version == 4 and net.num_addresses > 2 else net.broadcast_address
    first_usable = net.network_address + (1 if net.num_addresses > 2 else 0)
    return AddressRange(
        str(net),
        str(ipaddress.ip_address(start or str(first_usable))),
        str(ipaddress.ip_address(end or str(last_usable))),
        gateway,
    )
