"""Names that have to lead somewhere in the site, and what would be right where they do not."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from multus_site.model.types import NodeName, ObjectName

if TYPE_CHECKING:
    from multus_site.model.site import Site


def one_of(names: Iterable[str], otherwise: str) -> str:
    """What would be right instead of a name that leads nowhere."""
    there = ", ".join(names)
    return f"name one of {there}, or {otherwise}" if there else otherwise


def places(site: "Site", where: str, nodes: tuple[NodeName, ...], racks: tuple[ObjectName, ...]) -> list[str]:
    """Nodes that are no host of the site, or no worker; racks that there are not, or without workers; each with its path below `where`."""
    workers = site.with_role("worker")
    found = []
    if nodes and racks:
        found.append(f"{where}.racks: nodes says already where; leave one out")
    for i, node in enumerate(nodes):
        if node not in site.nodes.hosts:
            right = one_of(site.nodes.hosts, "add it to nodes.hosts")
            found.append(f"{where}.nodes[{i}]: there is no host {node!r}; {right}")
        elif node not in workers:
            right = one_of(workers, "give it the role worker")
            found.append(f"{where}.nodes[{i}]: {node!r} is not a worker; {right}")
    holding = list(dict.fromkeys(rack for node in workers if (rack := site.nodes.hosts[node].rack)))
    for i, rack in enumerate(racks):
        if rack not in holding:
            right = one_of(holding, f"give workers rack: {rack}")
            found.append(f"{where}.racks[{i}]: no worker stands in rack {rack!r}; {right}")
    return found
