"""Plan the playbooks that take a cluster from the applied to the desired state. Pure: runs and reviews call the same function.

Sources: Kubespray's docs/operations/nodes.md (adding and removing nodes; the first of a group is special), upgrades.md (one release at a time).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from multus_site.kubespray.document import Document, KubesprayError
from multus_site.kubespray.record import Applied
from multus_site.kubespray.refusals import refused_removals, refused_versions
from multus_site.model.kubespray_releases import kubernetes_of

NO_PROMPTS = {"skip_confirmation": True, "reset_confirmation": True, "upgrade_node_confirm": False}
"""Answers to the prompts of the playbooks."""

UNREACHABLE = {"reset_nodes": False, "allow_ungraceful_removal": True, "drain_timeout": "30s"}
"""For a node that does not answer (docs/operations/nodes.md). Its pods end when its Node object is deleted, so a drain would wait in vain."""


@dataclass(frozen=True)
class PlaybookRun:
    """One run of ansible-playbook."""

    playbook: str
    """Relative to the checkout."""
    groups: dict[str, tuple[str, ...]]
    """The inventory of this run: group → hosts, in order."""
    reason: str
    """Why it runs, for people."""
    after: Applied | None
    """The cluster after it succeeded."""
    limit: tuple[str, ...] = ()
    """Limit to these hosts; empty: all."""
    extra: dict[str, Any] = field(default_factory=dict)
    """Extra variables."""
    tags: tuple[str, ...] = ()
    """Limit to these tags; empty: all."""
    creates: Literal["", "first", "another"] = ""
    """Whether it creates a cluster: the first one, or another one because no machine of the earlier one is left."""
    leaver: Applied | None = None
    """For a removal: the cluster with the host still in it, which may be its state if the run fails."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts in the inventory."""
        return tuple(dict.fromkeys(host for hosts in self.groups.values() for host in hosts))


def playbook_seconds(hosts: int) -> int:
    """The time limit of one playbook. Kubespray needs 10 minutes for three nodes, and upgrades workers one at a time, about 5 minutes each."""
    return 3600 + 300 * hosts


def in_order(before: Iterable[str], wanted: Iterable[str]) -> tuple[str, ...]:
    """Hosts in the order in which they joined: earlier ones keep their place, new ones come last."""
    wanted = tuple(wanted)
    stay = tuple(host for host in before if host in wanted)
    return stay + tuple(host for host in wanted if host not in stay)


def as_applied(document: Document, before: Applied | None) -> Applied:
    """The record of a fully applied document."""
    order = before.groups if before else {}
    return Applied(
        version=document.version,
        kube_version=kubernetes_of(document.version, document.variables.get("kube_version")),
        groups={group: in_order(order.get(group, ()), hosts) for group, hosts in document.groups.items()},
        hosts=with_member_names(document.hosts, before),
        identities=document.identities,
        variables=document.digests(),
        known_hosts=document.known_hosts,
    )


def with_member_names(hosts: Mapping[str, dict[str, Any]], before: Applied | None) -> dict[str, dict[str, Any]]:
    """Hosts with the names that etcd's members have: those of a cluster that was taken over are not of our making, and never change."""
    names = {
        name: host["etcd_member_name"]
        for name, host in (before.hosts if before else {}).items()
        if "etcd_member_name" in host and "etcd_member_name" in hosts.get(name, {})
    }
    return {**hosts, **{name: {**hosts[name], "etcd_member_name": called} for name, called in names.items()}}


def without(applied: Applied, host: str) -> Applied:
    """The cluster without a host."""
    return replace(
        applied,
        groups={group: tuple(h for h in hosts if h != host) for group, hosts in applied.groups.items()},
        hosts={name: variables for name, variables in applied.hosts.items() if name != host},
        identities={name: identity for name, identity in applied.identities.items() if name != host},
    )


def leaving(applied: Applied, document: Document) -> list[str]:
    """Hosts to remove from the cluster: those that left the site, and those that join again as another machine or with other roles."""
    return [
        host
        for host in applied.hosts
        if host not in document.hosts
        or _other_machine(host, applied, document)
        or _must_rejoin(host, applied, document)
    ]


