"""Rules on whether a network has enough addresses, and on requested addresses that another pod can be assigned."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from multus_site.cni.addresses import Address, Span, parse_address, parse_cidr, single, total
from multus_site.cni.ranges import Range, ranges_of
from multus_site.cni.selections import Selection
from multus_site.cni.span_index import SpanIndex, touching
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.rules.shared_segments import segment
from multus_site.lint.subjects import Config, Everything, Ipam, Pod

_MOST = 8
"""Names that a message lists."""


@dataclass(frozen=True, slots=True, eq=False)
class Supply:
    """Ranges that assign one address to each attachment: one range of whereabouts, or one range set of host-local."""

    ipam: Ipam
    config: Config
    ranges: list[Range]

    spans: list[Span] = field(init=False)
    """The assignable addresses."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "spans", [span for one in self.ranges for span in one.handed_out])

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
    """The last pods stay in ContainerCreating. Where each node has its own part of the range, the scheduler does not know how full it is."""
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
        yield from _check_supply(supply, pods)
    for supplies in shared.values():
        yield from _check_shared(supplies, asking)
    for supplies in by_node.values():
        yield from _check_parts(supplies, asking.get(supplies[0].config.title, []))


def _check_supply(supply: Supply, pods: list[Pod]) -> Problems:
    have, need = total(supply.spans), sum(pod.many for pod in pods)
    # Only pods of the same node hear these pods: each node can assign the same addresses.
    if supply.ipam.interface.reach in {"node", "pod"} and supply.ipam.object_type.remembers == "node":
        need = _surely_on_one_node(pods)
    if need > have > 0:
        message = f"{supply} has {have} addresses for {need} attachments: {_named(pods)}"
        yield supply.problem(message, f"Use a range of {need} or more addresses, or run fewer pods.")


def _check_shared(supplies: list[Supply], asking: dict[str, list[Pod]]) -> Problems:
    """Check networks of whereabouts that share addresses: each address is assigned once."""
    for numbers in touching([supply.spans for supply in supplies]):
        together = [supplies[number] for number in numbers]
        names = sorted({supply.config.title for supply in together})
        pods = [pod for supply in together for pod in asking.get(supply.config.title, [])]
        have, need = total([span for supply in together for span in supply.spans]), sum(pod.many for pod in pods)
        if (
            len(names) > 1
            and need > have
            and not any(list(_check_supply(s, asking.get(s.config.title, []))) for s in together)
        ):
            message = (
                f"{_listed(names, ' and ')} share {have} addresses, and {need} attachments need one: {_named(pods)}"
            )
            yield together[-1].problem(message, "Give each network its own range, or run fewer pods.")


def _check_parts(supplies: list[Supply], pods: list[Pod]) -> Problems:
    """Check a range that is split by node: addresses that are surely missing, and those that the scheduler can exhaust."""
    have = {node: (total(supply.spans), supply) for supply in supplies for node in supply.config.nodes}
    used_nodes = {node for pod in pods for node in pod.nodes if node in have}
    need, whole = sum(pod.many for pod in pods), sum(have[node][0] for node in used_nodes)
    if need > whole > 0:
        message = f"{', '.join(sorted(used_nodes))} have {whole} addresses for {need} attachments: {_named(pods)}"
        yield supplies[0].problem(message, "Set a larger addressesPerNode, or run fewer pods.")
        return
    by_node: dict[str, list[Pod]] = {}
    for pod in pods:
        for node in pod.nodes:
            by_node.setdefault(node, []).append(pod)
    for node, (size, supply) in have.items():
        here = by_node.get(node, [])
        certain = sum(_surely_on_one(pod) for pod in here)
        possible = sum(1 if pod.kind == "DaemonSet" else pod.many for pod in here)
        if certain > size > 0:
            message = f"{node} has {size} addresses ({supply}) for {certain} attachments: {_named(here)}"
            yield supply.problem(message, f"Set addressesPerNode to {certain} or more.")
            return
        if possible > size > 0:
            message = f"{possible} attachments may run on {node}, which has {size} addresses ({supply}): {_named(here)}"
            hint = f"Set addressesPerNode to {possible} or more, or pin workloads to nodes."
            yield supply.problem(message, hint, warning=True)
            return


