"""Checks of workloads against the rest of the site: networks that do not exist, or not on the nodes where the pods could run."""

from collections.abc import Iterator

from multus_site.model.attachments import check_attachment, check_attachments_together
from multus_site.model.part import Mistake, name_one_of
from multus_site.model.paths import Path
from multus_site.model.rack_checks import check_placement
from multus_site.model.site_parts import SiteParts
from multus_site.model.workloads import Workload


def check_workload(site: SiteParts, path: Path, workload: Workload) -> Iterator[Mistake]:
    """Unknown networks, requests that a network cannot meet, duplicate interface names, and nodes without the networks."""
    for i, attachment in enumerate(workload.networks):
        where = (*path, "networks", i)
        network = site.networks.get(attachment.name)
        if network is None:
            yield Mistake.of_name(where, "network", attachment.name, site.networks, "add it to networks")
            continue
        if network.namespace != workload.namespace:
            message = (
                f"network {attachment.name!r} is in namespace {network.namespace!r}, "
                f"the workload in {workload.namespace!r}; give both the same namespace"
            )
            yield Mistake(where, message)
        yield from (mistake.below(where) for mistake in check_attachment(workload, attachment, network))
    interfaces = [interface for interface, _ in workload.interfaces()]
    for interface in sorted({i for i in interfaces if interfaces.count(i) > 1}):
        message = f"two attachments would have the interface {interface}; change one of them (a custom name still takes its position in net1, net2, …)"
        yield Mistake((*path, "networks"), message)
    yield from (mistake.below(path) for mistake in check_attachments_together(workload))
    yield from check_placement(site, path, workload)
    yield from _check_nodes(site, path, workload)
    yield from _check_spread(site, path, workload)


def _check_nodes(site: SiteParts, path: Path, workload: Workload) -> Iterator[Mistake]:
    """Pods cannot run on a node that lacks one of their networks."""
    workers = site.with_role("worker")
    there = {a.name: site.nodes_with(site.networks[a.name]) for a in workload.networks if a.name in site.networks}
    lacking = [
        (i, node, name)
        for i, node in enumerate(workload.nodes)
        for name, nodes in there.items()
        if node in workers and node not in nodes
    ]
    for i, node, name in lacking:
        right = name_one_of(there[name], "add the network there")
        yield Mistake((*path, "nodes", i), f"network {name} is not on {node!r}; {right}")
    said = not set(workload.nodes) <= set(workers) or not all(there.values())
    if lacking or said or site.nodes_of(workload) or not site.workers(workload.nodes, workload.racks):
        return
    everywhere = [node for node in workers if all(node in nodes for nodes in there.values())]
    if everywhere and not workload.racks and not workload.nodes:
        racks = ", ".join(dict.fromkeys(str(site.nodes.hosts[node].rack) for node in everywhere))
        what = "nodes with its networks" if there else "workers"
        yield Mistake(path, f"all {what} are in dedicated racks, and the workload names none; write racks: [{racks}]")
    elif there:
        shown = " and ".join(f"{name} is on {', '.join(nodes) or 'no node'}" for name, nodes in there.items())
        message = f"no node has all of its networks: {shown}; choose networks that share a node, or add a node to them"
        yield Mistake((*path, "networks"), message)


def _check_spread(site: SiteParts, path: Path, workload: Workload) -> Iterator[Mistake]:
    """Pods never start on a node without the label of its rack, row or zone (Kubernetes: topologySpreadConstraints)."""
    if workload.spread and workload.kind == "DaemonSet":
        message = "a DaemonSet runs a pod on each node, so there is nothing to spread; remove it"
        yield Mistake((*path, "spread"), message)
        return
    levels = [spread.over for spread in workload.spread]
    for i, level in enumerate(levels):
        where = (*path, "spread", i)
        if level in levels[:i]:
            yield Mistake(where, f"{level} is listed twice; keep one of them")
        lacking = [node for node in site.nodes_of(workload) if site.domain_of(node, level) is None]
        if lacking:
            right = "give racks.NAME.row to the racks they are in" if level == "row" else "give each a rack"
            message = f"its pods could run on {', '.join(lacking)}, which have no {level}; {right}"
            yield Mistake(where, message)
