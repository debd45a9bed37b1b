"""Rules on how many addresses there are for those who ask, and on fixed addresses that somebody else hands out."""

from collections.abc import Iterator
from dataclasses import dataclass

from multus_site.cni.addresses import Address, Span, parse_address, parse_cidr, total
from multus_site.cni.ranges import Range, ranges_of
from multus_site.cni.selections import Selection
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.rules.shared_segments import segment
from multus_site.lint.subjects import Config, Everything, Ipam, Pod


@dataclass(frozen=True, slots=True, eq=False)
class Supply:
    """One address for each attachment comes out of these ranges: one of whereabouts, or a set of host-local's."""

    ipam: Ipam
    config: Config
    ranges: list[Range]

    @property
    def spans(self) -> list[Span]:
        """The addresses."""
        return [span for one in self.ranges for span in one.handed_out]

    def __str__(self) -> str:
        return ", ".join(str(one.span) for one in self.ranges)

    def problem(self, message: str, hint: str, *, warning: bool = False) -> Problem:
        """A finding at the ranges."""
        first = self.ranges[0]
        return Problem(first.key_path(first.key), message, hint, "warning" if warning else None, subject=self.ipam)


@rule(
    "TOO_FEW_ADDRESSES",
    "error",
    "together",
    "More pods than addresses",
    example='"range": "10.1.10.0/29" and a Deployment of 10 replicas on the network',
    source="whereabouts pkg/allocate AssignmentError 'Could not allocate IP in range'; host-local allocator.go 'no IP addresses available'",
)
def too_few_addresses(everything: Everything) -> Problems:
    """Those who come last hang in ContainerCreating. Where each node has a part of its own, the scheduler does not know how full it is."""
    asking = _asking(everything)
    by_node: dict[str, list[Supply]] = {}
    shared: dict[str, list[Supply]] = {}
    for supply in _supplies(everything):
        pods = asking.get(supply.config.title, [])
        if supply.ipam.object_type.remembers == "cluster":
            shared.setdefault(supply.ipam.text("network_name"), []).append(supply)
        elif supply.config.nodes:
            by_node.setdefault(f"{supply.config.title} {supply.ranges[0].set}", []).append(supply)
            continue
        yield from _of_one(supply, pods)
    for supplies in shared.values():
        yield from _of_several(supplies, asking)
    for supplies in by_node.values():
        yield from _of_parts(supplies, asking.get(supplies[0].config.title, []))


def _of_one(supply: Supply, pods: list[Pod]) -> Problems:
    have, need = total(supply.spans), sum(pod.many for pod in pods)
    # Pods that only pods of the same node hear: each node can hand out the same addresses.
    if supply.ipam.interface.reach in {"node", "pod"} and supply.ipam.object_type.remembers == "node":
        need = _surely_on_one_node(pods)
    if need > have > 0:
        message = f"{supply} has {have} addresses for {need} attachments: {_named(pods)}"
        yield supply.problem(message, f"Take a range of {need} or more, or make fewer pods.")


def _of_several(supplies: list[Supply], asking: dict[str, list[Pod]]) -> Problems:
    """Networks of whereabouts that share addresses: what one gives, no other has."""
    for together in _overlapping(supplies):
        names = sorted({supply.config.title for supply in together})
        pods = [pod for supply in together for pod in asking.get(supply.config.title, [])]
        have, need = total([span for supply in together for span in supply.spans]), sum(pod.many for pod in pods)
        if (
            len(names) > 1
            and need > have
            and not any(list(_of_one(s, asking.get(s.config.title, []))) for s in together)
        ):
            message = (
                f"{' and '.join(names)} share {have} addresses, and {need} attachments ask for one: {_named(pods)}"
            )
            yield together[-1].problem(message, "Give each network a range of its own, or make fewer pods.")


def _of_parts(supplies: list[Supply], pods: list[Pod]) -> Problems:
    """A range that is split by node: what is certain to lack, and what the scheduler can bring about."""
    have = {node: (total(supply.spans), supply) for supply in supplies for node in supply.config.nodes}
    there = {node for pod in pods for node in pod.nodes if node in have}
    need, whole = sum(pod.many for pod in pods), sum(have[node][0] for node in there)
    if need > whole > 0:
        message = f"{', '.join(sorted(there))} have {whole} addresses for {need} attachments: {_named(pods)}"
        yield supplies[0].problem(message, "Take a larger addressesPerNode, or make fewer pods.")
        return
    for node, (size, supply) in have.items():
        here = [pod for pod in pods if node in pod.nodes]
        certain = sum(_surely_on_one(pod) for pod in here)
        possible = sum(1 if pod.kind == "DaemonSet" else pod.many for pod in here)
        if certain > size > 0:
            message = f"{node} has {size} addresses ({supply}) for {certain} attachments: {_named(here)}"
            yield supply.problem(message, f"Write addressesPerNode: {certain} or more.")
            return
        if possible > size > 0:
            message = f"{possible} attachments may come together on {node}, which has {size} addresses ({supply}): {_named(here)}"
            hint = f"Write addressesPerNode: {possible} or more, or tie workloads to nodes."
            yield supply.problem(message, hint, warning=True)
            return


