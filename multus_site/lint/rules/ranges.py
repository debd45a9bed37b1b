"""Rules on address ranges, each read as its IPAM plugin reads it."""

import ipaddress

from multus_site.cni.addresses import host, hosts_hint, parse_address, parse_block, parse_cidr, usable, whole
from multus_site.cni.go_object import Part
from multus_site.cni.ranges import Range, ranges_of
from multus_site.lint.changes import Replace
from multus_site.lint.finding import Level
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.subjects import Ipam
from multus_site.model.paths import Path

_HOST_LOCAL = "plugins/ipam/host-local/backend/allocator"
_WHEREABOUTS = "whereabouts pkg/config/config.go, pkg/iphelpers"


@rule(
    "BAD_CIDR",
    "error",
    "configuration",
    "An invalid network or address",
    example='{"type": "host-local", "subnet": "10.1.10.0"}',
    source=f"Go net.ParseCIDR and net.ParseIP in {_HOST_LOCAL}/config.go, ipam/static/main.go, {_WHEREABOUTS}",
)
def bad_cidr(ipam: Ipam) -> Problems:
    """The plugin cannot parse it, and the pod does not start. The API server accepts any text."""
    sloppy = ipam.type == "whereabouts"
    for pool in ranges_of(ipam):
        yield from _bad_pool(ipam, pool)
    if ipam.type == "host-local":
        for i, members in enumerate(ipam.entries("ranges")):
            place: Path = (ipam.key("ranges"), i)
            if not isinstance(members, list):
                yield Problem(place, "a range set is a list of ranges", "Add a second pair of brackets: [[{…}]].")
                continue
            for j, member in enumerate(members):
                if not isinstance(member, dict):
                    yield Problem((*place, j), "a range is an object", 'Write {"subnet": "10.1.10.0/24"}.')
    for part in ipam.objects("addresses") if ipam.type in {"static", "whereabouts"} else ():
        if parse_cidr(part.text("address"), sloppy=sloppy) is None:
            text = part.text("address")
            message = f"{text!r} is not an address with a prefix length" if text else "an entry without address"
            yield Problem((*part.path, part.key("address")), message, "Write an address such as 10.1.10.5/24.")
        yield from _bad_address(part, "gateway")
    if ipam.type == "whereabouts":
        yield from _bad_address(Part(ipam.data, ()), "gateway")
    for route in ipam.objects("routes"):
        if parse_cidr(route.text("dst")) is None:
            message = f"{route.get('dst')!r} is not a network" if route.has("dst") else "a route without dst"
            hint = "Write a network such as 10.20.0.0/16, or 0.0.0.0/0 for all."
            yield Problem((*route.path, route.key("dst")), message, hint)
        yield from _bad_address(route, "gw")


def _bad_pool(ipam: Ipam, pool: Range) -> Problems:
    if pool.network is None:
        message = f"{pool.text!r} is not a network" if pool.text else f"a range without {pool.key}"
        yield Problem(pool.key_path(pool.key), message, "Write an address and a prefix length such as 10.1.10.0/24.")
    elif "-" in pool.text and pool.start is None:
        yield Problem(
            pool.key_path(pool.key),
            f"{pool.text.partition('-')[0]!r} is not an address",
            "Write FIRST-LAST/LENGTH such as 10.1.10.200-10.1.10.250/24.",
        )
    for name in (pool.start_key, pool.end_key):
        yield from _bad_address(pool.part, name, sloppy=ipam.type == "whereabouts")
    if ipam.type == "host-local":
        yield from _bad_address(pool.part, "gateway")


def _bad_address(part: Part, name: str, *, sloppy: bool = False) -> Problems:
    value = part.get(name)
    if isinstance(value, str) and value and parse_address(value, sloppy=sloppy) is None:
        form = " without a prefix length" if "/" in value else ""
        hint = f"Write an address{form} such as 10.1.10.1 or fd00::1."
        yield Problem((*part.path, part.key(name)), f"{value!r} is not an IP address", hint)


