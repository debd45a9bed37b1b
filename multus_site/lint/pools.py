"""The ranges of an address management, read once for all rules: what is handed out, from which network, to which gateway."""

from dataclasses import dataclass, field
from functools import lru_cache

from multus_site.cni.go_addresses import Address, Network, Span, parse_address, parse_cidr, usable, whole, without
from multus_site.lint.subjects import Ipam, Part
from multus_site.model.positions import Data, Path


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """One range as it is written. What cannot be read is None; texts and paths are there for messages."""

    path: Path
    """Of the object that holds the keys, relative to the ipam."""
    part: Part
    key: str
    """Key of the network: `subnet` or `range`."""
    start_key: str
    end_key: str
    set: int
    """host-local gives one address out of each set."""
    text: str
    base: Address | None = None
    network: Network | None = None
    start: Address | None = None
    end: Address | None = None
    excluded: list[Span] = field(default_factory=list)

    @property
    def span(self) -> Span | None:
        """The addresses handed out, exclusions not yet taken away; None if the range is broken."""
        if self.network is None or self.network.num_addresses < 4:
            return None
        inside = usable(self.network)
        first = int(self.start) if self.start is not None else inside.first
        last = int(self.end) if self.end is not None else inside.last
        families = {a.version for a in (self.start, self.end) if a is not None}
        all_of_it = whole(self.network)
        if families - {inside.family} or not all_of_it.first <= first <= last <= all_of_it.last:
            return None
        return Span(inside.family, first, last)

    @property
    def handed_out(self) -> list[Span]:
        """The addresses that pods can get."""
        span = self.span
        return without(span, self.excluded) if span else []

    def key_path(self, name: str) -> Path:
        """Path of a key of the range."""
        return (*self.path, self.part.key(name))


@lru_cache(maxsize=32)
def pools_of(ipam: Ipam) -> list[Pool]:
    """The ranges of host-local and whereabouts, in the order in which they are tried."""
    if ipam.type == "host-local":
        return [
            pool
            for number, path, part in _host_local(ipam)
            if (pool := _pool(part, path, number, "subnet", "rangeStart", "rangeEnd"))
        ]
    if ipam.type == "whereabouts":
        return [
            pool
            for number, path, part in _whereabouts(ipam)
            if (pool := _pool(part, path, number, "range", "range_start", "range_end"))
        ]
    return []


def _host_local(ipam: Ipam) -> list[tuple[int, Path, Part]]:
    found: list[tuple[int, Path, Part]] = [(-1, (), ipam)] if ipam.has("subnet") else []
    for i, members in enumerate(ipam.entries("ranges")):
        for j, member in enumerate(members if isinstance(members, list) else ()):
            if isinstance(member, dict):
                found.append((i, (ipam.key("ranges"), i, j), Part(member, (), ipam.facts)))
    return found


def _whereabouts(ipam: Ipam) -> list[tuple[int, Path, Part]]:
    found: list[tuple[int, Path, Part]] = [(-1, (), ipam)] if ipam.text("range") else []
    for i, member in enumerate(ipam.entries("ipRanges")):
        if isinstance(member, dict):
            found.append((i, (ipam.key("ipRanges"), i), Part(member, (), ipam.facts)))
    return found


def _pool(part: Part, path: Path, number: int, key: str, start_key: str, end_key: str) -> Pool | None:
    sloppy = key == "range"
    text = part.text(key)
    if part.has(key) and not isinstance(part.get(key), str):
        return None
    low, dash, rest = text.partition("-") if sloppy else ("", "", text)
    cidr = parse_cidr(rest if dash or not sloppy else text, sloppy=sloppy)
    start, end = (_address(part.get(name), sloppy=sloppy) for name in (start_key, end_key))
    if dash:
        start, end = parse_address(low, sloppy=True), cidr[0] if cidr else None
    excluded = [span for item in part.entries("exclude") if (span := exclusion(item))] if sloppy else []
    base, network = cidr or (None, None)
    return Pool(path, part, key, start_key, end_key, number, text, base, network, start, end, excluded)


def _address(value: Data, *, sloppy: bool) -> Address | None:
    return parse_address(value, sloppy=sloppy) if isinstance(value, str) else None


def exclusion(value: Data) -> Span | None:
    """The addresses that an entry of whereabouts' `exclude` takes out: a network, or one address."""
    if not isinstance(value, str):
        return None
    if cidr := parse_cidr(value, sloppy=True):
        return whole(cidr[1])
    address = parse_address(value)
    return Span(address.version, int(address), int(address)) if address else None


def static_addresses(ipam: Ipam) -> list[tuple[Path, Address, Network, Address | None]]:
    """Fixed addresses: path of the entry, address, its network, its gateway."""
    found: list[tuple[Path, Address, Network, Address | None]] = []
    if ipam.type not in {"static", "whereabouts"}:
        return found
    for i, item in enumerate(ipam.entries("addresses")):
        part = Part(item, (), ipam.facts) if isinstance(item, dict) else None
        if part and (cidr := parse_cidr(part.text("address"), sloppy=ipam.type == "whereabouts")):
            found.append(((ipam.key("addresses"), i), *cidr, parse_address(part.text("gateway"))))
    return found


def handed_out(ipam: Ipam) -> list[Span]:
    """Every address that pods can get, fixed ones included; host-local never gives out the gateway."""
    spans = [span for pool in pools_of(ipam) for span in spans_of(ipam, pool)]
    return spans + [Span(address.version, int(address), int(address)) for _, address, _, _ in static_addresses(ipam)]


def spans_of(ipam: Ipam, pool: Pool) -> list[Span]:
    """What pods can get of one range: host-local leaves the gateway out by itself."""
    if ipam.type != "host-local" or pool.network is None:
        return pool.handed_out
    gateway = parse_address(pool.part.text("gateway"))
    taken = int(gateway) if gateway else int(pool.network.network_address) + 1
    hole = Span(pool.network.version, taken, taken)
    return [left for span in pool.handed_out for left in without(span, [hole])]


def networks(ipam: Ipam) -> list[Network]:
    """The networks that the pod's interface gets an address of."""
    return [pool.network for pool in pools_of(ipam) if pool.network] + [
        network for _, _, network, _ in static_addresses(ipam)
    ]
