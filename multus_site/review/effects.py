"""What the steps of a preview mean for pods, machines and objects of the site."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from multus_site.model.catalog import Catalog
from multus_site.model.site import Site
from multus_site.model.workloads import Workload, replica_name
from multus_site.review import workloads
from multus_site.review.data import Effect, Level, Network, Pods
from multus_site.review.preview import Preview, Step
from multus_site.review.wording import listed

_LEFT = "it is no longer in the site"
_MAKES_PODS = ("Deployment", "StatefulSet", "DaemonSet")
_ONE_POD = "its pod stops before the new one starts"


@dataclass(frozen=True)
class Change:
    """A site before (None if it is new) and after, each with its catalogue."""

    old: Site | None
    new: Site
    old_catalog: Catalog = field(default_factory=Catalog)
    new_catalog: Catalog = field(default_factory=Catalog)

    def short(self, step: Step) -> str:
        """Return a resource's name without the site's prefix."""
        for site in (self.new, self.old):
            if site and step.name.startswith(f"{site.name}-"):
                return step.name.removeprefix(f"{site.name}-")
        return step.name

    def node_of(self, step: Step) -> str:
        """Return the node that a resource belongs to; empty if none."""
        hosts = {*self.new.nodes.hosts, *(self.old.nodes.hosts if self.old else ())}
        short = self.short(step)
        return max((h for h in hosts if short == h or short.startswith(f"{h}-")), key=len, default="")

    def workload_of(self, step: Step) -> tuple[str, Workload | None, Workload | None]:
        """Return the workload that a resource belongs to: name, before, after."""
        short = self.short(step)
        for site in (self.new, self.old):
            for name, workload in site.workloads.items() if site else ():
                names = {name, *(replica_name(name, i) for i in range(workload.replicas if workload.sticky else 0))}
                if short in names:
                    before = self.old.workloads.get(name) if self.old else None
                    return name, before, self.new.workloads.get(name)
        return short, None, None


def pods(change: Change, preview: Preview, networks: Collection[Network]) -> list[Pods]:
    """Return the workloads whose pods stop, start or are recreated."""
    changed = {n.name for n in networks if n.remade}
    found: dict[tuple[str, str], Pods] = {}
    for step in preview.steps_of("Workload"):
        kind = step.kind.rpartition(":")[2]
        if kind in _MAKES_PODS:
            one = _pods(change, step, kind, changed)
            if one is not None:
                before = found.get((one.workload, one.change))
                # Each sticky replica is an object of its own; the review shows their workload.
                found[one.workload, one.change] = _together(before, one) if before else one
    return list(found.values())


def daemons(preview: Preview) -> set[str]:
    """Return the components whose daemon restarts."""
    return {
        step.owner for step in preview.steps if step.op in {"update", "replace"} and step.kind.endswith(":DaemonSet")
    }


def _together(first: Pods, more: Pods) -> Pods:
    return Pods(first.workload, first.kind, first.change, first.level, first.pods + more.pods, first.how, first.why)


def _pods(change: Change, step: Step, kind: str, changed: Collection[str]) -> Pods | None:
    name, old, new = change.workload_of(step)
    was, now = number_of_pods(change.old, old), number_of_pods(change.new, new)
    sticky = bool((new or old) and (new or old).sticky)  # type: ignore[union-attr]  # one of them exists
    if step.op == "create":
        return Pods(name, kind, "start", "note", 1 if sticky else now, "new", started(change, name))
    if step.op == "delete":
        end = ended(change, name)
        how = "its pods are deleted and not replaced" if end == _LEFT else "its pods are deleted"
        return Pods(name, kind, "end", "danger", 1 if sticky else was, how, end)
    template = step.op == "replace" or any(path.startswith("spec.template") for path in step.paths)
    if not template:
        scaled = any(path.startswith("spec.replicas") for path in step.paths)
        if scaled and was != now:
            how = f"{was} → {now} pods"
            level: Level = "danger" if now == 0 else "care" if now < was else "note"
            return Pods(name, kind, "scale", level, abs(now - was), how, "replicas changed")
        return None
    why = []
    if change.old and old and new:
        why = workloads.reasons(change.old, change.new, name, changed)
    if not why:
        why = _paths(step)
    how, level = how_recreated(kind, now, sticky=sticky)
    if step.op == "replace":
        how = f"the {kind} is replaced, because {listed(step.paths)} changed; {how}"
    return Pods(name, kind, "restart", level, 1 if sticky else now, how, "; ".join(why))


def number_of_pods(site: Site | None, workload: Workload | None) -> int:
    """Return how many pods a workload has; 0 where it is not in the site."""
    if site is None or workload is None:
        return 0
    return len(site.nodes_of(workload)) if workload.kind == "DaemonSet" else workload.replicas


def how_recreated(kind: str, count: int, *, sticky: bool) -> tuple[str, Level]:
    """Return how pods of a kind are recreated, and the level of that interruption."""
    if count == 0:
        return "it has no pods", "note"
    if kind == "Deployment":
        return _ONE_POD if count == 1 else f"all {count} pods stop before new ones start", "care"
    if kind == "DaemonSet":
        return "one node at a time: each is without its pod until the new one is ready", "care"
    if sticky:
        return "one pod at a time, each with its own address", "care"
    return _ONE_POD if count == 1 else "one pod at a time", "care"


def started(change: Change, name: str) -> str:
    """Return why pods of a workload start."""
    if other := _otherwise(change, name, "was"):
        return other
    renamed = workloads.same_but_name(change.old, change.new) if change.old else {}
    if name in renamed:
        return f"it was called {renamed[name]}"
    return "new in the site" if change.old is None or name not in change.old.workloads else "more replicas"


def _otherwise(change: Change, name: str, how: str) -> str:
    """Return why a workload that stays in the site is deleted in one form and created in another."""
    old, new = change.old, change.new
    if old is None or name not in old.workloads or name not in new.workloads:
        return ""
    before, after = old.workloads[name], new.workloads[name]
    for what in ("kind", "namespace"):
        was, now = getattr(before, what), getattr(after, what)
        if was != now:
            return f"its {what} {how} {was if how == 'was' else now}{'' if how == 'was' else ' now'}"
    if old.name != new.name:
        return f"the site {how} called {old.name if how == 'was' else new.name}"
    return ""


def ended(change: Change, name: str) -> str:
    """Return why the pods of a workload are deleted."""
    if other := _otherwise(change, name, "is"):
        return other
    if name in change.new.workloads:
        return "fewer replicas"
    renamed = {o: n for n, o in workloads.same_but_name(change.old, change.new).items()} if change.old else {}
    return f"it is called {renamed[name]} now" if name in renamed else _LEFT


def _paths(step: Step) -> list[str]:
    """Return the properties that differ, where the sites give no reason."""
    plain = [re.sub(r'\["[^"]*"\]|\[\d+\]', "", path.removeprefix("spec.template.")) for path in step.paths]
    return [f"{listed(list(dict.fromkeys(plain)), 4)} differs from what was applied"]


def reconnected(step: Step) -> bool:
    """Return whether the connection to a node changes: key, user, port, bastion or host key.

    The commands that remove a node do not count: they run on another node.
    """
    others = step.name.endswith("-leave")
    return step.op == "update" and not others and any(path.startswith("connection") for path in step.paths)


def destroyed(change: Change, preview: Preview) -> list[Effect]:
    """Return everything that is replaced or deleted, and why, grouped; without resources that only exist in the state."""
    groups: dict[tuple[Level, str, str], list[str]] = {}
    for step in preview.steps:
        if step.op in {"replace", "delete"} and step.owner and (row := _destroyed(change, step)):
            level, what, name, text = row
            groups.setdefault((level, what, text), []).append(name)
    return [
        Effect(
            level,
            f"{what.replace('machine of', 'machines of') if len(names) > 1 else what} {listed(list(dict.fromkeys(names)))}".strip(),
            text,
        )
        for (level, what, text), names in groups.items()
    ]


def _destroyed(change: Change, step: Step) -> tuple[Level, str, str, str] | None:
    """Return the level, the kind of thing, its name, and what happens and why."""
    kind = step.kind.rpartition(":")[2]
    if step.kind.startswith("command:") and not step.before.get("delete"):
        return None  # removes nothing: facts, checks, a command whose connection changed
    node = change.node_of(step)
    forced = listed(list(dict.fromkeys(_forcing(step, path) for path in step.paths)), 4)
    replaced = f"replaced, because {forced} changed" if step.op == "replace" else ""
    left = f"{node} is no longer in the site" if node and node not in change.new.nodes.hosts else _called(change)
    if step.name.endswith("-machine"):
        recreated = f"{replaced}: the node is drained and taken out of the cluster, its machine is recreated, and the node joins again"
        gone = f"destroyed, because {left or 'the site no longer has it'}"
        return "danger", "machine of", node, recreated if replaced else gone
    if step.owner == "KubesprayCluster" and step.name.endswith("-kubespray"):
        text = (
            replaced
            or f"destroyed, because {left or 'the site has none'}: reset.yml removes Kubernetes from nodes that stay"
        )
        return "danger", "the cluster", "", text
    if step.owner == "CniPlugins":
        return "care", "CNI plugin binaries on all nodes", "", replaced or f"removed, because {left}"
    if step.owner == "NodeNetworks":
        what = "links, functions and configurations on"
        return "care", what, node, replaced or f"removed, because {left or 'nothing there needs them any more'}"
    if not step.kind.startswith("kubernetes:"):
        return None  # facts and checks, which leave nothing behind
    if step.owner == "NetworkAttachment":
        name = change.short(step)
        gone = _called(change) or f"network {name} is no longer in the site"
        return "care", kind, _object(step), replaced or f"deleted, because {gone}"
    if step.owner == "Workload":
        name, _, _ = change.workload_of(step)
        return "danger", kind, _object(step), replaced or f"deleted, because {ended(change, name)}"
    why = replaced or f"deleted, because {_called(change) or 'nothing in the site needs it any more'}"
    return "care", f"{step.owner}:", kind, why


def _called(change: Change) -> str:
    renamed = change.old is not None and change.old.name != change.new.name
    return f"the site is called {change.new.name} now" if renamed else ""


def _forcing(step: Step, path: str) -> str:
    """Return a property that forces a replacement, in words. The triggers of a machine are image, address and NICs, in this order, or begin with their name."""
    number = re.fullmatch(r"triggers\[(\d+)\]", path)
    if number is None:
        return path
    index, triggers = int(number[1]), (step.after or step.before).get("triggers")
    words = str(triggers[index]).split() if isinstance(triggers, list) and index < len(triggers) else []
    if words[:1] in (["hypervisor"], ["storage"]):
        return f"its {words[0]}"
    return ("its image", "its address")[index] if index < 2 else "its NICs"


def _object(step: Step) -> str:
    metadata = (step.before or step.after).get("metadata")
    if not isinstance(metadata, Mapping):
        return step.name
    return "/".join(filter(None, (metadata.get("namespace"), metadata.get("name")))) or step.name


def others(preview: Preview) -> list[str]:
    """Return what else runs or changes."""
    found = [_OTHERS.get(step.owner, "") for step in preview.steps if step.op in {"create", "update"}]
    return [text for text in dict.fromkeys(found) if text]


_OTHERS = {
    "NodeVM": "NICs and package sources of nodes are set up",
    "Preflight": "preflight checks the hosts",
    "NodeNetworks": "links, virtual functions and configurations of nodes are applied",
    "Topology": "node labels and taints are set",
    "Multus": "the Multus daemon is applied",
    "Leaks": "what pods left behind is given back",
    "Whereabouts": "the whereabouts daemon is applied",
    "DhcpDaemon": "the DHCP daemon is applied",
    "Sriov": "the SR-IOV device plugin is applied",
    "InterfaceCheck": "the repair of interfaces is applied",
    "Verification": "the networks are verified again",
    "Throughput": "throughput is measured again, which loads the links",
}
"""Component → what its steps do. The other components have sections of their own."""