@rule(
    "HOST_BITS_SET",
    "error",
    "configuration",
    "A subnet with host bits set",
    example='{"type": "host-local", "subnet": "10.1.10.5/24"}',
    source=f"{_HOST_LOCAL}/range.go Canonicalize; kernel fib_table_insert: 'Invalid prefix for given prefix length'",
)
def host_bits_set(ipam: Ipam) -> Problems:
    """host-local and the kernel's IPv4 routes need the network address; whereabouts accepts any address in the network."""
    for pool in ranges_of(ipam) if ipam.type == "host-local" else ():
        if pool.network and pool.base != pool.network.network_address:
            path = pool.key_path(pool.key)
            right = (Replace(path, (str(pool.network),)),)
            yield Problem(path, f"{pool.text} has host bits set", f"Write {pool.network}.", changes=right)
    for route in ipam.objects("routes"):
        cidr = parse_cidr(route.text("dst"))
        if cidr and cidr[1].version == 4 and cidr[0] != cidr[1].network_address:
            path = (*route.path, route.key("dst"))
            yield Problem(
                path,
                f"the route's {route.text('dst')} has host bits set",
                f"Write {cidr[1]}.",
                changes=(Replace(path, (str(cidr[1]),)),),
            )


@rule(
    "SUBNET_TOO_SMALL",
    "error",
    "configuration",
    "A subnet without addresses for pods",
    example='{"type": "host-local", "subnet": "10.1.10.0/31"}',
    source=f"{_HOST_LOCAL}/range.go Canonicalize; whereabouts pkg/iphelpers HasUsableIPs",
)
def subnet_too_small(ipam: Ipam) -> Problems:
    """Two addresses of each network are reserved (network, broadcast): /31 and /32 (IPv6: /127, /128) leave none."""
    for pool in ranges_of(ipam):
        if pool.network and pool.network.num_addresses < 4:
            longest = pool.network.max_prefixlen - 2
            yield Problem(
                pool.key_path(pool.key),
                f"{pool.network} has no assignable address",
                f"Use a prefix length of {longest} or less.",
            )


@rule(
    "RANGE_OUTSIDE_SUBNET",
    "error",
    "configuration",
    "A range that begins or ends outside its network",
    example='{"type": "host-local", "subnet": "10.1.10.0/24", "rangeEnd": "10.1.11.250"}',
    source=f"{_HOST_LOCAL}/range.go Canonicalize; {_WHEREABOUTS} (which ignores range_start and range_end there)",
)
def range_outside_subnet(ipam: Ipam) -> Problems:
    """host-local rejects it; whereabouts ignores the bound and assigns addresses of the whole network."""
    for pool in ranges_of(ipam):
        if pool.network is None:
            continue
        for name, address in ((pool.start_key, pool.start), (pool.end_key, pool.end)):
            if address is not None and not whole(pool.network).contains(address):
                path = pool.key_path(pool.key if "-" in pool.text else name)
                yield Problem(path, f"{address} is outside {pool.network}", f"Use {hosts_hint(pool.network)}.")


@rule(
    "RANGE_REVERSED",
    "error",
    "configuration",
    "A range that ends before it begins",
    example='{"type": "host-local", "subnet": "10.1.10.0/24", "rangeStart": "10.1.10.200", "rangeEnd": "10.1.10.100"}',
    source=f"{_HOST_LOCAL}/range.go (reports it as 'RangeEnd not in network'); {_WHEREABOUTS}",
)
def range_reversed(ipam: Ipam) -> Problems:
    """The first address must not be above the last. A missing bound is the network's first or last host address."""
    for pool in ranges_of(ipam):
        if pool.network is None or pool.network.num_addresses < 4 or (pool.start is None and pool.end is None):
            continue
        inside = usable(pool.network)
        first, last = pool.start or host(inside, inside.first), pool.end or host(inside, inside.last)
        if int(first) <= int(last) or not all(whole(pool.network).contains(a) for a in (first, last)):
            continue
        message = f"the range ends at {last}, before it begins at {first}"
        if "-" in pool.text:
            yield Problem(pool.key_path(pool.key), message, f"Write {last}-{first}/{pool.network.prefixlen}.")
        elif pool.start and pool.end:
            hint = f'Swap the two: "{pool.start_key}": "{last}", "{pool.end_key}": "{first}".'
            yield Problem(pool.key_path(pool.end_key), message, hint)
        elif pool.start:
            yield Problem(pool.key_path(pool.start_key), message, f"Use {hosts_hint(pool.network)}.", "warning")
        elif ipam.type == "host-local":
            yield Problem(pool.key_path(pool.end_key), message, f"Use {hosts_hint(pool.network)}.")


