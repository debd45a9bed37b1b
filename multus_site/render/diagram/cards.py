"""The content of a site's diagram: cards for nodes, segments, networks and workloads, and links between them.

Four columns, left to right: nodes → segments → networks → workloads. Sites with many nodes have a card per rack or role.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from multus_site.cni.ranges import Range
from multus_site.model.site import Site
from multus_site.render.diagram import fixed, nics
from multus_site.render.network import NetworkFacts, network_facts

SINGLE_NODES = 6
"""Up to this many nodes, each has its own card."""
NAMED_NODES = 24
"""Up to this many nodes of a group are listed by name; more are shown as a range."""
NAMED_PODS = 6
"""Up to this many pods of a workload are listed."""
CELLS = 2
"""Nodes of a group per row."""


@dataclass(frozen=True)
class Row:
    """A row of a card: text on the left and a note on the right, or cells of equal width. Links end at `port`."""

    text: str = ""
    note: str = ""
    cells: tuple[str, ...] = ()
    port: str = ""


@dataclass(frozen=True)
class Card:
    """A box. `colour`: number of its segment, None without one. `group`: title of the frame around it."""

    id: str
    column: str
    title: str
    subtitle: str
    rows: tuple[Row, ...] = ()
    colour: int | None = None
    group: str = ""


@dataclass(frozen=True)
class Link:
    """A line between rows of two cards, each end as (card, port)."""

    tail: tuple[str, str]
    head: tuple[str, str]
    colour: int | None
    label: str
    """Its meaning, for screen readers and tooltips."""


@dataclass(frozen=True)
class Diagram:
    """The diagram; cards are in the order of the site file."""

    title: str
    description: str
    cards: tuple[Card, ...]
    links: tuple[Link, ...]


@dataclass(frozen=True)
class PodInterface:
    """An interface of a running pod."""

    workload: str
    pod: str
    node: str
    interface: str
    addresses: tuple[str, ...] = ()


@dataclass
class _Segment:
    """An L2 segment: one of the site's `segments`, or whatever is behind an uplink."""

    key: str
    title: str
    subtitle: str
    vlan: int | None
    networks: list[NetworkFacts] = field(default_factory=list)


def diagram(site: Site, live: Sequence[PodInterface] = ()) -> Diagram:
    """The diagram of a site; `live` adds the addresses of running pods."""
    facts = [network_facts(name, network) for name, network in site.networks.items()]
    segments = _segments(site, facts)
    colours = {segment.key: i for i, segment in enumerate(segments)}
    segment_of = {n.name: segment for segment in segments for n in segment.networks}
    cards: list[Card] = []
    links: list[Link] = []
    for card, card_links in _nodes(site, segments, colours):
        cards.append(card)
        links += card_links
    for segment in segments:
        cards.append(_segment_card(site, segment, colours[segment.key]))
    for n in facts:
        segment = segment_of[n.name]
        colour = colours[segment.key]
        cards.append(_network_card(n, colour))
        links.append(
            Link(
                (f"segment-{segment.key}", "title"),
                (f"network-{n.name}", "title"),
                colour,
                f"network {n.name} is on {segment.title}",
            )
        )
    for name, workload in site.workloads.items():
        pods = [p for p in live if p.workload == name]
        cards.append(_workload_card(site, name, pods))
        for interface, attachment in workload.interfaces():
            colour = colours[segment_of[attachment.name].key]
            links.append(
                Link(
                    (f"network-{attachment.name}", "title"),
                    (f"workload-{name}", interface),
                    colour,
                    f"{interface} of workload {name} is on network {attachment.name}",
                )
            )
    workers = len(site.with_role("worker"))
    description = (
        f"{counted(len(site.nodes.hosts), 'node')} ({workers} for pods), {counted(len(segments), 'segment')}, "
        f"{counted(len(facts), 'network')}, {counted(len(site.workloads), 'workload')}."
    )
    return Diagram(f"Network of {site.name}", description, tuple(cards), tuple(links))


