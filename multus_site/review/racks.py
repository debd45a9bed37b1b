"""Racks of two sites held against each other: labels and taints of nodes that stay, and whose pods that ends."""

from collections.abc import Iterator

from multus_site.model.racks import Taint
from multus_site.model.site import Site
from multus_site.review.data import Level, Saying
from multus_site.review.wording import listed


def differences(old: Site, new: Site) -> Iterator[Saying]:
    """What is said of nodes by rack: of those that stay in it, and of those that come from another one."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name in _staying(old, new):
        moved = (old.nodes.hosts[name].rack or "none", new.nodes.hosts[name].rack or "none")
        groups.setdefault(moved, []).append(name)
    for (before, after), nodes in groups.items():
        taint = _taint(old, new, nodes)
        if before != after:
            level, text = taint or ("care", "running pods stay")
            about = f"node{'s' if len(nodes) > 1 else ''} {listed(nodes)}"
            yield Saying(level, about, f"rack {before} → {after}: other labels; {text}")
            continue
        if labels := _labels(old, new, nodes[0]):
            yield Saying("care", f"rack {after}", f"labels of {listed(nodes)} change ({labels}); running pods stay")
        if taint:
            yield Saying(taint[0], f"rack {after}", taint[1])


def evictions(old: Site, new: Site) -> Iterator[Saying]:
    """Nodes whose pods end by a taint that was not there before."""
    for name in _staying(old, new):
        was, now = old.taint_of(name), new.taint_of(name)
        if now is not None and now != was and now.effect == "NoExecute":
            ended = _kept_off(old, new, name, now)
            pods = f"pods of {listed(ended)} that run there" if ended else "pods that run there"
            yield Saying("danger", f"node {name}", f"{pods} end by its taint, and start elsewhere where they may")


def _staying(old: Site, new: Site) -> list[str]:
    return [name for name in new.nodes.hosts if name in old.nodes.hosts]


def _labels(old: Site, new: Site, node: str) -> str:
    before, after = old.labels_of(node), new.labels_of(node)
    keys = dict.fromkeys((*after, *before))
    moved = [key for key in keys if before.get(key) != after.get(key)]
    return ", ".join(f"{key} {before.get(key, 'none')} → {after.get(key, 'none')}" for key in moved)


def _taint(old: Site, new: Site, nodes: list[str]) -> tuple[Level, str] | None:
    """What the taint of nodes that are treated alike means from now on; None where it is what it was."""
    was, now = old.taint_of(nodes[0]), new.taint_of(nodes[0])
    if was == now:
        return None
    if now is None:
        return "note", f"dedicated no more ({was} goes): every pod may start on {listed(nodes)}"
    ended = list(dict.fromkeys(name for node in nodes for name in _kept_off(old, new, node, now)))
    pods = f"pods of {listed(ended)}" if ended else "pods"
    how = f"taint {was} → {now}" if was else f"dedicated from now on (taint {now})"
    if now.effect == "NoExecute":
        return (
            "danger",
            f"{how}: {pods} that run on {listed(nodes)} end at once, CoreDNS and the like too if they do there",
        )
    return "care", f"{how}: {pods} that run on {listed(nodes)} stay until they end, and start there no more"


def _kept_off(old: Site, new: Site, node: str, taint: Taint) -> list[str]:
    """Workloads whose pods may run on the node, and do not tolerate what it has from now on."""
    there = {name: workload for name, workload in old.workloads.items() if node in old.nodes_of(workload)}
    return [name for name in there if name not in new.workloads or taint not in new.tolerated(new.workloads[name])]
