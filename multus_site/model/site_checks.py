"""What no part of a site can know alone."""

import re
from typing import TYPE_CHECKING

from multus_site.model import network_checks, rack_checks, references, workload_checks
from multus_site.model.workloads import replica_name

if TYPE_CHECKING:
    from multus_site.model.site import Site

_LINUX_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
"""What useradd takes."""


def mistakes(site: "Site") -> list[str]:
    """All of them at once, each with its path in the site."""
    hosts = site.nodes.hosts
    found = []
    if not site.with_role("control-plane"):
        found.append(
            "nodes.hosts: no host has the role control-plane; give it to one, such as roles: [control-plane, etcd, worker]"
        )
    if len(site.with_role("etcd")) % 2 == 0:
        found.append(
            f"nodes.hosts: {len(site.with_role('etcd'))} hosts have the role etcd; it must be an odd number (1, 3, 5)"
        )
    if not site.with_role("worker"):
        found.append(
            "nodes.hosts: no host has the role worker, and pods would have nowhere to run; give it to one, such as roles: [worker]"
        )
    seen: dict[str, str] = {}
    for name, host in hosts.items():
        if host.address in seen:
            found.append(
                f"nodes.hosts.{name}.address: {host.address} is the address of {seen[host.address]} too; give each host its own"
            )
        seen.setdefault(host.address, name)
        if not site.nodes.makes_machines and host.host_key is None:
            found.append(f"nodes.hosts.{name}.hostKey: missing; print it with: ssh-keyscan -t ed25519 {host.address}")
    found += rack_checks.mistakes(site)
    if site.nodes.makes_machines and site.nodes.ssh.agent:
        found.append(
            "nodes.ssh.agent: machines that are made are given the public half of a private key, which an agent does not hand out; leave agent out"
        )
    if site.nodes.makes_machines and not _LINUX_USER.fullmatch(site.nodes.ssh.user):
        found.append(
            f"nodes.ssh.user: {site.nodes.ssh.user!r} is not a name for a user of machines that are made; use a-z, 0-9, '_' and '-', beginning with a letter or '_'"
        )
    found += site.nodes.mistakes()
    found += site.cni_plugins.mistakes({host.architecture for host in hosts.values()}, site.network_plugin())
    found += site.kubespray.mistakes()
    manager = site.kubespray.variables.get("container_manager", "containerd")
    if site.air_gap is not None and manager != "containerd":
        found.append(
            "kubespray.variables.container_manager: only containerd is told of the mirror of airGap; leave it out"
        )
    for name, network in site.networks.items():
        if network.segment is not None and network.segment not in site.segments:
            right = references.one_of(site.segments, "add it to segments")
            found.append(f"networks.{name}.segment: there is no segment {network.segment!r}; {right}")
        found += references.places(site, f"networks.{name}", network.nodes, network.racks)
        found += network_checks.by_node(site, f"networks.{name}", network)
    found += network_checks.links(site)
    for name, pool in site.sriov.pools.items() if site.sriov else ():
        found += references.places(site, f"sriov.pools.{name}", pool.nodes, pool.racks)
    for name, workload in site.workloads.items():
        found += workload_checks.mistakes(site, name, workload)
        if workload.sticky:
            for other in (replica_name(name, i) for i in range(workload.replicas)):
                if other in site.workloads:
                    found.append(f"workloads.{other}: a replica of {name} is called so; give it another name")
    return found
