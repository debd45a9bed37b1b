"""Workloads of two sites held against each other: why pods are made anew."""

from collections.abc import Collection, Iterator

from model.site import Site
from model.workloads import Attachment, Workload
from review.words import listed, value


def reasons(old: Site, new: Site, name: str, networks: Collection[str]) -> list[str]:
    """Why the pods of a workload that is in both sites are other ones; `networks` are those whose configuration changed."""
    before, after = old.workloads[name], new.workloads[name]
    found = list(_own(before, after))
    changed = [a.name for a in after.networks if a.name in networks]
    if changed:
        found.append(f"{'network' if len(changed) == 1 else 'networks'} {listed(changed)} changed")
    was, now = old.restricted_to(before), new.restricted_to(after)
    if was != now and before.nodes == after.nodes:
        found.append(f"nodes that have all of its networks: {listed(was) or 'all'} → {listed(now) or 'all'}")
    if old.devices(before) != new.devices(after):
        found.append("it needs other devices")
    return found


def same_but_name(old: Site, new: Site) -> dict[str, str]:
    """New name → old name of workloads that were renamed."""
    gone = [name for name in old.workloads if name not in new.workloads]
    found = {}
    for name, workload in new.workloads.items():
        if name not in old.workloads:
            other = next((o for o in gone if old.workloads[o] == workload), None)
            if other is not None:
                gone.remove(other)
                found[name] = other
    return found


def _own(before: Workload, after: Workload) -> Iterator[str]:
    """What of the workload itself is another; commands and probes are not shown, they may hold anything."""
    for what in ("kind", "namespace", "image"):
        was, now = getattr(before, what), getattr(after, what)
        if was != now:
            yield f"{what} {was} → {now}"
    if before.nodes != after.nodes:
        yield f"nodes {listed(before.nodes) or 'all workers'} → {listed(after.nodes) or 'all workers'}"
    for what in ("command", "resources", "readiness_probe", "liveness_probe"):
        if getattr(before, what) != getattr(after, what):
            yield f"{what.replace('_', ' ')} changed"
    if before.networks != after.networks:
        yield from _attachments(before.networks, after.networks)


def _attachments(before: tuple[Attachment, ...], after: tuple[Attachment, ...]) -> Iterator[str]:
    was, now = [a.name for a in before], [a.name for a in after]
    if was != now:
        yield f"networks {listed(was) or 'none'} → {listed(now) or 'none'}"
        return
    for old, new in zip(before, after, strict=True):
        for what in ("interface", "ips", "ips_by_replica", "mac", "default_route", "port_mappings"):
            asked, asks = getattr(old, what), getattr(new, what)
            if asked != asks:
                named = what.replace("_", " ")
                dumps = [
                    value([entry.model_dump() if hasattr(entry, "model_dump") else entry for entry in one])
                    if isinstance(one, tuple)
                    else value(one)
                    for one in (asked, asks)
                ]
                yield f"{named} on {new.name}: {dumps[0] or 'none'} → {dumps[1] or 'none'}"
