"""Which playbooks take a cluster from what was applied to what is wanted. Pure: the run and the review ask the same function.

Sources: Kubespray's docs/operations/nodes.md (adding and removing, the first of a group is special), upgrades.md (one release at a time).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from kubespray.document import Document, KubesprayError
from kubespray.record import Applied

NO_PROMPTS = {"skip_confirmation": True, "reset_confirmation": True, "upgrade_node_confirm": False}
"""Answers that the playbooks would wait for."""


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

    @property
    def hosts(self) -> tuple[str, ...]:
        """Hosts of its inventory."""
        return tuple(dict.fromkeys(host for hosts in self.groups.values() for host in hosts))


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
        kube_version=document.variables.get("kube_version"),
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


def plan(
    applied: Applied | None,
    document: Document,
    *,
    dead: frozenset[str] = frozenset(),
    attempted: str | None = None,
    half_made: bool = False,
) -> list[PlaybookRun]:
    """The runs, in order; none if nothing changed.

    `dead`: hosts of the cluster that don't answer. `attempted`: the playbook that did not finish.
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
        return runs
    replaced = {host for host in document.hosts if host in applied.hosts and _other_machine(host, applied, document)}
    if not (set(applied.hosts) & set(document.hosts)) - replaced:
        wanted = as_applied(document, None)
        return [PlaybookRun("cluster.yml", wanted.groups, "no machine of the earlier cluster is left", wanted)]

    gone = [host for host in applied.hosts if host in replaced or host not in document.hosts]
    _refuse_removal(applied, gone)
    now, runs = applied, list[PlaybookRun]()
    for host in gone:
        runs.append(_removal(host, now, unreachable=host in dead or host in replaced))
        now = without(now, host)

    wanted = as_applied(document, now)
    _refuse_version(now, wanted)
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
        runs += [
            PlaybookRun(
                "playbooks/facts.yml", wanted.groups, "the run on the new nodes needs facts of the others", now
            ),
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


def _removal(host: str, now: Applied, *, unreachable: bool) -> PlaybookRun:
    """A host's removal, while its groups still list it. A dead one is not waited for."""
    extra: dict[str, Any] = {"node": host, **NO_PROMPTS}
    if unreachable:
        extra |= {"reset_nodes": False, "allow_ungraceful_removal": True}
    reason = f"{host} {'is gone' if unreachable else 'left the site'}"
    return PlaybookRun("remove-node.yml", now.groups, reason, without(now, host), extra=extra)


def _refuse_removal(applied: Applied, gone: list[str]) -> None:
    for group, what in (("kube_control_plane", "first control plane node"), ("etcd", "first etcd member")):
        first = applied.groups[group][0]
        if first in gone:
            msg = (
                f"{first} is the {what}, which Kubespray can't remove or replace in a running cluster. Put it back; or make another node the first "
                f"by hand (Kubespray's docs/operations/nodes.md, recover-control-plane.md); or destroy the cluster and make it anew: "
                f"pulumi destroy, pulumi up"
            )
            raise KubesprayError(msg)
    members = applied.groups["etcd"]
    lost = [member for member in members if member in gone]
    if len(lost) > (len(members) - 1) // 2:
        msg = (
            f"removing {', '.join(lost)} leaves {len(members) - len(lost)} of {len(members)} etcd members, which is no quorum. "
            f"Remove at most {(len(members) - 1) // 2} in one `pulumi up`"
        )
        raise KubesprayError(msg)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.lstrip("v").split("."))


def _refuse_version(applied: Applied, wanted: Applied) -> None:
    pairs = [("Kubespray", applied.version, wanted.version, "kubespray.version", "v")]
    if applied.kube_version and wanted.kube_version:
        pairs.append(("Kubernetes", applied.kube_version, wanted.kube_version, "kubespray.variables.kube_version", ""))
    for what, old, new, where, prefix in pairs:
        before, after = _numbers(old), _numbers(new)
        if after < before:
            msg = f"{where}: {what} can't go back from {old} to {new}. Write {old} or a later one"
            raise KubesprayError(msg)
        if after[0] != before[0] or after[1] > before[1] + 1:
            path = ", ".join(f"{prefix}{before[0]}.{minor}" for minor in range(before[1] + 1, after[1] + 1))
            msg = f"{where}: from {old} to {new} is more than one step. Take one after the other, a `pulumi up` each: {path}"
            raise KubesprayError(msg)


def _upgrade(applied: Applied, wanted: Applied) -> str:
    steps = []
    if applied.version != wanted.version:
        steps.append(f"Kubespray {applied.version} → {wanted.version}")
    if applied.kube_version != wanted.kube_version:
        steps.append(f"Kubernetes {applied.kube_version or 'as released'} → {wanted.kube_version or 'as released'}")
    return ", ".join(steps)


def _changed(now: Applied, wanted: Applied) -> list[str]:
    """Names of the variables, hosts and groups whose settings changed; neither membership nor versions."""
    keys = sorted(set(now.variables) | set(wanted.variables))
    found = [key for key in keys if now.variables.get(key) != wanted.variables.get(key)]
    found += [f"settings of {host}" for host in now.hosts if now.hosts[host] != wanted.hosts[host]]
    for group, hosts in wanted.groups.items():
        if set(now.groups.get(group, ())) != set(hosts) & set(now.hosts):
            found.append(f"members of {group}")
    return found
