"""What no rack can know alone: hosts in racks that there are not, labels that say something else already."""

from typing import TYPE_CHECKING

from multus_site.model import references
from multus_site.model.positions import written
from multus_site.model.racks import LABELS

if TYPE_CHECKING:
    from multus_site.model.site import Site


def mistakes(site: "Site") -> list[str]:
    """Unknown racks of hosts, labels of a rack under keys that its name, row and zone have."""
    found = []
    for name, host in site.nodes.hosts.items():
        if site.racks and host.rack is not None and host.rack not in site.racks:
            right = references.one_of(site.racks, "add it to racks")
            found.append(f"nodes.hosts.{name}.rack: there is no rack {host.rack!r}; {right}")
    taken = {label: level for level, label in LABELS.items()}
    for name, rack in site.racks.items():
        for key in rack.labels:
            if key in taken:
                where = written(("racks", name, "labels", key))
                found.append(
                    f"{where}: a node's {taken[key]} is told by this label already; leave it out, {_instead(taken[key])}"
                )
    return found


def _instead(level: str) -> str:
    own = {"rack": "the rack's name is it", "node": "the host's name is it"}
    return own.get(level, f"racks.NAME.{level} is it")