def _surely_on_one_node(pods: list[Pod]) -> int:
    """Pods that one of the nodes has whatever the scheduler does."""
    nodes = {node for pod in pods for node in pod.nodes} or {""}
    return max(sum(_surely_on_one(pod) for pod in pods if not pod.nodes or node in pod.nodes) for node in nodes)


def _surely_on_one(pod: Pod) -> int:
    """Of one workload, likewise."""
    return 1 if pod.kind == "DaemonSet" else pod.many if _one_node(pod) else 0


def _one_node(pod: Pod) -> bool:
    return len(pod.nodes) == 1 or pod.facts.nodes == 1


@rule(
    "IPS_HANDED_OUT",
    "error",
    "together",
    "A fixed address that is handed out too",
    example='"ips": ["10.1.10.120/24"], and another network of the segment with the range 10.1.10.100-10.1.10.149/24',
    source="RFC 5227; whereabouts and host-local know only what they gave themselves",
)
def ips_handed_out(everything: Everything) -> Problems:
    """No address management knows of addresses that pods bring along: it gives them to somebody else too, or has given them."""
    spans: dict[tuple[object, ...], list[tuple[Span, str]]] = {}
    segments: dict[str, set[tuple[object, ...]]] = {}
    for supply in _supplies(everything):
        for key in _segments(supply.config):
            spans.setdefault(key, []).extend((span, supply.config.title) for span in supply.spans)
    for config in everything.configs:
        segments.setdefault(config.title, set()).update(_segments(config))
    asking = _asking(everything)
    for pod in everything.pods:
        for selection in pod.selections:
            own = selection.full_name
            for address in _fixed(selection):
                keys = segments.get(own, set())
                givers = sorted({name for key in keys for span, name in spans.get(key, []) if span.contains(address)})
                if others := [name for name in givers if name != own]:
                    message = f"{address} is also handed out by {' and '.join(others)}, on the same segment"
                    hint = "Take an address outside of that range, or end the range before it."
                    yield _at_ips(pod, selection, message, hint, warning=False)
                elif own in givers and (rivals := [p for p in asking.get(own, []) if p.title != pod.title]):
                    message = f"{address} is in the range that {_named(rivals)} are served from: one of them may have it first"
                    hint = f"End the range of {own} before it, or give the pods with fixed addresses a network of ipam static."
                    yield _at_ips(pod, selection, message, hint, warning=True)


def _at_ips(pod: Pod, selection: Selection, message: str, hint: str, *, warning: bool) -> Problem:
    key = selection.item.key("ips") if selection.item else "ips"
    return Problem((*selection.path, key), message, hint, "warning" if warning else None, subject=pod)


def _fixed(selection: Selection) -> list[Address]:
    asked = selection.item.texts("ips") if selection.item else []
    return [a for ip in asked if (a := cidr[0] if (cidr := parse_cidr(ip)) else parse_address(ip)) is not None]


def _segments(config: Config) -> Iterator[tuple[object, ...]]:
    yield from (key for plugin in config.plugins if (key := segment(plugin)) is not None)


def _supplies(everything: Everything) -> Iterator[Supply]:
    """Each network's, once; of one that is split by node, each node's."""
    seen: set[tuple[str, str]] = set()
    for config in everything.configs:
        for ipam in config.addresses:
            sets: dict[int, list[Range]] = {}
            for i, one in enumerate(r for r in ranges_of(ipam) if r.span):
                sets.setdefault(i if ipam.object_type.remembers == "cluster" else one.set, []).append(one)
            for number, ranges in sets.items():
                supply = Supply(ipam, config, ranges)
                key = (f"{config.title} {number}", str(supply))
                if key not in seen:
                    seen.add(key)
                    yield supply


def _asking(everything: Everything) -> dict[str, list[Pod]]:
    """The pods that take what they are given, by network: one that is attached twice stands there twice."""
    found: dict[str, list[Pod]] = {}
    titles: dict[str, Pod] = {}
    for pod in everything.pods:
        if titles.setdefault(pod.title, pod) is not pod:  # the same object in another file
            continue
        for selection in pod.selections:
            if pod.many and not (selection.item and selection.item.get("ips")):
                found.setdefault(selection.full_name, []).append(pod)
    return found


def _named(pods: list[Pod]) -> str:
    counts: dict[str, int] = {}
    for pod in pods:
        counts[pod.title] = counts.get(pod.title, 0) + pod.many
    return ", ".join(f"{name} ({count})" for name, count in counts.items())


def _overlapping(supplies: list[Supply]) -> Iterator[list[Supply]]:
    """Groups of supplies that have addresses in common, each in the order of the files."""
    groups: list[list[Supply]] = []
    for supply in supplies:
        touching = [g for g in groups if any(a.overlaps(b) for o in g for a in o.spans for b in supply.spans)]
        groups = [g for g in groups if g not in touching] + [[*(o for g in touching for o in g), supply]]
    yield from groups
