"""Names that have to lead somewhere in the site, and what would be right where they do not."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from model.types import NodeName

if TYPE_CHECKING:
    from model.site import Site


def one_of(names: Iterable[str], otherwise: str) -> str:
    """What would be right instead of a name that leads nowhere."""
    there = ", ".join(names)
    return f"name one of {there}, or {otherwise}" if there else otherwise


def nodes(site: "Site", where: str, names: tuple[NodeName, ...]) -> list[str]:
    """Nodes that are no host of the site, or no worker, each with its path below `where`."""
    workers = site.with_role("worker")
    found = []
    for i, node in enumerate(names):
        if node not in site.nodes.hosts:
            right = one_of(site.nodes.hosts, "add it to nodes.hosts")
            found.append(f"{where}.nodes[{i}]: there is no host {node!r}; {right}")
        elif node not in workers:
            right = one_of(workers, "give it the role worker")
            found.append(f"{where}.nodes[{i}]: {node!r} is not a worker; {right}")
    return found
