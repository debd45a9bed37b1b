"""Which playbooks take a cluster from what was applied to what is wanted. Pure: the run and the review ask the same function.

Sources: Kubespray's docs/operations/nodes.md (adding and removing, the first of a group is special), upgrades.md (one release at a time).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from multus_site.kubespray.document import Document, KubesprayError
from multus_site.kubespray.record import Applied
from multus_site.kubespray.refusals import refused_removals, refused_versions
from multus_site.model.kubespray_releases import kubernetes_of

NO_PROMPTS = {"skip_confirmation": True, "reset_confirmation": True, "upgrade_node_confirm": False}
"""Answers that the playbooks would wait for."""

UNREACHABLE = {"reset_nodes": False, "allow_ungraceful_removal": True, "drain_timeout": "30s"}
"""For a node that nobody can log in to (docs/operations/nodes.md). Its pods end when its Node object goes: there is no use in waiting for them."""


@dataclass(frozen=True)
class PlaybookRun:
    """One run of ansible-playbook."""

    playbook: str
    """Relative to the checkout."""
    groups: dict[str, tuple[str, ...]]
    """The inventory of this run: group → hosts, in order."""
    reason: str
    """For a person: why."""
    after: Applied | None
    """What is applied once it has succeeded."""
    limit: tuple[str, ...] = ()
    """Hosts that the run is limited to; all if empty."""
    extra: dict[str, Any] = field(default_factory=dict)
    """Extra variables."""
    tags: tuple[str, ...] = ()
    """Tags that the run is limited to; all if empty."""
    leaver: Applied | None = None
    """Of a removal: the cluster with the host still in it. If the run dies, the host may be in there yet."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """Hosts of its inventory."""
        return tuple(dict.fromkeys(host for hosts in self.groups.values() for host in hosts))


def playbook_seconds(hosts: int) -> int:
    """The time limit of one playbook. Kubespray needs 10 minutes for three nodes; workers upgrade one after the other, some 5 minutes each."""
    return 3600 + 300 * hosts


def in_order(before: Iterable[str], wanted: Iterable[str]) -> tuple[str, ...]:
    """Hosts in the order in which they joined: those that were there keep their place, new ones come last."""
    wanted = tuple(wanted)
    stay = tuple(host for host in before if host in wanted)
    return stay + tuple(host for host in wanted if host not in stay)


def as_applied(document: Document, before: Applied | None) -> Applied:
    """What is recorded once a document is applied in full."""
    order = before.groups if before else {}
    return Applied(
        version=document.version,
        kube_version=kubernetes_of(document.version, document.variables.get("kube_version")),
        groups={group: in_order(order.get(group, ()), hosts) for group, hosts in document.groups.items()},
        hosts=document.hosts,
        identities=document.identities,
        variables=document.digests(),
        known_hosts=document.known_hosts,
    )


def without(applied: Applied, host: str) -> Applied:
    """A cluster after a host has left it."""
    return replace(
        applied,
        groups={group: tuple(h for h in hosts if h != host) for group, hosts in applied.groups.items()},
        hosts={name: variables for name, variables in applied.hosts.items() if name != host},
        identities={name: identity for name, identity in applied.identities.items() if name != host},
    )


def leaving(applied: Applied, document: Document) -> list[str]:
    """Hosts that must be taken out of the cluster, though they may come back: gone from the site, another machine, or with another rank."""
    return [
        host
        for host in applied.hosts
        if host not in document.hosts or _other_machine(host, applied, document) or _joins_anew(host, applied, document)
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

    `dead`: hosts that leave and don't answer. `attempted`: the playbook that did not finish; `begun`: the cluster with every host that it may have left in.
    `half_made`: that one ended between the control plane and the pod network.

    Raises KubesprayError for what Kubespray can't do, with the way round.
    """
    if applied is None:
        wanted = as_applied(document, None)
        runs = [PlaybookRun("cluster.yml", wanted.groups, "first run", wanted)]
        if half_made:
            # cluster.yml takes such a control plane for one to upgrade, and waits in vain for it to be Ready: it never is without a network.
            reason = "the last run ended before the pod network was there"
            runs.insert(0, PlaybookRun("cluster.yml", wanted.groups, reason, None, tags=("network",)))
        return runs + _leftovers(wanted, document, begun, dead)
    if not [host for host in applied.hosts if host in document.hosts and not _other_machine(host, applied, document)]:
        wanted = as_applied(document, None)
        return [PlaybookRun("cluster.yml", wanted.groups, "no machine of the earlier cluster is left", wanted)]

    gone = leaving(applied, document)
    refused = [*refused_removals(applied, document, gone), *refused_versions(applied, as_applied(document, applied))]
    if refused:
        raise KubesprayError("\n".join(refused))
    lost = {
        host for host in gone if host in dead or (host in document.hosts and _other_machine(host, applied, document))
    }
    now, runs = applied, _leftovers(applied, document, begun, dead)
    # Those that can't be reached first: with them in the inventory, the removal of any other would fail at gathering facts.
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
        # What was begun is no longer wanted, and what it left is unknown: the whole cluster is gone through.
        runs.append(PlaybookRun("cluster.yml", wanted.groups, f"{attempted} did not finish", wanted))
    if runs:
        runs[-1] = replace(runs[-1], after=wanted)
    return runs