def _surely_on_one_node(pods: list[Pod]) -> int:
    """The most pods that one node has wherever the scheduler puts them."""
    anywhere = sum(_surely_on_one(pod) for pod in pods if not pod.nodes)
    on: Counter[str] = Counter()
    for pod in pods:
        for node in pod.nodes:
            on[node] += _surely_on_one(pod)
    return anywhere + max(on.values(), default=0)


def _surely_on_one(pod: Pod) -> int:
    """Pods of one workload that a node has wherever the scheduler puts them."""
    return 1 if pod.kind == "DaemonSet" else pod.many if _one_node(pod) else 0


def _one_node(pod: Pod) -> bool:
    return len(pod.nodes) == 1 or pod.facts.nodes == 1


@rule(
    "IPS_HANDED_OUT",
    "error",
    "together",
    "A requested address that another pod can be assigned",
    example='"ips": ["10.1.10.120/24"], and another network of the segment with the range 10.1.10.100-10.1.10.149/24',
    source="RFC 5227; whereabouts and host-local know only the addresses that they assigned",
)
def ips_handed_out(everything: Everything) -> Problems:
    """IPAM plugins do not know the addresses that pods bring with them, and may assign them to other pods."""
    spans: dict[tuple[object, ...], list[tuple[Span, str]]] = {}
    segments: dict[str, set[tuple[object, ...]]] = {}
    for supply in _supplies(everything):
        for key in _segments(supply.config):
            spans.setdefault(key, []).extend((span, supply.config.title) for span in supply.spans)
    for config in everything.configs:
        segments.setdefault(config.title, set()).update(_segments(config))
    indexes = {key: SpanIndex(held) for key, held in spans.items()}
    asking = _asking(everything)
    for pod in everything.pods:
        for selection in pod.selections:
            own = selection.full_name
            for address in _fixed(selection):
                givers: set[str] = set()
                for key in segments.get(own, ()):
                    found = (name for _, name in indexes[key].overlapping(single(address))) if key in indexes else ()
                    for name in found:
                        givers.add(name)
                        if len(givers) > _MOST:
                            break
                if others := sorted(givers - {own}):
                    message = f"{address} is also assigned by {_listed(others, ' and ')}, on the same segment"
                    hint = "Use an address outside that range, or end the range before it."
                    yield _at_ips(pod, selection, message, hint, warning=False)
                elif own in givers and (rivals := _rivals(asking.get(own, []), pod)):
                    message = (
                        f"{address} is in the range that serves {_named(rivals)}: one of those pods may get it first"
                    )
                    hint = f"End the range of {own} before it, or give pods with fixed addresses a network with static IPAM."
                    yield _at_ips(pod, selection, message, hint, warning=True)


def _rivals(asking: list[Pod], pod: Pod) -> list[Pod]:
    """Other pods that get an address of the network; not all of them if they are many."""
    return list(islice((other for other in asking if other.title != pod.title), _MOST + 1))


def _at_ips(pod: Pod, selection: Selection, message: str, hint: str, *, warning: bool) -> Problem:
    key = selection.item.key("ips") if selection.item else "ips"
    return Problem((*selection.path, key), message, hint, "warning" if warning else None, subject=pod)


def _fixed(selection: Selection) -> list[Address]:
    asked = selection.item.texts("ips") if selection.item else []
    return [a for ip in asked if (a := cidr[0] if (cidr := parse_cidr(ip)) else parse_address(ip)) is not None]


def _segments(config: Config) -> Iterator[tuple[object, ...]]:
    yield from (key for plugin in config.plugins if (key := segment(plugin)) is not None)


def _supplies(everything: Everything) -> Iterator[Supply]:
    """The supplies of each network; of each node where a network is split by node."""
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
    """Pods that request no address of their own, by network; a pod with two attachments is listed twice."""
    found: dict[str, list[Pod]] = {}
    titles: dict[str, Pod] = {}
    for pod in everything.pods:
        if titles.setdefault(pod.title, pod) is not pod:  # a copy of the object in another file
            continue
        for selection in pod.selections:
            if pod.many and not (selection.item and selection.item.get("ips")):
                found.setdefault(selection.full_name, []).append(pod)
    return found


def _named(pods: list[Pod]) -> str:
    counts: dict[str, int] = {}
    for pod in pods:
        counts[pod.title] = counts.get(pod.title, 0) + pod.many
    return _listed([f"{name} ({count})" for name, count in counts.items()], ", ")


def _listed(names: list[str], between: str) -> str:
    """The first of many names."""
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return (", " if more else between).join(names[:_MOST]) + more
