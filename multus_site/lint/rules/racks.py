"""Rules on racks: those that nothing is in, that nobody uses, that leave no room, and what fails with one of them."""

from dataclasses import dataclass

from multus_site.lint.registry import Problem, Problems, rule
from multus_site.model.paths import Path
from multus_site.model.site import Site


@dataclass(frozen=True, slots=True, eq=False)
class Racks:
    """The racks of a site, and all that stands and runs there."""

    site: Site
    path: Path = ()

    def with_hosts(self) -> dict[str, list[str]]:
        """Rack → its hosts, in the order of the file."""
        found: dict[str, list[str]] = {}
        for name, host in self.site.nodes.hosts.items():
            if host.rack is not None:
                found.setdefault(host.rack, []).append(name)
        return found


@rule(
    "RACK_WITHOUT_HOSTS",
    "warning",
    "together",
    "A rack that no host stands in",
    example="racks: {r1: {row: a}, r2: {row: a}}, and no host says rack: r2",
    source="docs/racks.md",
)
def rack_without_hosts(racks: Racks) -> Problems:
    """It does nothing; often the rack of a host is missing, or another name was meant."""
    there = racks.with_hosts()
    for name in racks.site.racks:
        if name not in there:
            yield Problem(("racks", name), "no host stands in it", f"Give hosts rack: {name}, or take the rack out.")


@rule(
    "DEDICATED_RACK_UNUSED",
    "warning",
    "together",
    "A dedicated rack that no workload is for",
    example="racks: {c1: {dedicated: true}}, and no workload says racks: [c1]",
    source="Kubernetes: pods without a toleration of the taint stay off",
)
def dedicated_rack_unused(racks: Racks) -> Problems:
    """Its nodes keep off every pod but those of workloads that name the rack, or nodes in it."""
    used = {taint for workload in racks.site.workloads.values() for taint in racks.site.tolerated(workload)}
    for name, hosts in racks.with_hosts().items():
        taint = racks.site.taint_of(hosts[0])
        if taint is not None and taint not in used:
            hint = f"Write racks: [{name}] in the workloads that it is for, or take dedicated out."
            yield Problem(("racks", name, "dedicated"), "no workload may run there", hint)


@rule(
    "DEDICATED_EVERYWHERE",
    "error",
    "together",
    "No node is left for what every cluster runs",
    example="every host is in a rack that is dedicated",
    source="Kubespray roles/kubernetes-apps/ansible/templates/coredns-deployment.yml.j2: tolerates the control plane's taint alone",
)
def dedicated_everywhere(racks: Racks) -> Problems:
    """CoreDNS and the like tolerate no taint of ours: without a node that is open to all they never start, and the cluster is never ready."""
    site = racks.site
    nodes = [name for name, host in site.nodes.hosts.items() if {"control-plane", "worker"} & set(host.roles)]
    if nodes and all(site.taint_of(node) for node in nodes):
        hint = "Leave one rack open, best that of the control plane: take its dedicated out."
        yield Problem(("racks",), "every node is in a dedicated rack, and CoreDNS has nowhere to run", hint)


@rule(
    "SPREAD_WITHOUT_CHOICE",
    "warning",
    "together",
    "Nothing to spread over",
    example="spread: rack, and all nodes that the pods can run on are in one rack",
    source="Kubernetes: Pod Topology Spread Constraints",
)
def spread_without_choice(racks: Racks) -> Problems:
    """All pods end up in the same place, though the site asks that they do not."""
    site = racks.site
    for name, workload in site.workloads.items():
        nodes = site.nodes_of(workload)
        for spread in workload.spread:
            domains = sorted({site.domain_of(node, spread.over) or "" for node in nodes})
            path = ("workloads", name, "spread")
            if len(domains) == 1:
                hint = f"Let the pods run in another {spread.over} too, or take spread out."
                yield Problem(path, f"its pods can run in one {spread.over} only, {domains[0]}", hint)
            elif workload.replicas == 1:
                yield Problem(path, f"one pod is in one {spread.over}", "Give more replicas, or take spread out.")


@rule(
    "ETCD_IN_ONE_RACK",
    "warning",
    "together",
    "One rack holds the majority of etcd",
    example="three etcd members, two of them in rack r1, and hosts in racks r1, r2, r3",
    source="etcd: a cluster of n members goes on while n/2+1 of them are there",
)
def etcd_in_one_rack(racks: Racks) -> Problems:
    """Where that rack fails, the API server stands still: nothing starts anew elsewhere. Three racks could hold a member each."""
    there = racks.with_hosts()
    members = racks.site.with_role("etcd")
    if len(members) < 3 or len(there) < 3:
        return
    for rack, hosts in there.items():
        held = [host for host in hosts if host in members]
        if len(held) > (len(members) - 1) // 2:
            path = ("nodes", "hosts", held[-1], "rack")
            message = f"rack {rack} holds {len(held)} of {len(members)} etcd members ({', '.join(held)}): without it there is no majority"
            yield Problem(path, message, "Give the role etcd to hosts of other racks instead.")
