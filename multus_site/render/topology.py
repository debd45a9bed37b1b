"""Racks in Kubernetes: labels and taints of nodes, tolerations and spread of pods."""

from collections.abc import Iterable
from typing import Any

from multus_site.model.racks import LABELS, Spread, Taint
from multus_site.model.site import Site


def nodes(site: Site) -> dict[str, dict[str, Any]]:
    """Node → its labels and taints. All nodes, so that one that leaves its rack loses them; empty if no host is in a rack."""
    found = {}
    for name in site.nodes.hosts:
        taint = site.taint_of(name)
        found[name] = {"labels": site.labels_of(name), "taints": [taint.model_dump()] if taint else []}
    return found if any(its["labels"] for its in found.values()) else {}


def taints(site: Site) -> list[Taint]:
    """The taints of all dedicated racks, each once."""
    return list(dict.fromkeys(taint for node in site.nodes.hosts if (taint := site.taint_of(node))))


def tolerations(tolerated: Iterable[Taint]) -> list[dict[str, Any]]:
    """Tolerations of these taints."""
    return [{"key": t.key, "operator": "Equal", "value": t.value, "effect": t.effect} for t in tolerated]


def spread(spreads: Iterable[Spread], selector: dict[str, str]) -> list[dict[str, Any]]:
    """Constraints that spread the pods of a selector.

    Nodes whose taints the pods do not tolerate do not count, so dedicated racks and failed nodes do not keep pods pending.
    """
    return [
        {
            "maxSkew": one.max_skew,
            "topologyKey": LABELS[one.over],
            "whenUnsatisfiable": one.when_unsatisfiable,
            "labelSelector": {"matchLabels": selector},
            "nodeTaintsPolicy": "Honor",
        }
        for one in spreads
    ]


def in_racks(racks: Iterable[str], *, out: bool = False) -> dict[str, Any]:
    """A node affinity expression for nodes in these racks; with `out`, for nodes in none of them."""
    return {"key": LABELS["rack"], "operator": "NotIn" if out else "In", "values": list(racks)}


def on_nodes(names: Iterable[str]) -> dict[str, Any]:
    """A node affinity expression for nodes by name."""
    return {"key": LABELS["node"], "operator": "In", "values": list(names)}


def affinity(expression: dict[str, Any]) -> dict[str, Any]:
    """Required node affinity."""
    terms = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
