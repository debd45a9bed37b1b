"""What the engine's steps mean for pods, machines and objects of the site."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from multus_site.model.catalog import Catalog
from multus_site.model.site import Site
from multus_site.model.workloads import Workload, replica_name
from multus_site.review import workloads
from multus_site.review.data import Level, Network, Pods, Saying
from multus_site.review.preview import Preview, Step
from multus_site.review.wording import listed

_LEFT = "it left the site"
_MAKES_PODS = ("Deployment", "StatefulSet", "DaemonSet")


@dataclass(frozen=True)
class Change:
    """A site as it was, if it was, and as it shall be, each with its catalogue."""

    old: Site | None
    new: Site
    old_catalog: Catalog = field(default_factory=Catalog)
    new_catalog: Catalog = field(default_factory=Catalog)

    def short(self, step: Step) -> str:
        """A resource's name without the site's."""
        for site in (self.new, self.old):
            if site and step.name.startswith(f"{site.name}-"):
                return step.name.removeprefix(f"{site.name}-")
        return step.name

    def node_of(self, step: Step) -> str:
        """The node that a resource is of; empty where it is none's."""
        hosts = {*self.new.nodes.hosts, *(self.old.nodes.hosts if self.old else ())}
        short = self.short(step)
        return max((h for h in hosts if short == h or short.startswith(f"{h}-")), key=len, default="")

    def workload_of(self, step: Step) -> tuple[str, Workload | None, Workload | None]:
        """The workload that a resource is of: its name, as it was, as it shall be."""
        short = self.short(step)
        for site in (self.new, self.old):
            for name, workload in site.workloads.items() if site else ():
                names = {name, *(replica_name(name, i) for i in range(workload.replicas if workload.sticky else 0))}
                if short in names:
                    before = self.old.workloads.get(name) if self.old else None
                    return name, before, self.new.workloads.get(name)
        return short, None, None


def pods(change: Change, preview: Preview, networks: Collection[Network]) -> list[Pods]:
    """The workloads whose pods end, start or begin anew."""
    changed = {n.name for n in networks if n.remade}
    found: dict[tuple[str, str], Pods] = {}
    for step in preview.steps_of("Workload"):
        kind = step.kind.rpartition(":")[2]
        if kind in _MAKES_PODS:
            one = _pods(change, step, kind, changed)
            if one is not None:
                before = found.get((one.workload, one.change))
                # Replicas of their own are an object each, and one workload to a person.
                found[one.workload, one.change] = _together(before, one) if before else one
    return list(found.values())


def _together(first: Pods, more: Pods) -> Pods:
    return Pods(first.workload, first.kind, first.change, first.level, first.pods + more.pods, first.how, first.why)


def _pods(change: Change, step: Step, kind: str, changed: Collection[str]) -> Pods | None:
    name, old, new = change.workload_of(step)
    was, now = _count(change.old, old), _count(change.new, new)
    sticky = bool((new or old) and (new or old).sticky)  # type: ignore[union-attr]  # one of them is there
    if step.op == "create":
        return Pods(name, kind, "start", "note", 1 if sticky else now, "new", _start(change, name))
    if step.op == "delete":
        end = _end(change, name)
        how = "they end, and none takes their place" if end == _LEFT else "they end"
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
    how, level = _how(kind, now, sticky=sticky)
    if step.op == "replace":
        how = f"the {kind} is replaced, which its {listed(step.paths)} forces; {how}"
    return Pods(name, kind, "restart", level, 1 if sticky else now, how, "; ".join(why))


def _count(site: Site | None, workload: Workload | None) -> int:
    if site is None or workload is None:
        return 0
    return len(site.nodes_of(workload)) if workload.kind == "DaemonSet" else workload.replicas


def _how(kind: str, count: int, *, sticky: bool) -> tuple[str, Level]:
    """How pods of a kind are made anew, and how much of an interruption that is."""
    if count == 0:
        return "it has no pods", "note"
    if kind == "Deployment":
        one = count == 1
        return (
            f"{'its pod ends' if one else f'all {count} pods end'} before {'another one starts' if one else 'new ones start'}",
            "care",
        )
    if kind == "DaemonSet":
        return "node after node: each is without its pod until the new one is ready", "care"
    if sticky:
        return "one pod after the other, each with its own address", "care"
    return "its pod ends before another one starts" if count == 1 else "one pod after the other", "care"


def _start(change: Change, name: str) -> str:
    if other := _otherwise(change, name, "was"):
        return other
    renamed = workloads.same_but_name(change.old, change.new) if change.old else {}
    if name in renamed:
        return f"it was called {renamed[name]}"
    return "new in the site" if change.old is None or name not in change.old.workloads else "more replicas"


def _otherwise(change: Change, name: str, how: str) -> str:
    """Why a workload that stays ends in one form and starts in another."""
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


def _end(change: Change, name: str) -> str:
    if other := _otherwise(change, name, "is"):
        return other
    if name in change.new.workloads:
        return "fewer replicas"
    renamed = {o: n for n, o in workloads.same_but_name(change.old, change.new).items()} if change.old else {}
    return f"it is called {renamed[name]} now" if name in renamed else _LEFT


