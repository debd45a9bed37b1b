"""Compare the workloads of two sites: why pods are recreated."""

from collections.abc import Collection, Iterator

from multus_site.model.site import Site
from multus_site.model.workloads import Attachment, Workload
from multus_site.review.wording import listed, value


def reasons(old: Site, new: Site, name: str, networks: Collection[str]) -> list[str]:
    """Return why the pods of a workload in both sites are recreated; `networks`: those whose configuration changed."""
    before, after = old.workloads[name], new.workloads[name]
    found = list(_own(before, after))
    changed = [a.name for a in after.networks if a.name in networks]
    if changed:
        found.append(f"{'network' if len(changed) == 1 else 'networks'} {listed(changed)} changed")
    was, now = old.restricted_to(before), new.restricted_to(after)
    if was != now and (before.nodes, before.racks) == (after.nodes, after.racks):
        found.append(f"nodes with all of its networks: {listed(was) or 'all'} → {listed(now) or 'all'}")
    tolerated, tolerates = (", ".join(map(str, taints)) for taints in (old.tolerated(before), new.tolerated(after)))
    if tolerated != tolerates:
        found.append(f"tolerated taints: {tolerated or 'none'} → {tolerates or 'none'}")
    if after.kind == "DaemonSet" and not after.racks and not now and _dedicated(old) != _dedicated(new):
        found.append(
            f"dedicated racks it avoids: {listed(_dedicated(old)) or 'none'} → {listed(_dedicated(new)) or 'none'}"
        )
    if old.devices(before) != new.devices(after):
        found.append("it needs other devices")
    return found


def _dedicated(site: Site) -> list[str]:
    return [name for name, rack in site.racks.items() if rack.dedicated]


def _over(workload: Workload) -> str:
    """Return what pods are spread over, with settings that are not defaults."""
    parts = []
    for spread in workload.spread:
        usual = {"max_skew": f"maxSkew {spread.max_skew}", "when_unsatisfiable": spread.when_unsatisfiable}
        more = [text for key, text in usual.items() if key in spread.model_fields_set]
        parts.append(f"{spread.over} ({', '.join(more)})" if more else spread.over)
    return ", ".join(parts)


def same_but_name(old: Site, new: Site) -> dict[str, str]:
    """Return new name → old name of workloads where only the name changed."""
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
    """Yield what changed in the workload itself; contents of commands and probes are not shown, as they may hold secrets."""
    for what in ("kind", "namespace", "image"):
        was, now = getattr(before, what), getattr(after, what)
        if was != now:
            yield f"{what} {was} → {now}"
    if before.nodes != after.nodes:
        yield f"nodes {listed(before.nodes) or 'all workers'} → {listed(after.nodes) or 'all workers'}"
    if before.racks != after.racks:
        yield f"racks {listed(before.racks) or 'none named'} → {listed(after.racks) or 'none named'}"
    if before.spread != after.spread:
        yield f"spread over {_over(before) or 'nothing'} → {_over(after) or 'nothing'}"
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