def plan(
    applied: Applied | None,
    document: Document,
    *,
    dead: frozenset[str] = frozenset(),
    attempted: str | None = None,
    begun: Applied | None = None,
    half_made: bool = False,
) -> list[PlaybookRun]:
    """The runs, in order; none if nothing changed.

    `dead`: hosts that leave and do not answer. `attempted`: the playbook that did not finish. `begun`: the cluster with every host that this playbook
    may have added. `half_made`: it ended after the control plane and before the pod network.

    Raises KubesprayError for changes that Kubespray cannot make, with the way around them.
    """
    if applied is None:
        wanted = as_applied(document, None)
        runs = [PlaybookRun("cluster.yml", wanted.groups, "first run", wanted, creates="first")]
        if half_made:
            # cluster.yml would upgrade such a control plane, and wait for it to be Ready: it never is without a pod network.
            reason = "the last run ended before it installed the pod network"
            runs.insert(0, PlaybookRun("cluster.yml", wanted.groups, reason, None, tags=("network",)))
        return runs + _leftovers(wanted, document, begun, dead)
    if not [host for host in applied.hosts if host in document.hosts and not _other_machine(host, applied, document)]:
        wanted = as_applied(document, None)
        reason = "no machine of the earlier cluster is left"
        return [PlaybookRun("cluster.yml", wanted.groups, reason, wanted, creates="another")]

    gone = leaving(applied, document)
    refused = [*refused_removals(applied, document, gone), *refused_versions(applied, as_applied(document, applied))]
    if refused:
        raise KubesprayError("\n".join(refused))
    lost = {
        host for host in gone if host in dead or (host in document.hosts and _other_machine(host, applied, document))
    }
    now, runs = applied, _leftovers(applied, document, begun, dead)
    # Unreachable hosts first: with them in the inventory, other removals would fail when they gather facts.
    for host in sorted(gone, key=lambda host: host not in lost):
        runs.append(_removal(host, now, _why_gone(host, applied, document, dead), unreachable=host in lost))
        now = without(now, host)

    wanted = as_applied(document, now)
    come = [host for host in document.hosts if host not in now.hosts]
    changed = _changed(now, wanted)
    if (now.version, now.kube_version) != (wanted.version, wanted.kube_version):
        after = replace(now, version=wanted.version, kube_version=wanted.kube_version, variables=wanted.variables)
        runs.append(PlaybookRun("upgrade-cluster.yml", now.groups, _upgrade(now, wanted), after, extra=NO_PROMPTS))
        changed = []
    first_rank = [host for host in come if host in (*wanted.groups["kube_control_plane"], *wanted.groups["etcd"])]
    if first_rank:
        reason = f"control plane or etcd grows by {', '.join(first_rank)}"
        runs.append(PlaybookRun("cluster.yml", wanted.groups, reason, wanted))
    elif changed:
        runs.append(PlaybookRun("cluster.yml", wanted.groups, f"changed: {', '.join(changed)}", wanted))
    elif come:
        limit = in_order(wanted.groups["kube_node"], come)
        reason = "the run on the new nodes needs facts of the others"
        runs += [
            PlaybookRun("playbooks/facts.yml", wanted.groups, reason, now),
            PlaybookRun("scale.yml", wanted.groups, f"workers added: {', '.join(limit)}", wanted, limit=limit),
        ]
    if attempted and attempted not in [run.playbook for run in runs]:
        # The change that failed is no longer wanted, and what it left behind is unknown: apply everything again.
        runs.append(PlaybookRun("cluster.yml", wanted.groups, f"{attempted} did not finish", wanted))
    if runs:
        runs[-1] = replace(runs[-1], after=wanted)
    return runs


def _other_machine(host: str, applied: Applied, document: Document) -> bool:
    """Whether a host is a different machine from the one that joined, or has a different address; Kubernetes treats both alike."""
    return (
        applied.identities.get(host) != document.identities.get(host)
        or applied.hosts[host]["ip"] != document.hosts[host]["ip"]
    )


def _must_rejoin(host: str, applied: Applied, document: Document) -> bool:
    """Whether a host's roles change in a way that needs a new join: Kubespray adds no control plane or etcd member to a member node, and removes no role."""
    before, after = (
        {group for group, hosts in groups.items() if host in hosts} for groups in (applied.groups, document.groups)
    )
    return bool(before - after) or not after - before <= {"kube_node"}


def _why_gone(host: str, applied: Applied, document: Document, dead: frozenset[str]) -> str:
    if host in document.hosts and _other_machine(host, applied, document):
        return f"{host} is a different machine now"
    why = f"{host} has different roles now" if host in document.hosts else f"{host} left the site"
    return f"{why}; it does not answer, so it is removed without being reached" if host in dead else why


def _removal(host: str, now: Applied, reason: str, *, unreachable: bool) -> PlaybookRun:
    """The run that removes a host."""
    extra = {"node": host, **NO_PROMPTS, **(UNREACHABLE if unreachable else {})}
    return PlaybookRun("remove-node.yml", now.groups, reason, without(now, host), extra=extra, leaver=now)


def _leftovers(now: Applied, document: Document, begun: Applied | None, dead: frozenset[str]) -> list[PlaybookRun]:
    """Removals of hosts that a failed run was adding, and that have since left the site or become other machines."""
    if begun is None:
        return []
    runs = []
    for host, variables in begun.hosts.items():
        kept = host in document.hosts and begun.identities.get(host) == document.identities.get(host)
        if host in now.hosts or kept:
            continue
        groups = {
            name: (*hosts, *((host,) if host in begun.groups[name] else ())) for name, hosts in now.groups.items()
        }
        keys = now.known_hosts + begun.known_hosts
        with_it = replace(now, groups=groups, hosts={**now.hosts, host: variables}, known_hosts=keys)
        gone = host in dead or host in document.hosts
        runs.append(_removal(host, with_it, f"{host} was being added when a run ended", unreachable=gone))
    return [replace(run, after=now) for run in runs]


def _upgrade(applied: Applied, wanted: Applied) -> str:
    steps = []
    if applied.version != wanted.version:
        steps.append(f"Kubespray {applied.version} → {wanted.version}")
    if applied.kube_version != wanted.kube_version:
        steps.append(f"Kubernetes {applied.kube_version or 'as released'} → {wanted.kube_version or 'as released'}")
    return ", ".join(steps)


def _settings(host: dict[str, Any]) -> dict[str, Any]:
    """A host's variables without labels and taints, which Kubespray only applies at the join (docs/decisions/0011), and without the name of its member of etcd."""
    return {
        name: value for name, value in host.items() if name not in {"node_labels", "node_taints", "etcd_member_name"}
    }


def _changed(now: Applied, wanted: Applied) -> list[str]:
    """The variables, host settings and groups that changed, apart from membership and versions."""
    keys = sorted(set(now.variables) | set(wanted.variables))
    changes = [key for key in keys if now.variables.get(key) != wanted.variables.get(key)]
    changes += [
        f"settings of {host}" for host in now.hosts if _settings(now.hosts[host]) != _settings(wanted.hosts[host])
    ]
    for group, hosts in wanted.groups.items():
        if set(now.groups.get(group, ())) != set(hosts) & set(now.hosts):
            changes.append(f"members of {group}")
    return changes
