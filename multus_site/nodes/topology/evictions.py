"""Waits until pods that a taint evicts are deleted and replaced, so that the next step finds a site at rest."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import kr8s

SECONDS = 90
"""Time limit. The verification reports what is not ready by then."""

PAUSE = 1.0
_KINDS = ("deployments", "statefulsets")

Taint = Mapping[str, Any]


def tolerates(pod: Mapping[str, Any], taint: Taint) -> bool:
    """Whether a pod may stay on a node with the taint without a time limit (Kubernetes: Toleration.ToleratesTaint)."""
    return any(
        t.get("effect") in (None, "", taint["effect"])
        and t.get("key") in (None, "", taint["key"])
        and (t.get("operator") == "Exists" or (t.get("key") and (t.get("value") or "") == (taint.get("value") or "")))
        and t.get("tolerationSeconds") is None
        for t in pod["spec"].get("tolerations") or []
    )


async def at_rest(api: Any) -> set[str]:  # noqa: ANN401  # kr8s' has no public type
    """Deployments and StatefulSets all of whose pods are ready, as kind/namespace/name."""
    found = set()
    for kind in _KINDS:
        async for one in api.get(kind, namespace=kr8s.ALL):
            wanted = one.raw["spec"].get("replicas", 1)
            if one.raw.get("status", {}).get("readyReplicas", 0) >= wanted:
                found.add(f"{kind}/{one.namespace}/{one.name}")
    return found


async def settled(api: Any, taints: Mapping[str, Sequence[Taint]], before: set[str]) -> Iterable[str]:  # noqa: ANN401  # as above
    """Wait until the taints (node → its new taints) have evicted all pods, and all workloads of `before` are ready again.

    Returns what is not ready after the time limit: remaining pods, or workloads.
    """
    until = time.monotonic() + SECONDS
    while True:
        left = await _left(api, taints) or sorted(before - await at_rest(api))
        if not left or time.monotonic() > until:
            return left
        await asyncio.sleep(PAUSE)


async def _left(api: Any, taints: Mapping[str, Sequence[Taint]]) -> list[str]:  # noqa: ANN401  # as above
    """Pods on these nodes that the taints evict. Taints do not evict static pods."""
    found = []
    for node, its in taints.items():
        async for pod in api.get("pods", namespace=kr8s.ALL, field_selector={"spec.nodeName": node}):
            mirror = "kubernetes.io/config.mirror" in (pod.raw["metadata"].get("annotations") or {})
            ended = pod.raw.get("status", {}).get("phase") in {"Succeeded", "Failed"}
            if not mirror and not ended and not all(tolerates(pod.raw, taint) for taint in its):
                found.append(f"pods/{pod.namespace}/{pod.name}")
    return found
