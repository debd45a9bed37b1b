"""Compose a review from a site before and after, the preview, the plan of Kubespray's runs and the linter's findings."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from multus_site.model.site import Site
from multus_site.render.diagram import cards, mermaid
from multus_site.review import binaries, by_files, effects, interruption, networks, nodes, settings
from multus_site.review.data import ORDER, Effect, Network, Playbook, Pods, Review, Stateless
from multus_site.review.effects import Change
from multus_site.review.preview import Preview
from multus_site.review.wording import counted, listed

_BY_INPUTS = (
    "This change rereads the kubeconfig, so the preview compares objects in the cluster by their inputs only. "
    "Whether the API server accepts a change in place is unknown until `pulumi up`."
)


def compose(
    stack: str,
    base: str,
    change: Change,
    preview: Preview,
    playbooks: Sequence[Playbook] = (),
    findings: Sequence[Mapping[str, Any]] = (),
    notes: Iterable[str] = (),
    stateless: Stateless = "",
) -> Review:
    """Return the review. If the preview failed, it has what follows from the sites, and the errors.

    With `stateless` "files" or "compared" the preview knows nothing of the site before: pods and interruptions follow from the sites alone.
    """
    runs = tuple(playbooks)
    if change.old is not None:
        # Order is not a change, so the applied site takes the order of the file.
        change = replace(change, old=in_order(change.old, change.new))
    moved_networks = tuple(networks.differences(change.old, change.new))
    of_pods = (
        by_files.pods(change, moved_networks)
        if stateless in {"files", "compared"}
        else effects.pods(change, preview, moved_networks)
    )
    of_nodes = nodes.differences(change.old, change.new)
    gone = tuple(effects.destroyed(change, preview))
    restarted = by_files.daemons(change) if stateless in {"files", "compared"} else effects.daemons(preview)
    still = interruption.expected(change, preview, runs, of_pods, restarted)
    before, after = (_mermaid(site) for site in (change.old, change.new))
    return Review(
        stack=stack,
        site=change.new.name,
        base=base,
        stateless=stateless,
        counts=dict(preview.counts),
        dangers=tuple(dict.fromkeys(_dangers(change, runs, of_nodes, moved_networks, of_pods, gone))),
        interruption=_ordered(still),
        playbooks=runs,
        nodes=_ordered(of_nodes),
        binaries=tuple(binaries.binaries(change, preview, kubespray_runs=bool(runs))),
        networks=moved_networks,
        pods=tuple(sorted(of_pods, key=lambda one: ORDER[one.level])),
        destroyed=_ordered(gone),
        settings=tuple(settings.settings(change.old, change.new)) if change.old else (),
        versions=tuple(settings.versions(change.old, change.new)),
        also=tuple(effects.others(preview)),
        notes=(*notes, *_taken_over(change), *_notes(preview)),
        warnings=preview.warnings,
        errors=preview.errors,
        findings=tuple(dict(finding) for finding in findings),
        diagram_before=before if before != after else "",
        diagram_after=after if before != after else "",
    )


def _taken_over(change: Change) -> Iterator[str]:
    if change.old is None and change.new.kubespray.adopted:
        ca = change.new.kubespray.adopted.ca
        yield (
            f"The cluster that runs on these hosts is taken over (its certificate authority: {ca[:12]}…): `pulumi up` compares it with the site, "
            "and runs no playbook of Kubespray."
        )


def _notes(preview: Preview) -> Iterator[str]:
    if any(effects.reconnected(step) for step in preview.steps):
        yield (
            "The connection to nodes changes (key, password, user, port, bastion or host key), so their commands run again. "
            "They change nothing that is already correct."
        )
    if preview.by_inputs:
        yield _BY_INPUTS


def in_order(old: Site, new: Site) -> Site:
    """Return `old` with its hosts, networks and workloads in the order of `new`; those that `new` lacks come last."""

    def ordered(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
        return {name: before[name] for name in dict.fromkeys((*after, *before)) if name in before}

    hosts = ordered(old.nodes.hosts, new.nodes.hosts)
    return old.model_copy(
        update={
            "nodes": old.nodes.model_copy(update={"hosts": hosts}),
            "networks": ordered(old.networks, new.networks),
            "workloads": ordered(old.workloads, new.workloads),
        }
    )


def _ordered(effects_: Iterable[Effect]) -> tuple[Effect, ...]:
    return tuple(sorted(effects_, key=lambda effect: ORDER[effect.level]))


def _mermaid(site: Site | None) -> str:
    return mermaid.mermaid(cards.diagram(site)) if site is not None else ""


def _dangers(
    change: Change,
    runs: tuple[Playbook, ...],
    of_nodes: Iterable[Effect],
    of_networks: Iterable[Network],
    of_pods: Iterable[Pods],
    gone: Iterable[Effect],
) -> Iterator[Effect]:
    """Yield every danger except interruptions, which have the next section."""
    if change.old and change.old.name != change.new.name:
        text = f"was called {change.old.name}: all resources, the machines and the cluster carry the name, and are recreated"
        yield Effect("danger", f"site {change.new.name}", text)
    for run in runs:
        if run.playbook == "upgrade-cluster.yml":
            yield Effect("danger", "the cluster", f"{run.reason}: an upgrade cannot be undone")
        elif change.old and run.creates == "another":
            yield Effect(
                "danger",
                "the cluster",
                f"{run.reason}: a new cluster is created, and everything in the earlier one is lost",
            )
    yield from (effect for effect in of_nodes if effect.level == "danger")
    for network in of_networks:
        if network.level == "danger":
            yield Effect("danger", f"network {network.name}", _of_network(network))
    for one in of_pods:
        if one.level == "danger":
            yield Effect("danger", f"workload {one.workload}", f"{one.how}: {one.why}")
    yield from (s for s in gone if s.level == "danger" and not s.about.startswith(_PODS))


_PODS = ("Deployment", "StatefulSet", "DaemonSet", "Service")


def _of_network(network: Network) -> str:
    users = f"; attached: {listed(network.workloads)}" if network.workloads else ""
    if network.change == "renamed":
        return f"{network.why}{users}"
    if network.change == "removed":
        return f"is removed{users}"
    parts = []
    if network.lost:
        parts.append(f"loses {counted(network.lost_count, 'address')}: {listed(network.lost, 4)}")
    parts += [f"{moved.what}: {moved.old} → {moved.new}" for moved in network.uplinks]
    parts += [
        f"{word.what} {word.old or 'none'} → {word.new or 'none'}"
        for word in network.words
        if word.what in networks.UNPLUGS
    ]
    return f"{'; '.join(parts)}{users}"
