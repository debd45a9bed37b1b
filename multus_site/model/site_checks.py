"""Checks of a site as a whole: what none of its parts can know alone."""

import re
from collections.abc import Iterator

from multus_site.model.network_checks import check_links, check_network
from multus_site.model.part import Mistake
from multus_site.model.rack_checks import check_placement, check_racks
from multus_site.model.site_parts import SiteParts
from multus_site.model.workload_checks import check_workload
from multus_site.model.workloads import replica_name

_LINUX_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
"""What useradd takes."""


def check_site(site: SiteParts) -> Iterator[Mistake]:
    """All mistakes at once."""
    yield from _check_roles(site)
    yield from _check_hosts(site)
    yield from check_racks(site)
    yield from _check_made_machines(site)
    yield from site.nodes.check_backend()
    architectures = {host.architecture for host in site.nodes.hosts.values()}
    yield from site.cni_plugins.check_binaries(architectures, site.calico_plugins())
    yield from site.kubespray.check_keys()
    manager = site.kubespray.variables.get("container_manager", "containerd")
    if site.air_gap is not None and manager != "containerd":
        path = ("kubespray", "variables", "container_manager")
        yield Mistake(path, "only containerd is configured for the mirror of airGap; remove it")
    for name, network in site.networks.items():
        yield from check_network(site, ("networks", name), network)
    yield from check_links(site)
    for name, pool in site.sriov.pools.items() if site.sriov else ():
        yield from check_placement(site, ("sriov", "pools", name), pool)
    for name, workload in site.workloads.items():
        yield from check_workload(site, ("workloads", name), workload)
        if workload.sticky:
            for other in (replica_name(name, i) for i in range(workload.replicas)):
                if other in site.workloads:
                    message = f"a replica of {name} has this name; choose another"
                    yield Mistake(("workloads", other), message)


def _check_roles(site: SiteParts) -> Iterator[Mistake]:
    path = ("nodes", "hosts")
    if not site.with_role("control-plane"):
        right = "give it to one, such as roles: [control-plane, etcd, worker]"
        yield Mistake(path, f"no host has the role control-plane; {right}")
    members = len(site.with_role("etcd"))
    if members % 2 == 0:
        yield Mistake(path, f"{members} hosts have the role etcd; it must be an odd number (1, 3, 5)")
    if not site.with_role("worker"):
        right = "give it to one, such as roles: [worker]"
        yield Mistake(path, f"no host has the role worker, and pods would have nowhere to run; {right}")


def _check_hosts(site: SiteParts) -> Iterator[Mistake]:
    holders: dict[str, str] = {}
    for name, host in site.nodes.hosts.items():
        holder = holders.setdefault(host.address, name)
        if holder != name:
            message = f"{host.address} is also the address of {holder}; give each host its own"
            yield Mistake(("nodes", "hosts", name, "address"), message)
        if not site.nodes.makes_machines and host.host_key is None:
            message = f"missing; print it with: ssh-keyscan -t ed25519 {host.address}"
            yield Mistake(("nodes", "hosts", name, "hostKey"), message)


def _check_made_machines(site: SiteParts) -> Iterator[Mistake]:
    if not site.nodes.makes_machines:
        return
    if site.nodes.ssh.agent:
        message = "created machines get the public half of a private key, which an agent does not export; remove agent"
        yield Mistake(("nodes", "ssh", "agent"), message)
    if not _LINUX_USER.fullmatch(site.nodes.ssh.user):
        message = f"{site.nodes.ssh.user!r} is not a valid user name for created machines; use a-z, 0-9, '_' and '-', beginning with a letter or '_'"
        yield Mistake(("nodes", "ssh", "user"), message)
