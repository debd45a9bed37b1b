"""What no workload can know alone: networks that are not there, or not where its pods could run."""

from typing import TYPE_CHECKING

from multus_site.model import attachments, references
from multus_site.model.workloads import Workload

if TYPE_CHECKING:
    from multus_site.model.site import Site


def mistakes(site: "Site", name: str, workload: Workload) -> list[str]:
    """Networks that are not there or cannot be had, interfaces called twice, nodes without them."""
    where = f"workloads.{name}"
    found = []
    for i, attachment in enumerate(workload.networks):
        network = site.networks.get(attachment.name)
        if network is None:
            right = references.one_of(site.networks, "add it to networks")
            found.append(f"{where}.networks[{i}]: there is no network {attachment.name!r}; {right}")
            continue
        if network.namespace != workload.namespace:
            found.append(
                f"{where}.networks[{i}]: network {attachment.name!r} is in namespace {network.namespace!r}, "
                f"the workload in {workload.namespace!r}; give both the same namespace"
            )
        found += [
            f"{where}.networks[{i}]{key}: {message}"
            for key, message in attachments.mistakes(workload, attachment, network)
        ]
    interfaces = [interface for interface, _ in workload.interfaces()]
    for interface in sorted({i for i in interfaces if interfaces.count(i) > 1}):
        found.append(
            f"{where}.networks: two attachments would be called {interface}; give one another interface (a custom name still takes its position in net1, net2, …)"
        )
    found += [f"{where}.{key}: {message}" for key, message in attachments.mistakes_together(workload)]
    found += references.places(site, where, workload.nodes, workload.racks)
    found += _missing_networks(site, where, workload)
    found += _spread(site, where, workload)
    return found


def _missing_networks(site: "Site", where: str, workload: Workload) -> list[str]:
    """Pods cannot run on a node that lacks one of their networks."""
    there = {a.name: site.nodes_with(site.networks[a.name]) for a in workload.networks if a.name in site.networks}
    found = [
        f"{where}.nodes[{i}]: network {name} is not on {node!r}; {references.one_of(nodes, 'put the network there too')}"
        for i, node in enumerate(workload.nodes)
        for name, nodes in there.items()
        if node in site.with_role("worker") and node not in nodes
    ]
    told = not set(workload.nodes) <= set(site.with_role("worker")) or not all(there.values())
    if found or told or site.nodes_of(workload) or not site.workers(workload.nodes, workload.racks):
        return found
    everywhere = [node for node in site.with_role("worker") if all(node in nodes for nodes in there.values())]
    if everywhere and not workload.racks and not workload.nodes:
        racks = ", ".join(dict.fromkeys(str(site.nodes.hosts[node].rack) for node in everywhere))
        what = "nodes with its networks" if there else "workers"
        found.append(f"{where}: all {what} stand in dedicated racks, and it names none; write racks: [{racks}]")
    elif there:
        shown = " and ".join(f"{name} is on {', '.join(nodes) or 'no node'}" for name, nodes in there.items())
        found.append(
            f"{where}.networks: no node has all of its networks: {shown}; give networks that meet on a node, or put them on one"
        )
    return found


def _spread(site: "Site", where: str, workload: Workload) -> list[str]:
    """Pods never start on a node that does not say which rack, row or zone it is in (Kubernetes: topologySpreadConstraints)."""
    if workload.spread and workload.kind == "DaemonSet":
        return [f"{where}.spread: a DaemonSet has a pod on each node, which nothing can spread; leave it out"]
    found = []
    levels = [spread.over for spread in workload.spread]
    for i, level in enumerate(levels):
        key = f"{where}.spread[{i}]" if len(levels) > 1 else f"{where}.spread"
        if level in levels[:i]:
            found.append(f"{key}: {level} stands there twice; keep one of them")
        lacking = [node for node in site.nodes_of(workload) if site.domain_of(node, level) is None]
        if lacking:
            right = "give racks.NAME.row to the racks they stand in" if level == "row" else "give each a rack"
            found.append(
                f"{key}: its pods could run on {', '.join(lacking)}, of which the site says no {level}; {right}"
            )
    return found