@rule(
    "RANGES_OVERLAP",
    "error",
    "configuration",
    "Two ranges of one network share addresses",
    example='{"type": "host-local", "ranges": [[{"subnet": "10.1.0.0/16"}], [{"subnet": "10.1.10.0/24"}]]}',
    source=f"{_HOST_LOCAL}/range_set.go Canonicalize, config.go",
)
def ranges_overlap(ipam: Ipam) -> Problems:
    """host-local rejects it; whereabouts would assign a pod two addresses of one range."""
    spans = sorted(((span, pool) for pool in ranges_of(ipam) if (span := pool.span)), key=lambda item: item[0])
    furthest: tuple[int, int, Range] | None = None
    for span, pool in spans:
        if furthest and furthest[0] == span.family and span.first <= furthest[1]:
            level: Level | None = None if ipam.type == "host-local" else "warning"
            later = max(pool, furthest[2], key=lambda p: p.part.path)
            earlier = furthest[2] if later is pool else pool
            message = f"the range {later.span} overlaps {earlier.span}"
            yield Problem(later.key_path(later.key), message, "Put each address into one range only.", level)
        if furthest is None or furthest[0] != span.family or span.last > furthest[1]:
            furthest = (span.family, span.last, pool)


@rule(
    "MIXED_FAMILIES",
    "error",
    "configuration",
    "IPv4 and IPv6 in one range set",
    example='{"type": "host-local", "ranges": [[{"subnet": "10.1.10.0/24"}, {"subnet": "fd00::/64"}]]}',
    source=f"{_HOST_LOCAL}/range_set.go Canonicalize",
)
def mixed_families(ipam: Ipam) -> Problems:
    """Each set assigns one address. For both families, write two sets."""
    families: dict[int, int] = {}
    for pool in ranges_of(ipam) if ipam.type == "host-local" else ():
        if pool.network is None or pool.set < 0:
            continue
        if families.setdefault(pool.set, pool.network.version) != pool.network.version:
            message = f"{pool.network} and the first range of its set are of different families"
            yield Problem(pool.key_path(pool.key), message, "Write one set for each family: [[{IPv4}], [{IPv6}]].")


@rule(
    "BAD_EXCLUDE",
    "error",
    "configuration",
    "An exclusion that is invalid or has no effect",
    example='{"type": "whereabouts", "range": "10.1.10.0/24", "exclude": ["10.1.10.1-10.1.10.9"]}',
    source="whereabouts pkg/allocate/allocate.go parseExcludedRange",
)
def bad_exclude(ipam: Ipam) -> Problems:
    """whereabouts accepts networks and single addresses. One outside the range has no effect."""
    for pool in ranges_of(ipam) if ipam.type == "whereabouts" else ():
        for i, item in enumerate(pool.part.entries("exclude")):
            path = (*pool.part.path, pool.part.key("exclude"), i)
            span = parse_block(item, sloppy=True) if isinstance(item, str) else None
            if isinstance(item, str) and span is None:
                blocks = tuple(str(block) for block in _blocks(item))
                hint = f"Write {', '.join(blocks)}." if blocks else "Write one such as 10.1.10.0/28 or 10.1.10.1."
                changes = (Replace(path, blocks),) if blocks else ()
                yield Problem(path, f"{item!r} is neither a network nor an address", hint, changes=changes)
            elif span and pool.network and not whole(pool.network).overlaps(span):
                yield Problem(
                    path,
                    f"{item} is outside {pool.network} and excludes nothing",
                    f"Remove it, or write a part of {pool.network}.",
                    "warning",
                )
        if pool.span and not pool.handed_out:
            yield Problem(
                (*pool.part.path, pool.part.key("exclude")),
                f"no address of {pool.span} is left",
                "Exclude less, or use a larger range.",
            )


def _blocks(item: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """The networks of a range FIRST-LAST, which whereabouts does not read in `exclude`; none if it is no range."""
    first, dash, last = (part.strip() for part in item.partition("-"))
    ends = parse_address(first), parse_address(last)
    if (
        not dash
        or ends[0] is None
        or ends[1] is None
        or ends[0].version != ends[1].version
        or int(ends[0]) > int(ends[1])
    ):
        return []
    return list(ipaddress.summarize_address_range(ends[0], ends[1]))
