"""The timeline of an update, from Pulumi's state: when each resource was done, and what it waited for.

Times are ISO 8601 as Pulumi writes them; seconds count from the update's start.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

STAGES = {
    "NodeVM": "node VMs",
    "Preflight": "preflight",
    "KubesprayCluster": "cluster",
    "CniPlugins": "CNI plugins",
    "Multus": "Multus",
    "Leaks": "Multus",
    "NetworkAttachment": "attachments",
    "Workload": "workloads",
    "Verification": "verification",
    "Throughput": "throughput",
}
"""Component of the site → its stage, in the order of the graph."""


@dataclass(frozen=True)
class Span:
    """The time of a resource or stage: from the end of what it waited for (`begun`) to its own end (`done`)."""

    name: str
    stage: str
    begun: float
    done: float

    @property
    def seconds(self) -> float:
        """Its duration."""
        return self.done - self.begun


@dataclass(frozen=True)
class Timeline:
    """One update. `critical`: the critical path, the chain of resources that determined its duration."""

    started: datetime
    seconds: float
    stages: tuple[Span, ...]
    resources: tuple[Span, ...]
    critical: tuple[Span, ...]

    def to_json(self) -> dict[str, Any]:
        """The timeline as data."""

        def plain(spans: Iterable[Span]) -> list[dict[str, Any]]:
            return [
                {"name": s.name, "stage": s.stage, "begun": round(s.begun, 2), "seconds": round(s.seconds, 2)}
                for s in spans
            ]

        return {
            "started": self.started.isoformat(),
            "seconds": round(self.seconds, 2),
            "stages": plain(self.stages),
            "resources": plain(self.resources),
            "critical": plain(self.critical),
        }


def timeline(resources: Sequence[Mapping[str, Any]], started: str, ended: str | None) -> Timeline | None:
    """The timeline of an update. None if it changed nothing.

    `resources`: from `pulumi stack export`; `ended`: None while it runs.
    """
    begin = moment(started)
    worked = {
        str(r["urn"]): r
        for r in resources
        if r.get("custom") and r.get("modified") and moment(str(r["modified"])) >= begin and not _is_provider(r)
    }
    if not worked:
        return None

    def since(text: str) -> float:
        return (moment(text) - begin).total_seconds()

    done = {urn: since(str(r["modified"])) for urn, r in worked.items()}
    behind = _expanded(resources)
    waited = {urn: [d for d in behind(urn) if d in done and done[d] <= done[urn]] for urn in worked}
    spans = {
        urn: Span(urn.rpartition("::")[2], stage_of(urn), max((done[d] for d in waited[urn]), default=0.0), done[urn])
        for urn in worked
    }
    last = max(done, key=lambda urn: done[urn])
    chain = [last]
    while waited[chain[-1]]:
        chain.append(max(waited[chain[-1]], key=lambda urn: done[urn]))
    # The history has whole seconds only, so an update can seem to end before its last resource.
    end = max(since(ended), done[last]) if ended else done[last]
    ordered = tuple(sorted(spans.values(), key=lambda s: (s.begun, s.done)))
    return Timeline(begin, end, _stages(ordered), ordered, tuple(spans[urn] for urn in reversed(chain)))


def moment(text: str) -> datetime:
    """Parse a time as Pulumi writes it. Python reads at most six digits of a second."""
    head, dot, tail = text.replace("Z", "+00:00").partition(".")
    if dot:
        zone = next((i for i, c in enumerate(tail) if c in "+-"), len(tail))
        tail = tail[: min(6, zone)].ljust(6, "0") + tail[zone:]
    return datetime.fromisoformat(head + dot + tail)


def stage_of(urn: str) -> str:
    """The stage of a resource; `site` if it is in none."""
    kinds = urn.split("::")[2].split("$")
    for kind in reversed(kinds):
        name = kind.rpartition(":")[2]
        if name in STAGES:
            return STAGES[name]
    return "site"


def _is_provider(resource: Mapping[str, Any]) -> bool:
    return str(resource.get("type", "")).startswith("pulumi:")


def _expanded(resources: Sequence[Mapping[str, Any]]) -> Any:  # noqa: ANN401 - a function
    """A function from a resource to what it waits for: its dependencies and those of its ancestors, which are registered first."""
    by_urn = {str(r["urn"]): r for r in resources}

    def behind(urn: str) -> list[str]:
        found: list[str] = []
        here: Mapping[str, Any] | None = by_urn.get(urn)
        while here is not None:
            found += here.get("dependencies") or []
            for many in (here.get("propertyDependencies") or {}).values():
                found += many or []
            provider = str(here.get("provider", "")).rpartition("::")[0]
            found += [d for r in [by_urn.get(provider)] if r for d in r.get("dependencies") or []]
            here = by_urn.get(str(here.get("parent", "")))
        return list(dict.fromkeys(found))

    return behind


def _stages(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The stages, each from its first start to its last end, in the order of the graph."""
    found: dict[str, Span] = {}
    for span in spans:
        known = found.get(span.stage, span)
        found[span.stage] = Span(span.stage, span.stage, min(known.begun, span.begun), max(known.done, span.done))
    order = [*STAGES.values()]
    return tuple(
        sorted(found.values(), key=lambda s: (order.index(s.name) if s.name in order else len(order), s.begun))
    )
