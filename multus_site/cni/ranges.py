"""Ranges of addresses that address management assigns: network, first and last address, exclusions.

Each range is read as its plugin reads it (plugins/ipam/host-local/backend/allocator, whereabouts pkg/config and
pkg/iphelpers, plugins/ipam/static). Other address management has no ranges.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from multus_site.cni.addresses import (
    Address,
    Network,
    Span,
    parse_address,
    parse_block,
    parse_cidr,
    single,
    total,
    usable,
    whole,
    without,
)
from multus_site.cni.configuration import Ipam
from multus_site.cni.go_object import Part
from multus_site.model.paths import Path

_KEYS = {
    "host-local": ("subnet", "rangeStart", "rangeEnd"),
    "whereabouts": ("range", "range_start", "range_end"),
    "static": ("address", "address", "address"),
}
"""Plugin → keys of a range's network, first and last address."""


@dataclass(frozen=True, slots=True, eq=False)
class Range:
    """One range as written. Unreadable values are None; `part` and `text` are for messages."""

    ipam: str
    """The plugin; `static` for fixed addresses, including those of whereabouts."""
    part: Part
    """The object with its keys; its path is relative to the ipam."""
    set: int
    """Number of its set; host-local assigns one address of each. -1 for the range beside `type`."""
    text: str
    base: Address | None
    """The address before the prefix length."""
    network: Network | None
    start: Address | None
    end: Address | None
    gateway: Address | None
    """The gateway as written."""
    excluded: tuple[Span, ...] = ()
    """Addresses that pods do not get: `exclude` of whereabouts; the gateway of host-local, by default the first address."""

    @property
    def key(self) -> str:
        """Key of the network."""
        return _KEYS[self.ipam][0]

    @property
    def start_key(self) -> str:
        """Key of the first address."""
        return _KEYS[self.ipam][1]

    @property
    def end_key(self) -> str:
        """Key of the last address."""
        return _KEYS[self.ipam][2]

    def key_path(self, name: str) -> Path:
        """Path of a key of the range, relative to the ipam."""
        return (*self.part.path, self.part.key(name))

    @property
    def span(self) -> Span | None:
        """First to last address, including exclusions; None if the range is invalid or has no address for pods."""
        if self.network is None:
            return None
        if self.ipam == "static":
            return single(self.base) if self.base else None
        if self.network.num_addresses < 4:
            return None
        inside, every = usable(self.network), whole(self.network)
        # whereabouts also skips the last address of an IPv6 network (LastUsableIP)
        last = every.last - 1 if self.ipam == "whereabouts" else inside.last
        found = Span(
            inside.family,
            int(self.start) if self.start is not None else inside.first,
            int(self.end) if self.end is not None else last,
        )
        same = all(a.version == found.family for a in (self.start, self.end) if a is not None)
        return found if same and every.first <= found.first <= found.last <= every.last else None

    @property
    def handed_out(self) -> list[Span]:
        """The addresses that pods can get."""
        span = self.span
        return without(span, self.excluded) if span else []

    @property
    def size(self) -> int:
        """The number of addresses that pods can get."""
        return total(self.handed_out)

    def contains(self, text: str) -> bool:
        """Whether an address is between the first and the last."""
        address, span = parse_address(text), self.span
        return address is not None and span is not None and span.contains(address)


@lru_cache(maxsize=32)
def ranges_of(ipam: Ipam) -> list[Range]:
    """The ranges of host-local and whereabouts, in the order in which the plugin tries them."""
    if ipam.type == "host-local":
        return [_host_local(number, part) for number, part in _sets(ipam) if _is_text(part, "subnet")]
    if ipam.type == "whereabouts":
        gateway = _address(ipam, "gateway", sloppy=True)
        return [_whereabouts(number, part, gateway) for number, part in _pools(ipam) if _is_text(part, "range")]
    return []


