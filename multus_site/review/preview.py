"""What `pulumi preview --json` says, less what only the engine cares for."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_DONE = {"create", "update", "replace", "delete"}
"""Operations that are told; a replacement's other two steps are part of it."""

_UNKNOWN = (
    "The provider for this resource has inputs that are not known during preview.",
    "This preview may not correctly represent the changes that will be applied during an update.",
)
"""What the engine says of each object of a cluster whose kubeconfig is read anew."""

_CHATTER = ("using pulumi-", "stand-in for pulumi-", "preview failed", "update failed", *_UNKNOWN)
"""Lines about programs on this machine, and such that say nothing more."""

_ENDED = "an unhandled error occurred"
"""What the engine says of a program that ended before it could say anything by itself."""

_LACKS = re.compile(r"^(?:ModuleNotFound|Import)Error: .*?'([\w.]+)'", re.MULTILINE)

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
    by_inputs: bool = False
    """Whether objects in the cluster could be compared by what the site says alone, not by the cluster's own rules."""

    def steps_of(self, owner: str, *ops: str) -> list[Step]:
        """The steps of a kind of component, of these operations if any are given."""
        return [s for s in self.steps if s.owner == owner and (not ops or s.op in ops)]


def read(data: Mapping[str, Any]) -> Preview:
    """The parsed JSON of a preview; one that failed has fewer steps, or none."""
    said = data.get("diagnostics") or []
    every = list(_steps(data.get("steps") or []))
    return Preview(
        tuple(sorted((step for step in every if step.op in _DONE), key=_order)),
        _counts(every, (data.get("changeSummary") or {}).get("same", 0)),
        tuple(_lines(said, "warning")),
        _errors(said),
        any(_UNKNOWN[0] in str(one.get("message")) for one in said),
    )


def _errors(said: list[dict[str, Any]]) -> tuple[str, ...]:
    """What was wrong; that the program ended for it is worth a line only where nothing else is said, and then with what it printed."""
    every = tuple(_lines(said, "error"))
    told = tuple(line for line in every if not line.startswith(_ENDED))
    if told or not every:
        return told
    printed = "".join(str(one.get("message", "")) for one in said if one.get("severity") == "info#err")
    if lacking := _LACKS.search(printed):
        return (f"the Python that Pulumi.yaml names (.venv) has no module {lacking[1]}; type: pulumi install",)
    last = [line.strip() for line in printed.splitlines() if line.strip()][-1:]
    return (*every, *(f"the program's last words: {line}" for line in last))


def _counts(steps: list[Step], same: int) -> dict[str, int]:
    """Resources by what happens to them; those that stay are no steps, the engine only counts them."""
    counts = Counter(step.op for step in steps)
    counts["same"] += same
    return {op: count for op, count in counts.items() if count}


def _steps(steps: list[dict[str, Any]]) -> Iterator[Step]:
    """A step for each resource of the site that is told; providers and the stack itself are left out."""
    for step in steps:
        _, _, types, name = str(step["urn"]).split("::", 3)
        *above, kind = types.split("$")
        op = step.get("op")
        if kind.startswith("pulumi:") or op not in _DONE:
            continue
        own = kind.startswith("multus-site:")
        owner = "" if own or not above else above[-1].rpartition(":")[2]
        before, after = _inputs(step, "old"), _inputs(step, "new")
        forcing = step.get("replaceReasons") if op == "replace" else None
        paths = forcing or [*(step.get("detailedDiff") or step.get("diffReasons") or ())]
        if op == "update" and not paths:
            # Where its provider is not known yet, the engine calls everything changed.
            paths = list(_differing(before, after))
            op = "update" if paths else "same"
        yield Step(op, kind, owner, name, tuple(sorted(paths)), before, after)


def _differing(old: Any, new: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401  # any JSON
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from _differing(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, (was, now) in enumerate(zip(old, new, strict=True)):
            yield from _differing(was, now, f"{path}[{i}]")
    elif old != new:
        yield path


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
