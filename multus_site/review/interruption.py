"""Expected interruptions: of what, and until when."""

from collections.abc import Collection, Iterator

from multus_site.model.nodes import LibvirtNodes
from multus_site.review import racks
from multus_site.review.data import Effect, Playbook, Pods
from multus_site.review.effects import Change
from multus_site.review.machines import restarted
from multus_site.review.preview import Preview
from multus_site.review.wording import counted, listed

ELSEWHERE = "on other nodes where they may run"
READY = "until the new pods are ready (the update fails after 300 s)"

_DAEMONS = {
    "Multus": "pods that start while its daemon restarts wait for it; running pods keep their interfaces",
    "Whereabouts": "pods that start while its daemon restarts wait for it; running pods keep their addresses",
    "DhcpDaemon": "leases are not renewed for some seconds while its daemon restarts",
    "Sriov": "pods that start while its daemon restarts wait for it; running pods keep their devices",
}


def expected(
    change: Change, preview: Preview, playbooks: tuple[Playbook, ...], pods: list[Pods], daemons: Collection[str]
) -> tuple[Effect, ...]:
    """Return the interruptions; empty if nobody notices the change. `daemons`: components whose daemon restarts."""
    found = [effect for run in playbooks for effect in _of_playbook(change, run)]
    for one in pods:
        if one.change == "restart" and one.level != "note":
            found.append(Effect("care", f"workload {one.workload}", f"{one.how}; down {READY}"))
        elif one.change == "end":
            found.append(Effect("danger", f"workload {one.workload}", f"{one.how}: {one.why}"))
        elif one.change == "scale" and one.level != "note":
            found.append(
                Effect(
                    one.level,
                    f"workload {one.workload}",
                    f"{one.how}; {'none is left' if one.level == 'danger' else 'the others keep running'}",
                )
            )
    if change.old:
        found += racks.evictions(change.old, change.new)
    found += [Effect("care", owner, text) for owner, text in _DAEMONS.items() if owner in daemons]
    for step in preview.steps_of("NodeVM", "replace", "delete"):
        if step.name.endswith("-machine"):
            until = " for some minutes, until it has joined again" if step.op == "replace" else ""
            text = f"its machine and everything on it is destroyed; its pods need room on other nodes{until}"
            found.append(Effect("danger", f"node {change.node_of(step)}", text))
    if change.old and isinstance(change.old.nodes, LibvirtNodes) and isinstance(change.new.nodes, LibvirtNodes):
        text = "its machine restarts: its pods are down for some minutes"
        found += [Effect("care", f"node {node}", text) for node in restarted(change.old.nodes, change.new.nodes)]
    return tuple(dict.fromkeys(found))


def _of_playbook(change: Change, run: Playbook) -> Iterator[Effect]:
    if run.playbook == "upgrade-cluster.yml":
        yield from _upgrade(change, run)
    elif run.playbook == "remove-node.yml":
        workloads = _workloads_on(change, run.node)
        pods = f"its pods of {listed(workloads)}" if workloads else "its pods"
        yield Effect("danger", f"node {run.node}", f"it is drained: {pods} are evicted, and start {ELSEWHERE}")
        alone = [w for w in workloads if _nowhere_else(change, w, run.node)]
        if alone:
            yield Effect(
                "danger", f"node {run.node}", f"no other node may run {listed(alone)}: down until the site allows one"
            )
    elif run.playbook == "cluster.yml" and change.old is not None and run.creates != "first":
        if run.creates == "another":
            yield Effect("danger", "the cluster", "a new cluster is created: everything in the earlier one is lost")
            return
        text = "Kubespray reapplies the settings on every node; pods keep running, but kubelet, containerd or the API server may restart"
        yield Effect("care", "the cluster", text)


def _upgrade(change: Change, run: Playbook) -> Iterator[Effect]:
    site = change.new
    first = site.with_role("control-plane")
    if len(first) == 1:
        text = f"{first[0]} is the only control plane node: the API server is down for some minutes during its upgrade; running pods keep running"
        yield Effect("danger", "the cluster", text)
    text = f"nodes are drained in turn (20 % at a time, or Kubespray's `serial`), about 5 minutes each: their pods are evicted, and start {ELSEWHERE}"
    yield Effect("danger", f"all {counted(len(run.hosts), 'node')}", text)
    pinned = [
        f"{name} on {nodes[0]}"
        for name, workload in site.workloads.items()
        if len(nodes := site.nodes_of(workload)) == 1 and workload.kind != "DaemonSet"
    ]
    if pinned:
        yield Effect("danger", "workloads pinned to one node", f"{listed(pinned)}: down while their node is drained")


def _workloads_on(change: Change, node: str) -> list[str]:
    site = change.old
    return [name for name, w in site.workloads.items() if node in site.nodes_of(w)] if site else []


def _nowhere_else(change: Change, workload: str, node: str) -> bool:
    site = change.new
    return workload in site.workloads and set(site.nodes_of(site.workloads[workload])) <= {node}
