"""What has to change on a node for it to have the labels and taints that it should. Pure.

What was set is written on the node itself, so that it can be taken away again by whoever comes next, and nothing else is:
labels of others, taints of the node controller, of an operator, of a person.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

OURS = "multus-site/topology"
"""Annotation of a node: keys of our labels, and `key:effect` of our taints, in JSON."""


@dataclass(frozen=True)
class Wanted:
    """Labels of a node, and its taints, each as `spec.taints` has it."""

    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Mapping[str, str], ...] = ()

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> "Wanted":
        """From JSON's data."""
        return cls(dict(data.get("labels", {})), tuple(data.get("taints", ())))


def patch(node: Mapping[str, Any], wanted: Wanted) -> dict[str, Any] | None:
    """A merge patch of the node as it is; None where there is nothing to do.

    `spec.taints` is one list that others write too, so the patch names the version of the node that it was made for:
    the API server refuses it (409) once somebody has changed that meanwhile.
    """
    metadata, spec = node["metadata"], node.get("spec", {})
    there, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    before = _ours(annotations.get(OURS))
    labels: dict[str, str | None] = {key: None for key in before["labels"] if key in there and key not in wanted.labels}
    labels |= {key: value for key, value in wanted.labels.items() if there.get(key) != value}
    mark = _mark(wanted)
    taints = _taints(spec.get("taints") or [], before["taints"], wanted)
    changed: dict[str, Any] = {}
    if labels:
        changed["labels"] = labels
    if annotations.get(OURS) != mark:
        changed["annotations"] = {OURS: mark}
    found: dict[str, Any] = {"metadata": changed} if changed else {}
    if taints is not None:
        found["spec"] = {"taints": taints}
    if not found:
        return None
    found["metadata"] = {**changed, "resourceVersion": metadata["resourceVersion"]}
    return found


def new_evicting(node: Mapping[str, Any], wanted: Wanted) -> list[Mapping[str, str]]:
    """Taints that the node has not yet and that end pods there."""
    there = node.get("spec", {}).get("taints") or []
    return [t for t in wanted.taints if t["effect"] == "NoExecute" and not any(_like(t, one) for one in there)]


def _taints(there: list[dict[str, Any]], before: list[str], wanted: Wanted) -> list[dict[str, Any]] | None:
    """The whole list as it shall be; None where it is so already. A node has one taint of a key and effect."""
    names = {_name(taint) for taint in wanted.taints}
    # A value of ours that is there already stays as it is, with the time that the API server may have put on it.
    kept = [taint for taint in there if _name(taint) not in names | set(before) or _same(taint, wanted)]
    new = [dict(taint) for taint in wanted.taints if not any(_like(taint, one) for one in kept)]
    return None if not new and len(kept) == len(there) else [*kept, *new]


def _same(taint: Mapping[str, Any], wanted: Wanted) -> bool:
    return any(_like(one, taint) for one in wanted.taints)


def _like(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all((one.get(key) or "") == (other.get(key) or "") for key in ("key", "value", "effect"))


def _name(taint: Mapping[str, Any]) -> str:
    return f"{taint['key']}:{taint['effect']}"


def _mark(wanted: Wanted) -> str | None:
    """What is written on the node; nothing where nothing of it is ours."""
    if not wanted.labels and not wanted.taints:
        return None
    return json.dumps({"labels": sorted(wanted.labels), "taints": sorted(map(_name, wanted.taints))})


def _ours(mark: str | None) -> dict[str, list[str]]:
    """What is ours on a node. A text that we did not write counts for none."""
    try:
        data = json.loads(mark or "{}")
        return {kind: [str(one) for one in data.get(kind, [])] for kind in ("labels", "taints")}
    except (ValueError, AttributeError, TypeError):
        return {"labels": [], "taints": []}
