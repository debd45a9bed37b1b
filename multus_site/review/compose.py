"""A review out of a site before and after, the preview, the plan of Kubespray's runs and what lint found."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from multus_site.model.site import Site
from multus_site.render.diagram import cards, mermaid
from multus_site.review import binaries, effects, interruption, networks, nodes, settings
from multus_site.review.data import ORDER, Network, Playbook, Pods, Review, Saying
from multus_site.review.effects import Change
from multus_site.review.preview import Preview
from multus_site.review.wording import counted, listed

_BY_INPUTS = (
    "The kubeconfig is read anew by this, so objects in the cluster are compared by what the site says alone: "
    "whether the API server would take a change in place is not known before."
)


def compose(
    stack: str,
    base: str,
    change: Change,
    preview: Preview,
    playbooks: Sequence[Playbook] = (),
    findings: Sequence[Mapping[str, Any]] = (),
    notes: Iterable[str] = (),
) -> Review:
    """The review. Where the preview failed it says what the site says, and the errors."""
    runs = tuple(playbooks)
    if change.old is not None:
        # Order is no change: what was applied is read in the order of the file.
        change = replace(change, old=in_order(change.old, change.new))
    moved_networks = tuple(networks.differences(change.old, change.new))
    of_pods = effects.pods(change, preview, moved_networks)
    of_nodes = nodes.differences(change.old, change.new)
    gone = tuple(effects.destroyed(change, preview))
    still = interruption.expected(change, preview, runs, of_pods)
    before, after = (_mermaid(site) for site in (change.old, change.new))
    return Review(
        stack=stack,
        site=change.new.name,
        base=base,
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
        notes=(*notes, *_notes(preview)),
        warnings=preview.warnings,
        errors=preview.errors,
        findings=tuple(dict(finding) for finding in findings),
        diagram_before=before if before != after else "",
        diagram_after=after if before != after else "",
    )


def _notes(preview: Preview) -> Iterator[str]:
    if any(effects.reconnected(step) for step in preview.steps):
        yield (
            "Nodes are reached in another way (key, password, user, port, bastion or host key), so their commands run again; "
            "they change nothing that is as it should be."
        )
    if preview.by_inputs:
        yield _BY_INPUTS


def in_order(old: Site, new: Site) -> Site:
    """A site with its hosts, networks and workloads in the order of another; what that lacks comes last."""

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


def _ordered(sayings: Iterable[Saying]) -> tuple[Saying, ...]:
    return tuple(sorted(sayings, key=lambda saying: ORDER[saying.level]))


def _mermaid(site: Site | None) -> str:
    return mermaid.mermaid(cards.diagram(site)) if site is not None else ""


def _dangers(
    change: Change,
    runs: tuple[Playbook, ...],
    of_nodes: Iterable[Saying],
    of_networks: Iterable[Network],
    of_pods: Iterable[Pods],
    gone: Iterable[Saying],
) -> Iterator[Saying]:
    """Everything dangerous, each once; what stands still meanwhile is told right behind."""
    if change.old and change.old.name != change.new.name:
        text = f"was called {change.old.name}: every resource, machine and the cluster are named by it, and made anew"
        yield Saying("danger", f"site {change.new.name}", text)
    for run in runs:
        if run.playbook == "upgrade-cluster.yml":
            yield Saying("danger", "the cluster", f"{run.reason}: an upgrade can't be taken back")
        elif change.old and run.playbook == "cluster.yml" and "no machine of the earlier cluster" in run.reason:
            yield Saying(
                "danger", "the cluster", f"{run.reason}: a new one is made, and all that was in the earlier one is gone"
            )
    yield from (saying for saying in of_nodes if saying.level == "danger")
    for network in of_networks:
        if network.level == "danger":
            yield Saying("danger", f"network {network.name}", _of_network(network))
    for one in of_pods:
        if one.level == "danger":
            yield Saying("danger", f"workload {one.workload}", f"{one.how}: {one.why}")
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
    parts += [
        f"{word.what} {word.old or 'none'} → {word.new or 'none'}"
        for word in network.words
        if word.what in networks.UNPLUGS
    ]
    return f"{'; '.join(parts)}{users}"
