"""Racks, and parts of a site that name racks and nodes: names that lead nowhere, labels with two values."""

from collections.abc import Iterator

from multus_site.model.part import Mistake, name_one_of
from multus_site.model.paths import Path
from multus_site.model.racks import LABELS, Placed
from multus_site.model.site_parts import SiteParts


def check_racks(site: SiteParts) -> Iterator[Mistake]:
    """Unknown racks of hosts, labels of a rack under keys that its name, row and zone have."""
    for name, host in site.nodes.hosts.items():
        if site.racks and host.rack is not None and host.rack not in site.racks:
            path = ("nodes", "hosts", name, "rack")
            yield Mistake.of_name(path, "rack", host.rack, site.racks, "add it to racks")
    taken = {label: level for level, label in LABELS.items()}
    for name, rack in site.racks.items():
        for key in rack.labels:
            if key in taken:
                message = f"this label is reserved for a node's {taken[key]}; remove it, {_instead(taken[key])}"
                yield Mistake(("racks", name, "labels", key), message)


def _instead(level: str) -> str:
    own = {"rack": "its value is the rack's name", "node": "its value is the host's name"}
    return own.get(level, f"and set racks.NAME.{level}")


def check_placement(site: SiteParts, path: Path, part: Placed) -> Iterator[Mistake]:
    """Nodes that are not hosts of the site, or not workers; racks without workers. `path`: of the part that names them."""
    workers = site.with_role("worker")
    if part.nodes and part.racks:
        yield Mistake((*path, "racks"), "nodes is set too; keep one of the two")
    for i, node in enumerate(part.nodes):
        where = (*path, "nodes", i)
        if node not in site.nodes.hosts:
            yield Mistake.of_name(where, "host", node, site.nodes.hosts, "add it to nodes.hosts")
        elif node not in workers:
            yield Mistake(where, f"{node!r} is not a worker; {name_one_of(workers, 'give it the role worker')}")
    holding = list(dict.fromkeys(rack for node in workers if (rack := site.nodes.hosts[node].rack)))
    for i, rack in enumerate(part.racks):
        if rack not in holding:
            right = name_one_of(holding, f"give workers rack: {rack}")
            yield Mistake((*path, "racks", i), f"no worker is in rack {rack!r}; {right}", unknown=rack)
