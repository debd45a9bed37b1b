"""Rules on racks: empty and unused ones, placement that they make impossible, and what fails with one of them."""

from dataclasses import dataclass

from multus_site.lint.registry import Problem, Problems, rule
from multus_site.model.paths import Path
from multus_site.model.site import Site


@dataclass(frozen=True, slots=True, eq=False)
class Racks:
    """The racks of a site, with its hosts and workloads."""

    site: Site
    path: Path = ()

    def with_hosts(self) -> dict[str, list[str]]:
        """Rack → its hosts, in file order; without empty racks."""
        racks: dict[str, list[str]] = {}
        for name, host in self.site.nodes.hosts.items():
            if host.rack is not None:
                racks.setdefault(host.rack, []).append(name)
        return racks


@rule(
    "RACK_WITHOUT_HOSTS",
    "warning",
    "together",
    "A rack without hosts",
    example="racks: {r1: {row: a}, r2: {row: a}}, and no host has rack: r2",
    source="docs/racks.md",
)
def rack_without_hosts(racks: Racks) -> Problems:
    """It has no effect; often a host's rack is missing or misspelled."""
    used = racks.with_hosts()
    for name in racks.site.racks:
        if name not in used:
            yield Problem(("racks", name), "no host is in this rack", f"Set rack: {name} on hosts, or remove the rack.")


@rule(
    "DEDICATED_RACK_UNUSED",
    "warning",
    "together",
    "A dedicated rack without workloads",
    example="racks: {c1: {dedicated: true}}, and no workload has racks: [c1]",
    source="Kubernetes: pods without a toleration of the taint stay off",
)
def dedicated_rack_unused(racks: Racks) -> Problems:
    """Its nodes accept only pods of workloads that name the rack or nodes in it."""
    used = {taint for workload in racks.site.workloads.values() for taint in racks.site.tolerated(workload)}
    for name, hosts in racks.with_hosts().items():
        taint = racks.site.taint_of(hosts[0])
        if taint is not None and taint not in used:
            hint = f"Set racks: [{name}] on the workloads for this rack, or remove dedicated."
            yield Problem(("racks", name, "dedicated"), "no workload can run in this rack", hint)


@rule(
    "DEDICATED_EVERYWHERE",
    "error",
    "together",
    "No node for cluster services",
    example="every host is in a rack that is dedicated",
    source="Kubespray roles/kubernetes-apps/ansible/templates/coredns-deployment.yml.j2: tolerates only the control plane's taint",
)
def dedicated_everywhere(racks: Racks) -> Problems:
    """CoreDNS and other cluster services do not tolerate these taints. Without an open node they never start, and the cluster never becomes ready."""
    site = racks.site
    nodes = [name for name, host in site.nodes.hosts.items() if {"control-plane", "worker"} & set(host.roles)]
    if nodes and all(site.taint_of(node) for node in nodes):
        hint = "Remove dedicated from one rack, preferably that of the control plane."
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
    """All pods run in the same place, although the site spreads them."""
    site = racks.site
    for name, workload in site.workloads.items():
        nodes = site.nodes_of(workload)
        for spread in workload.spread:
            domains = sorted({site.domain_of(node, spread.over) or "" for node in nodes})
            path = ("workloads", name, "spread")
            if len(domains) == 1:
                hint = f"Let the pods run in another {spread.over} too, or remove spread."
                yield Problem(path, f"the pods can run in one {spread.over} only, {domains[0]}", hint)
            elif workload.replicas == 1:
                yield Problem(path, f"a single pod runs in one {spread.over}", "Increase replicas, or remove spread.")


@rule(
    "ETCD_IN_ONE_RACK",
    "warning",
    "together",
    "One rack holds the majority of etcd",
    example="three etcd members, two of them in rack r1, and hosts in racks r1, r2, r3",
    source="etcd: a cluster of n members needs n/2+1 of them",
)
def etcd_in_one_rack(racks: Racks) -> Problems:
    """If that rack fails, the API server stops, and no pod is rescheduled. Three racks can hold a member each."""
    hosts_by_rack = racks.with_hosts()
    members = racks.site.with_role("etcd")
    if len(members) < 3 or len(hosts_by_rack) < 3:
        return
    for rack, hosts in hosts_by_rack.items():
        held = [host for host in hosts if host in members]
        if len(held) > (len(members) - 1) // 2:
            path = ("nodes", "hosts", held[-1], "rack")
            message = f"rack {rack} holds {len(held)} of {len(members)} etcd members ({', '.join(held)}): without it there is no majority"
            yield Problem(path, message, "Give the role etcd to hosts in other racks instead.")