def repeats_between_nodes(ipam: Ipam) -> bool:
    """Whether pods on two nodes can get the same address, which conflicts unless their interfaces reach nothing outside the pod.

    host-local records addresses in /var/lib/cni/networks of each node and does not know other nodes.
    """
    return ipam.object_type.remembers == "node" and ipam.interface.reach != "pod" and bool(ranges_of(ipam))


def _is_text(part: Part, key: str) -> bool:
    return not part.has(key) or isinstance(part.get(key), str)


def _sets(ipam: Ipam) -> Iterator[tuple[int, Part]]:
    if ipam.has("subnet"):
        yield -1, Part(ipam.data, ())
    for i, members in enumerate(ipam.entries("ranges")):
        for j, member in enumerate(members if isinstance(members, list) else ()):
            if isinstance(member, dict):
                yield i, Part(member, (ipam.key("ranges"), i, j))


def _pools(ipam: Ipam) -> Iterator[tuple[int, Part]]:
    if ipam.text("range"):
        yield -1, Part(ipam.data, ())
    yield from enumerate(ipam.objects("ipRanges"))


def _host_local(number: int, part: Part) -> Range:
    text = part.text("subnet")
    base, network = parse_cidr(text) or (None, None)
    start, end, gateway = (_address(part, key) for key in ("rangeStart", "rangeEnd", "gateway"))
    own = gateway or (network.network_address + 1 if network and network.num_addresses > 1 else None)
    return Range("host-local", part, number, text, base, network, start, end, gateway, (single(own),) if own else ())


def _whereabouts(number: int, part: Part, gateway: Address | None) -> Range:
    """`range` is ADDRESS/LENGTH or FIRST-LAST/LENGTH; the latter takes precedence over range_start and range_end."""
    text = part.text("range")
    low, dash, rest = text.partition("-")
    base, network = parse_cidr(rest if dash else text, sloppy=True) or (None, None)
    if dash:
        start, end = parse_address(low, sloppy=True), base
    else:
        start, end = (_address(part, key, sloppy=True) for key in ("range_start", "range_end"))
    holes = (parse_block(item, sloppy=True) for item in part.entries("exclude") if isinstance(item, str))
    excluded = tuple(hole for hole in holes if hole)
    own = gateway if gateway and network and gateway.version == network.version else None
    return Range("whereabouts", part, number, text, base, network, start, end, own, excluded)


def _address(part: Part, key: str, *, sloppy: bool = False) -> Address | None:
    return parse_address(part.text(key), sloppy=sloppy)


def fixed_of(ipam: Ipam) -> list[Range]:
    """The readable fixed addresses of static and whereabouts, each as a range of one."""
    if ipam.type not in {"static", "whereabouts"}:
        return []
    found = (
        (part, parse_cidr(part.text("address"), sloppy=ipam.type == "whereabouts"))
        for part in ipam.objects("addresses")
    )
    return [_fixed(part, *cidr) for part, cidr in found if cidr]


def _fixed(part: Part, address: Address, network: Network) -> Range:
    gateway = _address(part, "gateway")
    return Range("static", part, 0, part.text("address"), address, network, address, address, gateway)


def fixed(address: str, gateway: str | None = None) -> Range | None:
    """The range of one address with prefix length; None for anything else."""
    cidr = parse_cidr(address)
    return _fixed(Part({"address": address, "gateway": gateway}, ()), *cidr) if cidr else None


def handed_out(ipam: Ipam) -> list[Span]:
    """Every address that pods can get, including fixed ones."""
    return [span for one in (*ranges_of(ipam), *fixed_of(ipam)) for span in one.handed_out]


def networks(ipam: Ipam) -> list[Network]:
    """The networks of which the pod's interface gets an address."""
    return [one.network for one in (*ranges_of(ipam), *fixed_of(ipam)) if one.network]


def slice_length(ipam: Ipam) -> int | None:
    """Prefix length of each node's slice of a whereabouts range; None without slices or if it is invalid."""
    text = ipam.text("node_slice_size").removeprefix("/") if ipam.type == "whereabouts" else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else None
