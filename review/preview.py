"""What `pulumi preview --json` says, less what only the engine cares for."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_DONE = {"create", "update", "replace", "delete"}
"""Operations that are told; a replacement's other two steps are part of it."""

_CHATTER = ("using pulumi-", "stand-in for pulumi-", "preview failed", "update failed")
"""Lines about programs on this machine, and such that say nothing more."""

_COLOUR = re.compile(r"<\{%.*?%\}>")


@dataclass(frozen=True)
class Step:
    """One resource that is made, changed, replaced or deleted."""

    op: str
    kind: str
    """Its type, such as kubernetes:apps/v1:Deployment."""
    owner: str
    """The component that it is of, such as Workload; empty for components and providers."""
    name: str
    paths: tuple[str, ...] = ()
    """Properties that differ; of a replacement, those that force it."""
    before: Mapping[str, Any] = field(default_factory=dict, repr=False)
    after: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Inputs of the resource."""


@dataclass(frozen=True)
class Preview:
    """Steps in the order of their names, the engine's counts, and what was said on the way."""

    steps: tuple[Step, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()

    def of(self, owner: str, *ops: str) -> list[Step]:
        """The steps of a kind of component, of these operations if any are given."""
        return [s for s in self.steps if s.owner == owner and (not ops or s.op in ops)]


def read(data: Mapping[str, Any]) -> Preview:
    """The parsed JSON of a preview; one that failed has fewer steps, or none."""
    said = data.get("diagnostics") or []
    return Preview(
        tuple(sorted(_steps(data.get("steps") or []), key=_order)),
        {key: count for key, count in (data.get("changeSummary") or {}).items() if key != "read"},
        tuple(_lines(said, "warning")),
        tuple(_lines(said, "error")),
    )


def _steps(steps: list[dict[str, Any]]) -> Iterator[Step]:
    for step in steps:
        if step.get("op") not in _DONE:
            continue
        _, _, types, name = str(step["urn"]).split("::", 3)
        *above, kind = types.split("$")
        if kind.startswith("pulumi:"):
            continue
        own = kind.startswith("multus-site:")
        owner = "" if own or not above else above[-1].rpartition(":")[2]
        forcing = step.get("replaceReasons") if step["op"] == "replace" else None
        paths = forcing or [*(step.get("detailedDiff") or step.get("diffReasons") or ())]
        yield Step(step["op"], kind, owner, name, tuple(sorted(paths)), _inputs(step, "old"), _inputs(step, "new"))


def _order(step: Step) -> tuple[Any, ...]:
    """By name, node10 behind node9: the engine's own order is another one each time."""
    name = tuple(int(part) if part.isdigit() else part for part in re.split(r"(\d+)", step.name))
    return (step.owner, name, step.kind, step.op)


def _inputs(step: Mapping[str, Any], side: str) -> dict[str, Any]:
    return dict((step.get(f"{side}State") or {}).get("inputs") or {})


def _lines(said: list[dict[str, Any]], severity: str) -> Iterator[str]:
    seen = set()
    for one in said:
        if one.get("severity") != severity:
            continue
        for line in _COLOUR.sub("", str(one.get("message", ""))).splitlines():
            text = line.strip().removeprefix(f"{severity}: ").strip()
            if text and text not in seen and not text.startswith(_CHATTER):
                seen.add(text)
                yield text
