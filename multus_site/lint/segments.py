"""Rules across sites: stacks that name the same L2 segment are checked together.

Addresses that two sites assign on one segment conflict on the wire, although the clusters do not know each other.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from multus_site.cni.addresses import Span, parse_span
from multus_site.cni.span_index import SpanIndex
from multus_site.lint.engine import Origin, findings_of
from multus_site.lint.finding import Finding
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.site import check_site, silenced, site_text
from multus_site.lint.stack_files import Neighbour, Neighbours
from multus_site.model.defaults import Defaults
from multus_site.model.paths import Path
from multus_site.model.site import Site
from multus_site.render.address_plan import addresses_of


@dataclass(frozen=True, slots=True)
class StackFile:
    """A stack file, its text, its site, and the defaults of the site."""

    file: str
    text: str | None
    site: Site
    defaults: Defaults | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """The use of a segment by a site, or by one of its networks."""

    stack: StackFile
    origin: Origin
    path: Path
    title: str
    vlan: int | None
    spans: list[Span]
    vips: dict[str, Span]
    reserved: dict[str, Span]


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """An L2 segment and its uses by all sites."""

    name: str
    uses: list[Use]
    path: Path = ()


@rule(
    "SEGMENT_VLAN",
    "error",
    "sites",
    "One segment, two VLAN ids",
    example="segments: {core: {vlan: 110}} in one site, {core: {vlan: 120}} in another",
    source="IEEE 802.1Q: a VLAN id names the segment on the wire",
)
def segment_vlan(segment: Segment) -> Problems:
    """One of the sites has the wrong id, or names the wrong segment."""
    ids: dict[int, Use] = {}
    for use in segment.uses:
        if use.vlan is not None:
            ids.setdefault(use.vlan, use)
    for use in segment.uses:
        other = next((u for vlan, u in ids.items() if vlan != use.vlan), None)
        if use.vlan is not None and other is not None:
            message = f"segment {segment.name} has VLAN {use.vlan} here and {other.vlan} in {other.title}"
            yield Problem((*use.path, "vlan"), message, "Set the same id in both, or use two segments.", subject=use)


@rule(
    "SEGMENT_ADDRESSES",
    "error",
    "sites",
    "Two sites use the same addresses on one segment",
    example="segment: core, range .200-.250 in one site, .240-.254 in another",
    source="RFC 5227; whereabouts and host-local know one cluster only",
)
def segment_addresses(segment: Segment) -> Problems:
    """IPAM does not see the other cluster: pods of both sites answer for the same address."""
    spans = sorted(((span, i) for i, use in enumerate(segment.uses) for span in use.spans))
    reach: list[tuple[Span, int]] = []  # the span that reaches furthest so far, and the furthest one of another stack
    reported: set[tuple[int, int]] = set()
    for span, i in spans:
        file = segment.uses[i].stack.file
        other = next((r for r in reach if segment.uses[r[1]].stack.file != file and r[0].overlaps(span)), None)
        if other and (i, other[1]) not in reported:
            shared = Span(span.family, max(span.first, other[0].first), min(span.last, other[0].last))
            for one, second in ((i, other[1]), (other[1], i)):
                reported.add((one, second))
                message = f"{shared} is also used by {segment.uses[second].title}, on segment {segment.name}"
                hint = "Give each site its own part of the segment's addresses."
                yield Problem(segment.uses[one].path, message, hint, subject=segment.uses[one])
        furthest = sorted([*reach, (span, i)], key=lambda r: (r[0].family, r[0].last), reverse=True)
        best = furthest[0]
        own = segment.uses[best[1]].stack.file
        reach = [best, *[r for r in furthest if segment.uses[r[1]].stack.file != own][:1]]


@rule(
    "SEGMENT_VIP",
    "error",
    "sites",
    "A virtual IP address that pods can get, or that has two names",
    example="segments: {core: {vips: {router: 10.1.10.210}}} and a range .200-.250",
    source="RFC 5798 (VRRP): the address belongs to whoever is master",
)
def segment_vip(segment: Segment) -> Problems:
    """A VRRP or BGP speaker, or a service, already holds the address."""
    holders: dict[Span, dict[str, Use]] = {}
    for use in segment.uses:
        for name, vip in use.vips.items():
            holders.setdefault(vip, {}).setdefault(name, use)
    for use in segment.uses:
        for name, vip in use.vips.items():
            other = next(((n, u) for n, u in holders[vip].items() if n != name), None)
            if other is not None:
                message = f"{vip} is {name} here and {other[0]} in {other[1].title}"
                yield Problem((*use.path, "vips", name), message, "Give each its own address.", subject=use)
    spans = SpanIndex((span, use) for use in segment.uses for span in use.spans)
    for vip, named in holders.items():
        name, holder = next(iter(named.items()))
        for _, use in spans.overlapping(vip):
            message = f"pods can get {vip}, which is {name} of {holder.title} on segment {segment.name}"
            yield Problem(use.path, message, "End the range before it, or exclude it.", subject=use)
            if holder.stack is not use.stack:
                path = (*holder.path, "vips", name)
                message = f"pods of {use.title} can get {vip} on segment {segment.name}"
                yield Problem(path, message, "Use an address that no site assigns to pods.", subject=holder)


@rule(
    "SEGMENT_RESERVED",
    "error",
    "sites",
    "Reserved addresses that pods can get",
    example="segments: {core: {reserved: {dhcp: 10.1.10.240-10.1.10.254}}} and a range .200-.250",
    source="RFC 5227: every holder of an address answers for it",
)
def segment_reserved(segment: Segment) -> Problems:
    """A DHCP server, a router or a machine outside the cluster uses them, and the IPAM of pods does not know."""
    spans = SpanIndex((span, use) for use in segment.uses for span in use.spans)
    for holder in segment.uses:
        for name, kept in holder.reserved.items():
            for span, use in spans.overlapping(kept):
                both = Span(span.family, max(span.first, kept.first), min(span.last, kept.last))
                message = f"pods can get {both}, which {holder.title} reserves for {name} on segment {segment.name}"
                hint = f"End the range before {kept}, start it after, or exclude it."
                yield Problem(use.path, message, hint, subject=use)
                if holder.stack is not use.stack:
                    path = (*holder.path, "reserved", name)
                    message = f"pods of {use.title} can get {both} on segment {segment.name}"
                    yield Problem(path, message, "Reserve addresses that no site assigns to pods.", subject=holder)


def check_stack(stack: StackFile, others: list[StackFile]) -> list[Finding]:
    """Findings on one stack: on its site alone, and compared with other stacks on the same segments."""
    files = {stack.file, *([stack.defaults.file] if stack.defaults else [])}
    across = [finding for finding in check_segments([stack, *others]) if finding.file in files]
    alone = check_site(stack.site, file=stack.file, text=stack.text, defaults=stack.defaults)
    return sorted({*alone, *across})


def check_segments(stacks: list[StackFile]) -> list[Finding]:
    """Findings across sites. A comment `# multus-site: allow` in the file of a finding silences it."""
    texts = {stack.file: stack.text for stack in stacks}
    texts |= {stack.defaults.file: stack.defaults.text for stack in stacks if stack.defaults}
    found = [located for segment in _segments(stacks) for located in findings_of(segment, segment.uses[0].origin)]
    sites = [
        Neighbour(stack.site, stack.file, Origin(stack.file, site_text(stack.text, stack.defaults))) for stack in stacks
    ]
    found += findings_of(Neighbours(sites), sites[0].origin) if sites else ()
    return silenced(found, texts)


def _segments(stacks: list[StackFile]) -> Iterator[Segment]:
    uses: dict[str, list[Use]] = {}
    for stack in stacks:
        origin = Origin(stack.file, site_text(stack.text, stack.defaults))
        for name, declared in stack.site.segments.items():
            vips, reserved = (
                {key: span for key, text in held.items() if (span := parse_span(text))}
                for held in (declared.vips, declared.reserved)
            )
            use = Use(stack, origin, ("segments", name), f"site {stack.site.name}", declared.vlan, [], vips, reserved)
            uses.setdefault(name, []).append(use)
        for name, network in stack.site.networks.items():
            if network.segment is not None:
                uses.setdefault(network.segment, []).append(_use(stack, origin, name))
    yield from (Segment(name, used) for name, used in uses.items())


def _use(stack: StackFile, origin: Origin, name: str) -> Use:
    spans = addresses_of(stack.site, name)
    return Use(stack, origin, ("networks", name), f"{name} of site {stack.site.name}", None, spans, {}, {})
