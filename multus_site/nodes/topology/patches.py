"""Computes patches that give nodes their labels and taints.

An annotation of the node lists what was set, so that a later run removes exactly that: no labels or taints of the node controller, of an
operator or of a person.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

OURS = "multus-site/topology"
"""Annotation of a node: keys of our labels, and `key:effect` of our taints, in JSON."""


@dataclass(frozen=True)
class Wanted:
    """Labels of a node, and its taints in the format of `spec.taints`."""

    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Mapping[str, str], ...] = ()

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> "Wanted":
        """From the document."""
        return cls(dict(data.get("labels", {})), tuple(data.get("taints", ())))


def patch(node: Mapping[str, Any], wanted: Wanted) -> dict[str, Any] | None:
    """A merge patch for the node; None if nothing has to change.

    Other clients write the list `spec.taints` too, so the patch has the resourceVersion of the node: the API server refuses it (409) if the
    node has changed since.
    """
    metadata, spec = node["metadata"], node.get("spec", {})
    current, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    before = _ours(annotations.get(OURS))
    labels: dict[str, str | None] = {
        key: None for key in before["labels"] if key in current and key not in wanted.labels
    }
    labels |= {key: value for key, value in wanted.labels.items() if current.get(key) != value}
    mark = _mark(wanted)
    taints = _taints(spec.get("taints") or [], before["taints"], wanted)
    changed: dict[str, Any] = {}
    if labels:
        changed["labels"] = labels
    if annotations.get(OURS) != mark:
        changed["annotations"] = {OURS: mark}
    if not changed and taints is None:
        return None
    result: dict[str, Any] = {"metadata": {**changed, "resourceVersion": metadata["resourceVersion"]}}
    if taints is not None:
        result["spec"] = {"taints": taints}
    return result


def new_evicting(node: Mapping[str, Any], wanted: Wanted) -> list[Mapping[str, str]]:
    """Taints that evict pods and that the node does not have yet."""
    current = node.get("spec", {}).get("taints") or []
    return [t for t in wanted.taints if t["effect"] == "NoExecute" and not any(_like(t, one) for one in current)]


def _taints(current: list[dict[str, Any]], before: list[str], wanted: Wanted) -> list[dict[str, Any]] | None:
    """The new list of taints; None if it does not change. A node has one taint for each key and effect."""
    names = {_name(taint) for taint in wanted.taints}
    # A taint that is already right stays as it is, including the time that the API server may have added.
    kept = [taint for taint in current if _name(taint) not in names | set(before) or _same(taint, wanted)]
    new = [dict(taint) for taint in wanted.taints if not any(_like(taint, one) for one in kept)]
    return None if not new and len(kept) == len(current) else [*kept, *new]


def _same(taint: Mapping[str, Any], wanted: Wanted) -> bool:
    return any(_like(one, taint) for one in wanted.taints)


def _like(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all((one.get(key) or "") == (other.get(key) or "") for key in ("key", "value", "effect"))


def _name(taint: Mapping[str, Any]) -> str:
    return f"{taint['key']}:{taint['effect']}"


def _mark(wanted: Wanted) -> str | None:
    """The value of the annotation; None if the site sets nothing."""
    if not wanted.labels and not wanted.taints:
        return None
    return json.dumps({"labels": sorted(wanted.labels), "taints": sorted(map(_name, wanted.taints))})


def _ours(mark: str | None) -> dict[str, list[str]]:
    """The labels and taints that the annotation lists; none if it cannot be parsed."""
    try:
        data = json.loads(mark or "{}")
        return {kind: [str(one) for one in data.get(kind, [])] for kind in ("labels", "taints")}
    except (ValueError, AttributeError, TypeError):
        return {"labels": [], "taints": []}
