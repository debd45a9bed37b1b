"""Changes that Kubespray cannot make to a running cluster, each with the way around it."""

from collections.abc import Collection, Iterator

from multus_site.kubespray.document import Document
from multus_site.kubespray.record import Applied
from multus_site.model.kubespray_releases import RELEASES, numbers


def refused_recreations(applied: Applied, recreated: Collection[str]) -> list[str]:
    """One message per machine that would be recreated, and that a running cluster cannot lose."""
    groups = applied.groups
    first = {groups["etcd"][0]: "first etcd member", groups["kube_control_plane"][0]: "first control plane node"}
    return [cannot_recreate(host, what) for host, what in first.items() if host in recreated]


def cannot_recreate(host: str, what: str) -> str:
    """Why the machine of a host cannot be recreated, and what to do."""
    return (
        f"{host} is the {what}: its machine cannot be recreated in a running cluster, so it stays as it is. "
        "Undo the change to the site; or recreate the cluster, which stops all its workloads: pulumi destroy, pulumi up"
    )


def refused_removals(applied: Applied, document: Document, gone: list[str]) -> Iterator[str]:
    for group, what in (("kube_control_plane", "first control plane node"), ("etcd", "first etcd member")):
        first = applied.groups[group][0]
        if first in gone:
            rejoin = " (a change of roles removes the node and joins it again)" if first in document.hosts else ""
            yield (
                f"nodes.hosts.{first}: it is the {what}, which Kubespray cannot remove or replace in a running cluster{rejoin}. Undo the change; "
                f"or make another node the first yourself (Kubespray's docs/operations/nodes.md, recover-control-plane.md); or destroy and "
                f"recreate the cluster: pulumi destroy, pulumi up"
            )
    members = applied.groups["etcd"]
    lost = [member for member in members if member in gone]
    most = (len(members) - 1) // 2
    if len(lost) > most:
        way = (
            f"First reduce etcd to {len(members) - most} members, in a separate `pulumi up`"
            if most and (len(members) - most) % 2
            else f"Keep {len(members)} members, and replace one in each `pulumi up`, under the same name"
        )
        yield (
            f"nodes.hosts: removing {', '.join(lost)} leaves {len(members) - len(lost)} of {len(members)} etcd members, which is no quorum. {way}"
        )


def refused_versions(applied: Applied, wanted: Applied) -> Iterator[str]:
    pairs = [("Kubespray", applied.version, wanted.version, "kubespray.version")]
    if applied.kube_version and wanted.kube_version:
        pairs.append(("Kubernetes", applied.kube_version, wanted.kube_version, "kubespray.kubernetesVersion"))
    for what, old, new, where in pairs:
        before, after = numbers(old), numbers(new)
        if after < before:
            yield f"{where}: {what} cannot be downgraded from {old} to {new}. Write {old} or a later version"
        elif after[0] != before[0]:
            yield f"{where}: {old} to {new} is a change of the major version, which no playbook supports. Recreate the cluster"
        elif after[1] > before[1] + 1:
            steps = [_step(what, before[0], minor, wanted.version) for minor in range(before[1] + 1, after[1])]
            path = ", ".join([*steps, new])
            yield f"{where}: {old} to {new} is more than one minor version. Upgrade in steps, with one `pulumi up` each: {path}"


def _step(what: str, major: int, minor: int, release: str) -> str:
    """The version for an intermediate step: the latest known patch of the minor version."""
    if what == "Kubespray":
        known = [version for version in RELEASES if numbers(version)[:2] == (major, minor)]
        return max(known, key=numbers) if known else f"v{major}.{minor}.0"
    last = RELEASES[release].kubernetes.get(minor) if release in RELEASES else None
    return f"{major}.{minor}.{last or 0}"
