"""What no workload can know alone: networks that are not there, or not where its pods could run."""

from typing import TYPE_CHECKING

from model import attachments, named
from model.workloads import Workload

if TYPE_CHECKING:
    from model.site import Site


def mistakes(site: "Site", name: str, workload: Workload) -> list[str]:
    """Networks that are not there or cannot be had, interfaces called twice, nodes without them."""
    where = f"workloads.{name}"
    found = []
    for i, attachment in enumerate(workload.networks):
        network = site.networks.get(attachment.name)
        if network is None:
            right = named.one_of(site.networks, "add it to networks")
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
    found += named.nodes(site, where, workload.nodes)
    found += _missing_networks(site, where, workload)
    return found


def _missing_networks(site: "Site", where: str, workload: Workload) -> list[str]:
    """Pods cannot run on a node that lacks one of their networks."""
    there = {a.name: site.nodes_with(site.networks[a.name]) for a in workload.networks if a.name in site.networks}
    found = [
        f"{where}.nodes[{i}]: network {name} is not on {node!r}; {named.one_of(nodes, 'put the network there too')}"
        for i, node in enumerate(workload.nodes)
        for name, nodes in there.items()
        if node in site.with_role("worker") and node not in nodes
    ]
    told = any(node not in site.with_role("worker") for node in workload.nodes) or not all(there.values())
    if not found and not told and there and not site.nodes_of(workload):
        shown = " and ".join(f"{name} is on {', '.join(nodes) or 'no node'}" for name, nodes in there.items())
        found.append(
            f"{where}.networks: no node has all of its networks: {shown}; give networks that meet on a node, or put them on one"
        )
    return found
