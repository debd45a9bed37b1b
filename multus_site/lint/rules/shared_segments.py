"""Rules on networks that share a NIC or an L2 segment of a node."""

from multus_site.cni.addresses import Span
from multus_site.cni.ranges import fixed_of, handed_out, ranges_of
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.subjects import Config, Everything, Ipam, Plugin


@rule(
    "MACVLAN_IPVLAN_SAME_MASTER",
    "error",
    "together",
    "macvlan and ipvlan on one master",
    example="one NAD {type: macvlan, master: eth1}, another {type: ipvlan, master: eth1}",
    source="kernel: both register the master's receive handler; the second gets 'device or resource busy'",
)
def macvlan_ipvlan_same_master(everything: Everything) -> Problems:
    """An interface has either macvlan children or ipvlan children."""
    seen: dict[str, dict[str, Config]] = {}
    for config in everything.configs:
        for plugin in config.plugins:
            nic = plugin.traits.nic
            if nic is None or not nic.takes_frames or plugin.master is None:
                continue
            kinds = seen.setdefault(plugin.known_master, {})
            kind, other = next(((k, c) for k, c in kinds.items() if k != plugin.type), ("", None))
            if other is not None and not _same_object(other, config):
                name = plugin.known_master or "the default route's interface"
                path = (plugin.key("master"),) if plugin.has("master") else ()
                message = f"{plugin.type} on {name}, which has {kind} children ({other.title})"
                yield Problem(path, message, "Use one of the two for all networks of this interface.", subject=plugin)
            kinds.setdefault(plugin.type, config)


@rule(
    "NADS_OVERLAP",
    "warning",
    "together",
    "Two networks of one segment share addresses",
    example='two NADs on master eth1 with "range": "10.1.10.0/24"',
    source="whereabouts doc/extended-configuration.md network_name; RFC 5227",
)
def nads_overlap(everything: Everything) -> Problems:
    """Both assign the same addresses to pods on one segment. whereabouts keeps one pool for equal ranges; a `network_name` separates pools, so it belongs to separate segments only."""
    segments: dict[tuple[object, ...], list[tuple[Span, Plugin]]] = {}
    for config in everything.configs:
        for plugin in config.plugins:
            ipam = plugin.ipam
            if ipam and (key := segment(plugin)):
                segments.setdefault(key, []).extend((span, plugin) for span in handed_out(ipam))
    for spans in segments.values():
        yield from _overlaps(sorted(spans, key=lambda item: item[0]))


def _overlaps(spans: list[tuple[Span, Plugin]]) -> Problems:
    """Overlaps of sorted spans: of each, with the one before it that reaches furthest, or the furthest of another pool."""
    reach: list[tuple[Span, Plugin]] = []
    reported: set[int] = set()
    for span, plugin in spans:
        other = next((r for r in reach if r[0].overlaps(span) and not _one_pool(r[1], plugin)), None)
        if other and id(plugin) not in reported:
            reported.add(id(plugin))
            shared = Span(span.family, max(span.first, other[0].first), min(span.last, other[0].last))
            names = [part.ipam.text("network_name") if part.ipam else "" for part in (plugin, other[1])]
            apart = " with another network_name" if names[0] != names[1] else ""
            message = f"{shared} is also assigned by {other[1].config.title}, on the same segment{apart}"
            hint = "Give each network its own range, or exclude that of the other."
            # Of host-local in a site, nothing outside can keep the two apart.
            certain = plugin.config.in_site and plugin.ipam and plugin.ipam.object_type.remembers == "node"
            yield Problem((), message, hint, "error" if certain else None, subject=plugin.ipam)
        furthest = sorted([*reach, (span, plugin)], key=lambda r: (r[0].family, r[0].last), reverse=True)
        reach = [furthest[0], *[r for r in furthest[1:] if not _one_pool(r[1], furthest[0][1])][:1]]


def _one_pool(one: Plugin, other: Plugin) -> bool:
    """Whether each address is assigned to one of them only: copies of an object, or ranges that whereabouts keeps in one pool."""
    if _same_object(one.config, other.config):
        return True
    pools = [_pools(plugin.ipam) for plugin in (one, other) if plugin.ipam]
    return len(pools) == 2 and pools[0] == pools[1] != frozenset()


def _pools(ipam: Ipam) -> frozenset[tuple[str, str]]:
    """The IPPools of whereabouts: one for each network_name and range; empty for other address management."""
    if ipam.object_type.remembers != "cluster" or fixed_of(ipam):
        return frozenset()
    return frozenset((ipam.text("network_name"), str(one.network)) for one in ranges_of(ipam))


def _same_object(one: Config, other: Config) -> bool:
    """Whether two configurations are one object in the cluster: the same, or of NADs with one name (copies in two files)."""
    return one is other or (one.nad is not None and other.nad is not None and one.nad.full_name == other.nad.full_name)


def segment(plugin: Plugin) -> tuple[object, ...] | None:
    """A key that identifies the plugin's L2 segment on a node; None if other networks cannot share it."""
    traits = plugin.traits
    if plugin.master is not None:
        return ("link", plugin.known_master, plugin.vlan)
    if traits.bridge:
        return ("bridge", plugin.text(traits.bridge) or traits.defaults.get(traits.bridge), plugin.vlan)
    if traits.device == "required" and plugin.config.nad and plugin.config.nad.resource:
        return (plugin.type, plugin.config.nad.resource, plugin.vlan)
    return None