def _paths(step: Step) -> list[str]:
    """Why, where the site says nothing: the properties that differ."""
    plain = [re.sub(r'\["[^"]*"\]|\[\d+\]', "", path.removeprefix("spec.template.")) for path in step.paths]
    return [f"{listed(list(dict.fromkeys(plain)), 4)} differs from what was applied"]


def reconnected(step: Step) -> bool:
    """Whether how a node is reached is part of what changed: key, user, port, bastion, host key. By which node another one leaves is no matter."""
    others = step.name.endswith("-leave")
    return step.op == "update" and not others and any(path.startswith("connection") for path in step.paths)


def destroyed(change: Change, preview: Preview) -> list[Saying]:
    """Everything that is replaced or deleted, and why: alike things together. What is only a note of the engine's is left out."""
    groups: dict[tuple[Level, str, str], list[str]] = {}
    for step in preview.steps:
        if step.op in {"replace", "delete"} and step.owner and (told := _destroyed(change, step)):
            level, what, name, text = told
            groups.setdefault((level, what, text), []).append(name)
    return [
        Saying(
            level,
            f"{what.replace('machine of', 'machines of') if len(names) > 1 else what} {listed(list(dict.fromkeys(names)))}".strip(),
            text,
        )
        for (level, what, text), names in groups.items()
    ]


def _destroyed(change: Change, step: Step) -> tuple[Level, str, str, str] | None:
    """Level, what it is, its name, what happens and why."""
    kind = step.kind.rpartition(":")[2]
    if step.kind.startswith("command:") and not step.before.get("delete"):
        return None  # it takes nothing away: facts, proofs, a command that is reached by another way from now on
    node = change.node_of(step)
    forced = listed(list(dict.fromkeys(_forcing(step, path) for path in step.paths)), 4)
    replaced = f"replaced, because {forced} changed" if step.op == "replace" else ""
    left = f"{node} left the site" if node and node not in change.new.nodes.hosts else _called(change)
    if step.name.endswith("-machine"):
        anew = f"{replaced}: the node is drained and taken out of the cluster, its machine is made anew, and it joins again"
        gone = f"destroyed, because {left or 'the site makes it no more'}"
        return "danger", "machine of", node, anew if replaced else gone
    if step.owner == "KubesprayCluster" and step.name.endswith("-kubespray"):
        text = (
            replaced
            or f"destroyed, because {left or 'the site has none'}: reset.yml takes Kubernetes off nodes that stay"
        )
        return "danger", "the cluster", "", text
    if step.owner == "CniPlugins":
        return "care", "CNI plugin binaries on all nodes", "", replaced or f"removed, because {left}"
    if step.owner == "NodeNetworks":
        what = "links, functions and configurations on"
        return "care", what, node, replaced or f"removed, because {left or 'nothing needs them there any more'}"
    if not step.kind.startswith("kubernetes:"):
        return None  # facts and proofs are taken, nothing is there to be destroyed
    if step.owner == "NetworkAttachment":
        name = change.short(step)
        gone = _called(change) or f"network {name} left the site"
        return "care", kind, _object(step), replaced or f"deleted, because {gone}"
    if step.owner == "Workload":
        name, _, _ = change.workload_of(step)
        return "danger", kind, _object(step), replaced or f"deleted, because {_end(change, name)}"
    why = replaced or f"deleted, because {_called(change) or 'nothing in the site needs it any more'}"
    return "care", f"{step.owner}:", kind, why


def _called(change: Change) -> str:
    renamed = change.old is not None and change.old.name != change.new.name
    return f"the site is called {change.new.name} now" if renamed else ""


def _forcing(step: Step, path: str) -> str:
    """A property that forces a replacement, in words; triggers of a machine are image, address and NICs, in this order, or say what they are."""
    number = re.fullmatch(r"triggers\[(\d+)\]", path)
    if number is None:
        return path
    index, triggers = int(number[1]), (step.after or step.before).get("triggers")
    told = str(triggers[index]).split() if isinstance(triggers, list) and index < len(triggers) else []
    if told[:1] in (["hypervisor"], ["storage"]):
        return f"its {told[0]}"
    return ("its image", "its address")[index] if index < 2 else "its NICs"


def _object(step: Step) -> str:
    metadata = (step.before or step.after).get("metadata")
    if not isinstance(metadata, Mapping):
        return step.name
    return "/".join(filter(None, (metadata.get("namespace"), metadata.get("name")))) or step.name


def others(preview: Preview) -> list[str]:
    """What runs or changes besides."""
    found = [_OTHERS.get(step.owner, "") for step in preview.steps if step.op in {"create", "update"}]
    return [text for text in dict.fromkeys(found) if text]


_OTHERS = {
    "NodeVM": "nodes are reached, and their NICs and package sources set up",
    "Preflight": "hosts are looked at, whether they are fit for what is asked of them",
    "NodeNetworks": "links, virtual functions and configurations of nodes are applied",
    "Topology": "labels and taints of nodes are set",
    "Multus": "the Multus daemon",
    "Whereabouts": "the whereabouts daemon",
    "DhcpDaemon": "the DHCP daemon",
    "Sriov": "the SR-IOV device plugin",
    "InterfaceCheck": "the check of pods' interfaces",
    "Verification": "the networks are verified again",
    "Throughput": "throughput is measured again, which loads the links",
}
"""Component → what a step of it is to a person; the others have sections of their own."""
