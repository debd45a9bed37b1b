"""Changes that Kubespray cannot make to a running cluster, each with the way around it."""

from collections.abc import Collection, Iterator

from multus_site.kubespray.document import Document
from multus_site.kubespray.record import Applied
from multus_site.model.kubespray_releases import RELEASES, numbers


def refused_recreations(applied: Applied, recreated: Collection[str]) -> list[str]:
    """Machines that a running cluster cannot do without, of those that would be recreated."""
    groups = applied.groups
    first = {groups["etcd"][0]: "first etcd member", groups["kube_control_plane"][0]: "first control plane node"}
    return [cannot_recreate(host, what) for host, what in first.items() if host in recreated]


def cannot_recreate(host: str, what: str) -> str:
    """Why the machine of a host is not recreated, and what to do."""
    return (
        f"{host} is the {what}: its machine cannot be recreated in a running cluster, so it stays as it is. "
        "Undo the change to the site; or recreate the cluster, which ends everything that runs in it: pulumi destroy, pulumi up"
    )


def refused_removals(applied: Applied, document: Document, gone: list[str]) -> Iterator[str]:
    for group, what in (("kube_control_plane", "first control plane node"), ("etcd", "first etcd member")):
        first = applied.groups[group][0]
        if first in gone:
            anew = " (with another role it would leave and join again)" if first in document.hosts else ""
            yield (
                f"nodes.hosts.{first}: it is the {what}, which Kubespray can't remove or replace in a running cluster{anew}. Undo the change; "
                f"or make another node the first by hand (Kubespray's docs/operations/nodes.md, recover-control-plane.md); or destroy the cluster "
                f"and recreate it: pulumi destroy, pulumi up"
            )
    members = applied.groups["etcd"]
    lost = [member for member in members if member in gone]
    most = (len(members) - 1) // 2
    if len(lost) > most:
        way = (
            f"Go down to {len(members) - most} members first, in a `pulumi up` of its own"
            if most and (len(members) - most) % 2
            else f"Keep {len(members)} members; one that is to go is replaced under its own name, one in each `pulumi up`"
        )
        yield (
            f"nodes.hosts: taking {', '.join(lost)} out leaves {len(members) - len(lost)} of {len(members)} etcd members, which is no quorum. {way}"
        )


def refused_versions(applied: Applied, wanted: Applied) -> Iterator[str]:
    pairs = [("Kubespray", applied.version, wanted.version, "kubespray.version")]
    if applied.kube_version and wanted.kube_version:
        pairs.append(("Kubernetes", applied.kube_version, wanted.kube_version, "kubespray.kubernetesVersion"))
    for what, old, new, where in pairs:
        before, after = numbers(old), numbers(new)
        if after < before:
            yield f"{where}: {what} can't go back from {old} to {new}. Write {old} or a later one"
        elif after[0] != before[0]:
            yield f"{where}: {old} to {new} is another major version, which no playbook upgrades to. Recreate the cluster"
        elif after[1] > before[1] + 1:
            steps = [_step(what, before[0], minor, wanted.version) for minor in range(before[1] + 1, after[1])]
            path = ", ".join([*steps, new])
            yield f"{where}: from {old} to {new} is more than one step. Take one after the other, a `pulumi up` each: {path}"


def _step(what: str, major: int, minor: int, release: str) -> str:
    """The version to take for a minor version on the way: the latest that is known here."""
    if what == "Kubespray":
        known = [version for version in RELEASES if numbers(version)[:2] == (major, minor)]
        return max(known, key=numbers) if known else f"v{major}.{minor}.0"
    last = RELEASES[release].kubernetes.get(minor) if release in RELEASES else None
    return f"{major}.{minor}.{last or 0}"
