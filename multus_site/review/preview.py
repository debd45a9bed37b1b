"""Read the output of `pulumi preview --json`."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_DONE = {"create", "update", "replace", "delete"}
"""Operations that a review shows; the other two steps of a replacement are part of it."""

_UNKNOWN = (
    "The provider for this resource has inputs that are not known during preview.",
    "This preview may not correctly represent the changes that will be applied during an update.",
)
"""The engine's warning for each object of a cluster whose kubeconfig is reread."""

_CHATTER = ("using pulumi-", "stand-in for pulumi-", "preview failed", "update failed", *_UNKNOWN)
"""Lines about programs on this machine, and lines that add nothing."""

_ENDED = "an unhandled error occurred"
"""The engine's message for a program that ended without a message of its own."""

_LACKS = re.compile(r"^(?:ModuleNotFound|Import)Error: .*?'([\w.]+)'", re.MULTILINE)

_COLOUR = re.compile(r"<\{%.*?%\}>")


@dataclass(frozen=True)
class Step:
    """One resource that is created, updated, replaced or deleted."""

    op: str
    kind: str
    """Its type, such as kubernetes:apps/v1:Deployment."""
    owner: str
    """The component that it belongs to, such as Workload; empty for components and providers."""
    name: str
    paths: tuple[str, ...] = ()
    """Properties that differ; for a replacement, those that force it."""
    before: Mapping[str, Any] = field(default_factory=dict, repr=False)
    after: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Inputs of the resource after the change; `before`: those in the state."""


@dataclass(frozen=True)
class Preview:
    """Steps sorted by name, the engine's counts and its messages."""

    steps: tuple[Step, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    by_inputs: bool = False
    """Whether objects in the cluster were compared by their inputs only, without asking the API server."""

    def steps_of(self, owner: str, *ops: str) -> list[Step]:
        """Return the steps of a component, of these operations if any are given."""
        return [s for s in self.steps if s.owner == owner and (not ops or s.op in ops)]


def read(data: Mapping[str, Any]) -> Preview:
    """Read the parsed JSON of a preview; a failed one has fewer steps, or none."""
    messages = data.get("diagnostics") or []
    every = list(_steps(data.get("steps") or []))
    return Preview(
        tuple(sorted((step for step in every if step.op in _DONE), key=_order)),
        _counts(every, (data.get("changeSummary") or {}).get("same", 0)),
        tuple(_lines(messages, "warning")),
        _errors(messages),
        any(_UNKNOWN[0] in str(one.get("message")) for one in messages),
    )


def _errors(messages: list[dict[str, Any]]) -> tuple[str, ...]:
    """Return the errors. The engine's line about the program's end is among them only if it is the only one, together with the last output."""
    every = tuple(_lines(messages, "error"))
    errors = tuple(line for line in every if not line.startswith(_ENDED))
    if errors or not every:
        return errors
    printed = "".join(str(one.get("message", "")) for one in messages if one.get("severity") == "info#err")
    if lacking := _LACKS.search(printed):
        return (f"the Python that Pulumi.yaml names (.venv) has no module {lacking[1]}; type: pulumi install",)
    last = [line.strip() for line in printed.splitlines() if line.strip()][-1:]
    return (*every, *(f"the program's last output: {line}" for line in last))


def _counts(steps: list[Step], same: int) -> dict[str, int]:
    """Count resources by operation. Unchanged ones have no steps; the engine counts them."""
    counts = Counter(step.op for step in steps)
    counts["same"] += same
    return {op: count for op, count in counts.items() if count}


def _steps(steps: list[dict[str, Any]]) -> Iterator[Step]:
    """Yield a step for each changed resource of the site, without providers and the stack itself."""
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
            # While its provider has unknown inputs, the engine lists every property as changed.
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
    """Sort by name, node10 after node9: the engine's order varies."""
    name = tuple(int(part) if part.isdigit() else part for part in re.split(r"(\d+)", step.name))
    return (step.owner, name, step.kind, step.op)


def _inputs(step: Mapping[str, Any], side: str) -> dict[str, Any]:
    return dict((step.get(f"{side}State") or {}).get("inputs") or {})


def _lines(messages: list[dict[str, Any]], severity: str) -> Iterator[str]:
    seen = set()
    for one in messages:
        if one.get("severity") != severity:
            continue
        for line in _COLOUR.sub("", str(one.get("message", ""))).splitlines():
            text = line.strip().removeprefix(f"{severity}: ").strip()
            if text and text not in seen and not text.startswith(_CHATTER):
                seen.add(text)
                yield text
