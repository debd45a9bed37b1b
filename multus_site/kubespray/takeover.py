"""A cluster that somebody else made with Kubespray, taken over: compared with the site, and recorded as applied. No playbook runs."""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import replace

from multus_site.kubespray.document import Document, KubesprayError
from multus_site.kubespray.found import DAEMONS, FoundCluster, NotFoundError, cluster_of, documents, read_command
from multus_site.kubespray.plan import as_applied, in_order
from multus_site.kubespray.record import Applied
from multus_site.model.kubespray_releases import kubernetes_of
from multus_site.render.cluster import pods_of, services_of
from multus_site.render.inventory import GROUPS
from multus_site.ssh.openssh import Shell

TAKEN_OVER = "the cluster: taken over, nothing run"
"""What previews and reviews say instead of `cluster.yml: first run`."""

ADMIN = "/etc/kubernetes/admin.conf"
ETCD = "/etc/etcd.env"
"""Where Kubespray names a member of etcd, on its node."""


def taken_over(document: Document, shell: Shell) -> Applied:
    """What a run of Kubespray would have recorded. Raises KubesprayError with every difference between cluster and site."""
    found = _read(document, shell)
    different = list(differences(found, document))
    if different:
        lines = "\n".join(f"  {line}" for line in different)
        msg = (
            f"the cluster is not taken over, because it differs from the site; nothing was changed:\n{lines}\n"
            "Correct the site (or the cluster), then type `pulumi up`."
        )
        raise KubesprayError(msg)
    by_address = {host["ip"]: name for name, host in document.hosts.items()}
    first = {"kube_control_plane": found.control_planes, "etcd": [by_address[address] for address in found.etcd]}
    applied = as_applied(document, None)
    groups = {group: in_order(first.get(group, ()), hosts) for group, hosts in applied.groups.items()}
    hosts = {
        name: {**host, "etcd_member_name": called} if (called := _member_name(shell, host)) else host
        for name, host in document.hosts.items()
        if name in groups["etcd"]
    }
    return replace(applied, groups=groups, hosts={**applied.hosts, **hosts})


def _read(document: Document, shell: Shell) -> FoundCluster:
    """The running cluster, from the first control plane node that tells. Raises KubesprayError."""
    command = read_command(str(document.variables.get("bin_dir", "/usr/local/bin")), ADMIN)
    reasons = []
    for name in document.groups["kube_control_plane"]:
        done = shell.run(document.hosts[name], command, seconds=120)
        if not done.returncode:
            try:
                return cluster_of(documents(done.stdout))
            except (NotFoundError, ValueError, KeyError) as error:
                msg = f"{name}: {error}. Only clusters that Kubespray made can be taken over (kubespray.adopted)"
                raise KubesprayError(msg) from None
        reasons.append(f"  {name}: {done.stderr.strip()[-400:] or f'kubectl ended with {done.returncode}'}")
    msg = "the cluster cannot be taken over: no host with the role control-plane tells about it\n" + "\n".join(reasons)
    raise KubesprayError(msg)


def _member_name(shell: Shell, host: Mapping[str, object]) -> str:
    """How etcd calls the member on a host; empty where Kubespray did not name it."""
    lines = shell.run(host, f"cat {ETCD} 2>/dev/null || true").stdout.splitlines()
    names = [line.partition("=")[2].strip().strip("\"'") for line in lines if line.startswith("ETCD_NAME=")]
    return names[-1] if names else ""


def differences(found: FoundCluster, document: Document) -> Iterator[str]:
    """Each difference between a running cluster and the site: where, what is in both, what to do."""
    if found.ca != document.adopted:
        yield (
            f"kubespray.adopted.ca: {document.adopted} in the site, {found.ca or 'not published'} in the cluster that these hosts "
            f"run. Check that these are the right hosts; sha256sum /etc/kubernetes/ssl/ca.crt on a control plane node prints it"
        )
    yield from _members(found, document)
    yield from _versions(found, document)
    yield from _networks(found, document)