def _segments(site: Site, facts: Iterable[NetworkFacts]) -> list[_Segment]:
    """Segments in the order of the networks that name them."""
    found: dict[str, _Segment] = {}
    behind = nics.plugged(site)
    for n in facts:
        if n.segment is not None:
            named = site.segments[n.segment]
            made = _Segment(n.segment, n.segment, "segment", named.vlan or n.vlan)
        elif not n.uplink:
            made = _Segment(f"own-{n.name}", "inside the node", f"{n.type}, no segment", None)
        elif n.plugin.bridge:
            made = _Segment(f"{n.uplink}-{n.vlan or 0}", n.uplink, "bridge on each node", n.vlan)
        else:
            title = f"segment of {n.name}" if n.uplink_by_node else f"behind {' '.join(nics.below(site, n.uplink)[:1])}"
            made = _Segment(
                f"{n.uplink}-{n.vlan or 0}", behind.get(n.uplink, title), "segment", n.vlan or site.tag_of(n.uplink)
            )
        found.setdefault(made.key, made).networks.append(n)
    return list(found.values())


def _nodes(site: Site, segments: Sequence[_Segment], colours: dict[str, int]) -> Iterator[tuple[Card, list[Link]]]:
    groups: dict[str, list[str]] = {}
    racks = any(host.rack for host in site.nodes.hosts.values())
    for name, host in site.nodes.hosts.items():
        kind = "control plane" if "control-plane" in host.roles else "workers"
        group = _rack(site, name) if racks else kind
        groups.setdefault(group, []).append(name)
    single = len(site.nodes.hosts) <= SINGLE_NODES
    for group, names in sorted(groups.items()) if racks else groups.items():
        if single:
            for name in names:
                host = site.nodes.hosts[name]
                yield _with_nics(
                    Card(f"node-{name}", "nodes", name, f"{host.address} · {_roles(host.roles)}", group=group),
                    site,
                    [name],
                    segments,
                    colours,
                )
        else:
            control = [n for n in names if "control-plane" in site.nodes.hosts[n].roles]
            what = counted(len(names), "node") + (f", {len(control)} control plane" if control and racks else "")
            yield _with_nics(
                Card(f"nodes-{group}", "nodes", group, what, tuple(_listed(site, names))),
                site,
                names,
                segments,
                colours,
            )


def _rack(site: Site, node: str) -> str:
    """Title of a node's rack; the row comes first, so that racks of a row sort together."""
    rack = site.rack_of(node)
    if rack is None:
        return "no rack"
    name = site.nodes.hosts[node].rack
    zone = f"zone {rack.zone}" if rack.zone else ""
    words = (f"row {rack.row}" if rack.row else "", f"rack {name}", zone, "dedicated" if rack.dedicated else "")
    return " · ".join(filter(None, words))


def _with_nics(
    card: Card, site: Site, nodes: Sequence[str], segments: Sequence[_Segment], colours: dict[str, int]
) -> tuple[Card, list[Link]]:
    """The card with a row for each uplink of the nodes, and a link from each to its segment."""
    rows = list(card.rows)
    links = []
    for segment in segments:
        uplinks = (u for n in segment.networks for u in nics.on(site, n, nodes))
        for uplink in dict.fromkeys(uplinks):
            port = f"nic-{segment.key}-{uplink}"
            text = " · ".join(nics.below(site, uplink)) or "pods of the node"
            rows.append(Row(text, segment.title if uplink else "", port=port))
            label = f"{text if uplink else 'pods'} of {card.title} on {segment.title}"
            links.append(Link((card.id, port), (f"segment-{segment.key}", "title"), colours[segment.key], label))
    return Card(card.id, card.column, card.title, card.subtitle, tuple(rows), group=card.group), links


def _roles(roles: Iterable[str]) -> str:
    return ", ".join("control plane" if role == "control-plane" else role for role in roles)


def _listed(site: Site, names: Sequence[str]) -> Iterator[Row]:
    hosts = site.nodes.hosts
    if len(names) > NAMED_NODES:
        yield Row(cells=(f"{names[0]} to {names[-1]}", f"{hosts[names[0]].address} to {hosts[names[-1]].address}"))
        return
    for i in range(0, len(names), CELLS):
        yield Row(cells=tuple(f"{n}  {hosts[n].address}" for n in names[i : i + CELLS]))


