"""The first stage of a site: its hosts, and the proof that they can become nodes."""

from dataclasses import dataclass

import pulumi

from multus_site.cni.uplinks import nics_in_use
from multus_site.render import air_gap

from .backends import backend
from .context import SiteContext
from .node_vm import NodeVM
from .preflight import Before, Preflight, name_of


@dataclass(frozen=True)
class Hosts:
    """The machines, by node, and their preflight."""

    nodes: dict[str, NodeVM]
    preflight: Preflight
    first: NodeVM
    """The first control plane node."""

    @property
    def goes_with(self) -> pulumi.Resource | None:
        """The machine that the cluster ends with, if we create it: nothing on it has to be reset or deleted one by one."""
        return self.first.machine


def create_hosts(context: SiteContext) -> Hosts:
    """A NodeVM for each host, and one preflight for all of them."""
    site, drift = context.site, context.drift
    maker = backend(site.nodes, context.ssh)
    packages = {
        node: air_gap.package_source(site.air_gap, host.architecture) for node, host in site.nodes.hosts.items()
    }
    before = Before(site, {node: [*nics_in_use(site, node), packages[node]] for node in site.nodes.hosts})
    nodes: dict[str, NodeVM] = {}
    # Members of etcd and the control plane change one after the other: restarted together they would lose etcd's majority.
    members = {*site.with_role("control-plane"), *site.with_role("etcd")}
    previous: NodeVM | None = None
    for node in site.nodes.hosts:
        nodes[node] = NodeVM(
            f"{site.name}-{node}",
            site.name,
            node,
            site.nodes,
            maker,
            context.ssh,
            nics_in_use(site, node),
            packages[node],
            drift.on_node(node),
            before.looked(node),
            drift.starts(node),
            context.commands,
            after=[previous.proof] if previous and node in members else [],
            opts=context.opts(),
        )
        if node in members:
            previous = nodes[node]
    preflight = Preflight(
        name_of(site.name),
        site,
        context.kubespray_variables,
        context.ssh,
        before,
        {node: [vm.identity, drift.on_node(node)] for node, vm in nodes.items()},
        context.commands,
        opts=context.opts(*nodes.values()),
    )
    return Hosts(nodes, preflight, nodes[site.with_role("control-plane")[0]])
