"""Compare the racks of two sites: labels and taints of nodes that stay, and the pods that a taint evicts."""

from collections.abc import Iterator

from multus_site.model.racks import Taint
from multus_site.model.site import Site
from multus_site.review.data import Effect, Level
from multus_site.review.wording import listed


def differences(old: Site, new: Site) -> Iterator[Effect]:
    """Yield what changes by rack, for nodes that stay in it and nodes that move to it."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name in _staying(old, new):
        moved = (old.nodes.hosts[name].rack or "none", new.nodes.hosts[name].rack or "none")
        groups.setdefault(moved, []).append(name)
    for (before, after), nodes in groups.items():
        taint = _taint(old, new, nodes)
        if before != after:
            level, text = taint or ("care", "running pods stay")
            about = f"node{'s' if len(nodes) > 1 else ''} {listed(nodes)}"
            yield Effect(level, about, f"rack {before} → {after}: labels change; {text}")
            continue
        if labels := _labels(old, new, nodes[0]):
            yield Effect("care", f"rack {after}", f"labels of {listed(nodes)} change ({labels}); running pods stay")
        if taint:
            yield Effect(taint[0], f"rack {after}", taint[1])


def evictions(old: Site, new: Site) -> Iterator[Effect]:
    """Yield the nodes whose new taint evicts pods."""
    for name in _staying(old, new):
        was, now = old.taint_of(name), new.taint_of(name)
        if now is not None and now != was and now.effect == "NoExecute":
            evicted = _kept_off(old, new, name, now)
            pods = f"its pods of {listed(evicted)}" if evicted else "its pods"
            yield Effect(
                "danger", f"node {name}", f"its taint evicts {pods}, which start on other nodes where they may run"
            )


def _staying(old: Site, new: Site) -> list[str]:
    return [name for name in new.nodes.hosts if name in old.nodes.hosts]


def _labels(old: Site, new: Site, node: str) -> str:
    before, after = old.labels_of(node), new.labels_of(node)
    keys = dict.fromkeys((*after, *before))
    moved = [key for key in keys if before.get(key) != after.get(key)]
    return ", ".join(f"{key} {before.get(key, 'none')} → {after.get(key, 'none')}" for key in moved)


def _taint(old: Site, new: Site, nodes: list[str]) -> tuple[Level, str] | None:
    """Return what the taint of nodes means that all have the same one; None if it stays the same."""
    was, now = old.taint_of(nodes[0]), new.taint_of(nodes[0])
    if was == now:
        return None
    if now is None:
        return "note", f"no longer dedicated (taint {was} is removed): any pod may start on {listed(nodes)}"
    evicted = list(dict.fromkeys(name for node in nodes for name in _kept_off(old, new, node, now)))
    pods = f"pods of {listed(evicted)}" if evicted else "pods"
    how = f"taint {was} → {now}" if was else f"becomes dedicated (taint {now})"
    if now.effect == "NoExecute":
        return "danger", f"{how}: evicts {pods} from {listed(nodes)} at once, CoreDNS and the like included"
    return "care", f"{how}: running {pods} stay on {listed(nodes)}, but no new ones start there"


def _kept_off(old: Site, new: Site, node: str, taint: Taint) -> list[str]:
    """Return the workloads whose pods may run on the node now, and do not tolerate its new taint."""
    allowed = {name: workload for name, workload in old.workloads.items() if node in old.nodes_of(workload)}
    return [name for name in allowed if name not in new.workloads or taint not in new.tolerated(new.workloads[name])]
