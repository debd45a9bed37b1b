"""What stands still, for whom, and until when, as far as it can be known before."""

from collections.abc import Iterator

from multus_site.model.nodes import LibvirtNodes
from multus_site.review import racks
from multus_site.review.data import Playbook, Pods, Saying
from multus_site.review.effects import Change
from multus_site.review.machines import restarted
from multus_site.review.preview import Preview
from multus_site.review.wording import counted, listed

READY = "until the new pods are ready (the update fails after 300 s)"

_DAEMONS = {
    "Multus": "pods that start while its daemon restarts wait for it; those that run keep their interfaces",
    "Whereabouts": "pods that start while its daemon restarts wait for it; those that run keep their addresses",
    "DhcpDaemon": "leases are not renewed while its daemon restarts, a matter of seconds",
    "Sriov": "pods that start while its daemon restarts wait for it; those that run keep their devices",
}


def expected(change: Change, preview: Preview, playbooks: tuple[Playbook, ...], pods: list[Pods]) -> tuple[Saying, ...]:
    """A sentence for each interruption; none where nobody notices anything."""
    found = [saying for run in playbooks for saying in _of_playbook(change, run)]
    for one in pods:
        if one.change == "restart" and one.level != "note":
            found.append(Saying("care", f"workload {one.workload}", f"{one.how}; down {READY}"))
        elif one.change == "end":
            found.append(Saying("danger", f"workload {one.workload}", f"its pods end: {one.why}"))
        elif one.change == "scale" and one.level != "note":
            found.append(
                Saying(
                    one.level,
                    f"workload {one.workload}",
                    f"{one.how}; {'none is left' if one.level == 'danger' else 'those that stay go on'}",
                )
            )
    if change.old:
        found += racks.evictions(change.old, change.new)
    for owner, text in _DAEMONS.items():
        if any(step.kind.endswith(":DaemonSet") for step in preview.steps_of(owner, "update", "replace")):
            found.append(Saying("care", owner, text))
    for step in preview.steps_of("NodeVM", "replace", "delete"):
        if step.name.endswith("-machine"):
            until = " until it has joined again, some minutes" if step.op == "replace" else ""
            text = f"the machine goes, and everything on it; what runs there must find room on other nodes{until}"
            found.append(Saying("danger", f"node {change.node_of(step)}", text))
    if change.old and isinstance(change.old.nodes, LibvirtNodes) and isinstance(change.new.nodes, LibvirtNodes):
        text = "its machine is shut down and started again: its pods are away for some minutes"
        found += [Saying("care", f"node {node}", text) for node in restarted(change.old.nodes, change.new.nodes)]
    return tuple(dict.fromkeys(found))


def _of_playbook(change: Change, run: Playbook) -> Iterator[Saying]:
    if run.playbook == "upgrade-cluster.yml":
        yield from _upgrade(change, run)
    elif run.playbook == "remove-node.yml":
        there = _workloads_on(change, run.node)
        pods = f"pods of {listed(there)} that run there" if there else "pods that run there"
        yield Saying(
            "danger", f"node {run.node}", f"it is drained: {pods} end, and start elsewhere where they may run elsewhere"
        )
        alone = [w for w in there if _nowhere_else(change, w, run.node)]
        if alone:
            yield Saying(
                "danger", f"node {run.node}", f"no other node may run {listed(alone)}: down until the site gives it one"
            )
    elif run.playbook == "cluster.yml" and change.old is not None and run.reason != "first run":
        if "no machine of the earlier cluster" in run.reason:
            yield Saying("danger", "the cluster", "a new one is made: all that was in the earlier one is gone")
            return
        text = "settings are gone through on every node; pods go on, kubelet, containerd or the API server may restart for seconds"
        yield Saying("care", "the cluster", text)


def _upgrade(change: Change, run: Playbook) -> Iterator[Saying]:
    site = change.new
    first = site.with_role("control-plane")
    if len(first) == 1:
        text = f"{first[0]} is the only control plane node: the API server is away while it is upgraded, some minutes; running pods go on"
        yield Saying("danger", "the cluster", text)
    text = "each node is drained in turn (20 % at a time, or Kubespray's `serial`), some 5 minutes a node: its pods end, and start elsewhere where they may run elsewhere"
    yield Saying("danger", f"all {counted(len(run.hosts), 'node')}", text)
    pinned = [
        f"{name} on {nodes[0]}"
        for name, workload in site.workloads.items()
        if len(nodes := site.nodes_of(workload)) == 1 and workload.kind != "DaemonSet"
    ]
    if pinned:
        yield Saying("danger", "workloads of one node", f"{listed(pinned)}: down for as long as their node is drained")


def _workloads_on(change: Change, node: str) -> list[str]:
    site = change.old
    return [name for name, w in site.workloads.items() if node in site.nodes_of(w)] if site else []


def _nowhere_else(change: Change, workload: str, node: str) -> bool:
    site = change.new
    return workload in site.workloads and set(site.nodes_of(site.workloads[workload])) <= {node}