def _members(found: FoundCluster, document: Document) -> Iterator[str]:
    by_address = {host["ip"]: name for name, host in document.hosts.items()}
    roles = {
        name: tuple(role for group, role in GROUPS.items() if name in document.groups[group]) for name in document.hosts
    }
    for name, member in found.members.items():
        called = by_address.get(member.address)
        if not member.ready:
            yield f"{name} is NotReady in the cluster. Bring it back, or remove it from the cluster and from nodes.hosts"
        if called is None and name in document.hosts:
            yield f"nodes.hosts.{name}.address: {document.hosts[name]['ip']} in the site, {member.address} in the cluster. Write {member.address}"
        elif called is None:
            yield f"nodes.hosts: {name} ({member.address}) is a node of the cluster, and not in the site. Add it, or remove it from the cluster first"
        elif called != name:
            yield f"nodes.hosts.{called}: the cluster calls this host ({member.address}) {name}. Rename it to {name}"
        else:
            there = (*member.roles, *(("etcd",) if member.address in found.etcd else ()))
            if set(there) != set(roles[name]):
                written = f"[{', '.join(role for role in GROUPS.values() if role in there)}]"
                yield f"nodes.hosts.{name}.roles: [{', '.join(roles[name])}] in the site, {written} in the cluster. Write roles: {written}"
    addresses = {member.address for member in found.members.values()}
    for name, host in document.hosts.items():
        if host["ip"] in addresses or name in found.members:
            continue
        if roles[name] == ("etcd",):
            if host["ip"] not in found.etcd:
                yield f"nodes.hosts.{name}: {host['ip']} is no member of the cluster's etcd. Remove it from the site, and add it after the takeover"
        else:
            yield f"nodes.hosts.{name}: it is not a node of the cluster. Remove it from the site, and add it after the takeover"
    for address in found.etcd:
        if address not in addresses and address not in by_address:
            yield f"nodes.hosts: {address} is a member of the cluster's etcd, and not in the site. Add it with roles: [etcd]"


def _versions(found: FoundCluster, document: Document) -> Iterator[str]:
    versions = found.versions()
    wanted = kubernetes_of(document.version, document.variables.get("kube_version"))
    if len(versions) > 1:
        named = "; ".join(f"{version} on {', '.join(where)}" for version, where in sorted(versions.items()))
        yield f"the cluster is between two versions of Kubernetes: {named}. Finish its upgrade with its own inventory first"
    elif wanted not in versions:
        (there,) = versions
        yield f"kubespray.kubernetesVersion: {wanted} in the site, {there} in the cluster. Write kubernetesVersion: {there}, and the release of Kubespray that installs it"
    manager = str(document.variables.get("container_manager", "containerd"))
    for name, member in found.members.items():
        if member.manager != manager:
            yield f"kubespray.variables.container_manager: {manager} in the site, {member.manager} on {name}"


def _networks(found: FoundCluster, document: Document) -> Iterator[str]:
    variables = document.variables
    for key, wanted, there in (
        ("podCidr", pods_of(variables), found.pods),
        ("serviceCidr", services_of(variables), found.services),
    ):
        if set(wanted) != set(_cidrs(there)):
            yield f"kubespray.{key}: {', '.join(wanted)} in the site, {there or 'none'} in the cluster. Write {key}: {there}"
    named = str(variables.get("cluster_name", document.site))
    if named != found.name:
        yield f"kubespray.variables.cluster_name: {named} in the site, {found.name} in the cluster. Write cluster_name: {found.name}"
    domain = str(variables.get("dns_domain", "cluster.local"))
    if domain != found.dns_domain:
        yield f"kubespray.variables.dns_domain: {domain} in the site, {found.dns_domain} in the cluster. Write dns_domain: {found.dns_domain}"
    plugin = str(variables.get("kube_network_plugin", "calico"))
    # What runs beside the first network, such as Cilium for policies, is no difference.
    if plugin not in found.plugins and plugin in DAEMONS.values():
        yield f"kubespray.networkPlugin: {plugin} in the site, {', '.join(sorted(found.plugins)) or 'no daemon of a known one'} in the cluster"
    mode = str(variables.get("kube_proxy_mode", "ipvs"))
    if found.proxy is not None and found.proxy != mode:
        yield f"kubespray.variables.kube_proxy_mode: {mode} in the site, {found.proxy} in the cluster. Write kube_proxy_mode: {found.proxy}"


def _cidrs(text: str) -> list[str]:
    return [str(ipaddress.ip_network(one.strip(), strict=False)) for one in text.split(",") if one.strip()]