def _other_machine(host: str, applied: Applied, document: Document) -> bool:
    """Whether a host is another machine than the one that joined, or has another address, which to Kubernetes is the same."""
    return (
        applied.identities.get(host) != document.identities.get(host)
        or applied.hosts[host]["ip"] != document.hosts[host]["ip"]
    )


def _joins_anew(host: str, applied: Applied, document: Document) -> bool:
    """Whether a host changes its rank. Kubespray gives no node that is in a cluster a control plane or an etcd member, nor takes a role away."""
    before, after = (
        {group for group, hosts in groups.items() if host in hosts} for groups in (applied.groups, document.groups)
    )
    return bool(before - after) or not after - before <= {"kube_node"}


def _why_gone(host: str, applied: Applied, document: Document, dead: frozenset[str]) -> str:
    if host in document.hosts and _other_machine(host, applied, document):
        return f"{host} is another machine now"
    why = f"{host} has other roles now" if host in document.hosts else f"{host} left the site"
    return f"{why}; it does not answer, so it is removed without being reached" if host in dead else why


def _removal(host: str, now: Applied, reason: str, *, unreachable: bool) -> PlaybookRun:
    """A host's removal, while its groups still list it. A dead one is not waited for."""
    extra = {"node": host, **NO_PROMPTS, **(UNREACHABLE if unreachable else {})}
    return PlaybookRun("remove-node.yml", now.groups, reason, without(now, host), extra=extra, leaver=now)


def _leftovers(now: Applied, document: Document, begun: Applied | None, dead: frozenset[str]) -> list[PlaybookRun]:
    """Removals of hosts that a run was adding when it ended, and that are no longer wanted or are other machines by now."""
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
    """A host's variables but for labels and taints: Kubespray gives a node those it joins with, and takes none away (docs/decisions/0011)."""
    return {name: value for name, value in host.items() if name not in {"node_labels", "node_taints"}}


def _changed(now: Applied, wanted: Applied) -> list[str]:
    """Names of the variables, hosts and groups whose settings changed; neither membership nor versions."""
    keys = sorted(set(now.variables) | set(wanted.variables))
    found = [key for key in keys if now.variables.get(key) != wanted.variables.get(key)]
    found += [
        f"settings of {host}" for host in now.hosts if _settings(now.hosts[host]) != _settings(wanted.hosts[host])
    ]
    for group, hosts in wanted.groups.items():
        if set(now.groups.get(group, ())) != set(hosts) & set(now.hosts):
            found.append(f"members of {group}")
    return found