def _segment_card(site: Site, segment: _Segment, colour: int) -> Card:
    rows = [Row("VLAN", str(segment.vlan))] if segment.vlan else []
    names = [n.name for n in segment.networks]
    of_ranges = (str(r.network) for n in segment.networks for r in n.ranges)
    routers = (str(r.gateway) for n in segment.networks for r in n.ranges if r.gateway)
    subnets = list(dict.fromkeys((*of_ranges, *fixed.subnets(site, names))))
    gateways = list(dict.fromkeys((*routers, *fixed.gateways(site, names))))
    rows += [Row("subnet", subnet) for subnet in subnets]
    rows += [Row("gateway", gateway) for gateway in gateways]
    if segment.key in site.segments:
        named = site.segments[segment.key]
        rows += [Row(f"VIP {name}", vip) for name, vip in named.vips.items()]
        rows += [Row(f"kept for {name}", span) for name, span in named.reserved.items()]
    return Card(f"segment-{segment.key}", "segments", segment.title, segment.subtitle, tuple(rows), colour)


def _network_card(n: NetworkFacts, colour: int) -> Card:
    what = " ".join(filter(None, (n.type, n.mode))) + (f" + {', '.join(n.chained)}" if n.chained else "")
    rows = [Row("MTU", str(n.mtu))] if n.mtu else []
    rows.append(Row("addresses", n.ipam if n.ipam != "none" else "none (layer 2)"))
    rows += [Row(span(r), _count(r.size)) for r in n.ranges]
    if n.namespace != "default":
        rows.append(Row("namespace", n.namespace))
    return Card(f"network-{n.name}", "networks", n.name, what, tuple(rows), colour)


def _count(size: int) -> str:
    return counted(size, "address", "addresses") if size < 1 << 24 else "plenty"


def span(r: Range) -> str:
    """A range in short form: 10.1.10.200–250."""
    start, dash, end = str(r.span).partition("-")
    head, dot, tail = end.rpartition(".")
    if not dash:
        return start
    return f"{start}–{tail}" if dot and start.startswith(f"{head}.") else f"{start} – {end}"


def _workload_card(site: Site, name: str, pods: Sequence[PodInterface]) -> Card:
    workload = site.workloads[name]
    places = [*workload.nodes, *(f"rack {rack}" for rack in workload.racks)]
    where = f" on {', '.join(places)}" if 0 < len(places) <= 3 else ""
    count = len(site.nodes_of(workload)) if workload.kind == "DaemonSet" else workload.replicas
    rows = []
    names = list(dict.fromkeys(p.pod for p in pods))
    for interface, attachment in workload.interfaces():
        held = [a for p in pods if p.interface == interface for a in p.addresses]
        rows.append(Row(interface, _held(held) if held else attachment.name, port=interface))
        if not held:
            rows += [Row(f"  {pod}" if pod else "  address", ips) for pod, ips in fixed.of_pods(site, name, attachment)]
    if 1 < len(names) <= NAMED_PODS:
        for pod in names:
            mine = [p for p in pods if p.pod == pod]
            rows.append(Row(pod.removeprefix(f"{name}-"), f"on {mine[0].node}"))
            rows += [Row(f"  {p.interface}", " ".join(p.addresses) or "no address") for p in mine]
    elif names:
        nodes = list(dict.fromkeys(p.node for p in pods))
        rows.append(
            Row(counted(len(names), "pod"), f"on {', '.join(nodes)}" if len(nodes) <= 3 else f"on {len(nodes)} nodes")
        )
    return Card(f"workload-{name}", "workloads", name, f"{workload.kind} × {count}{where}", tuple(rows))


def counted(count: int, what: str, several: str = "") -> str:
    """1 node, 2 nodes."""
    return f"{count} {what if count == 1 else several or f'{what}s'}"


def _held(addresses: Sequence[str]) -> str:
    return " ".join(addresses) if len(addresses) <= 2 else f"{len(addresses)} addresses"
