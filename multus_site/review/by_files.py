"""What a change does, from the sites alone: for a stack without state, of which a preview would create everything."""

from collections.abc import Collection
from typing import cast

from multus_site.model.site import Site
from multus_site.render.network import address_management
from multus_site.review import workloads
from multus_site.review.data import Level, Network, Pods
from multus_site.review.effects import Change, ended, how_recreated, number_of_pods, started


def pods(change: Change, networks: Collection[Network]) -> list[Pods]:
    """Return the workloads whose pods stop, start or are recreated, if what runs is the site before."""
    old, new = change.old, change.new
    changed = {network.name for network in networks if network.remade}
    return [one for name in _names(old, new) if (one := _pods(change, name, changed))] if old else []


def _names(old: Site | None, new: Site) -> list[str]:
    return list(dict.fromkeys((*new.workloads, *(old.workloads if old else ()))))


def _pods(change: Change, name: str, changed: Collection[str]) -> Pods | None:
    old = cast("Site", change.old)
    before, after = old.workloads.get(name), change.new.workloads.get(name)
    was, now = number_of_pods(old, before), number_of_pods(change.new, after)
    if before is None and after is not None:
        return Pods(name, after.kind, "start", "note", now, "new", started(change, name))
    if before is not None and after is None:
        return Pods(
            name, before.kind, "end", "danger", was, "its pods are deleted and not replaced", ended(change, name)
        )
    if before is None or after is None:
        return None
    if why := workloads.reasons(old, change.new, name, changed):
        how, level = how_recreated(after.kind, now, sticky=after.sticky)
        return Pods(name, after.kind, "restart", level, now, how, "; ".join(why))
    if was != now:
        fewer: Level = "danger" if now == 0 else "care" if now < was else "note"
        return Pods(name, after.kind, "scale", fewer, abs(now - was), f"{was} → {now} pods", "replicas changed")
    return None


def daemons(change: Change) -> set[str]:
    """Return the components whose daemon restarts: those whose settings differ and that both sites have."""
    old, new = change.old, change.new
    if old is None:
        return set()
    both = address_management(old) & address_management(new)
    found = {
        "Multus": old.multus != new.multus,
        "Whereabouts": "whereabouts" in both and old.whereabouts != new.whereabouts,
        "Sriov": old.sriov is not None and new.sriov is not None and old.sriov != new.sriov,
    }
    return {owner for owner, differs in found.items() if differs}
