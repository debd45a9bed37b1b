"""The first stage of a site: its hosts, and the proof that they can become nodes."""

from dataclasses import dataclass

import pulumi

from multus_site.cni.uplinks import nics_in_use
from multus_site.render import air_gap

from .backends import backend
from .context import SiteContext
from .local_program import LocalProgram, LocalProgramArgs
from .node_vm import NodeVM, NodeVMArgs
from .preflight import Before, Preflight, PreflightArgs, name_of


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


def _access(context: SiteContext) -> LocalProgram:
    """The login to existing hosts: it fails with the name of each that cannot be reached, before a command dials one."""
    ssh, hosts = context.ssh, context.site.nodes.hosts
    document = pulumi.Output.all(
        way=ssh.route,
        hosts={node: {"address": host.address, "hostKey": ssh.host_key(node)} for node, host in hosts.items()},
    )
    return LocalProgram(
        f"{context.site.name}-access",
        LocalProgramArgs("nodes.access", document, time_limit=300, reads_last_record=True),
        context.opts(provider=context.commands),
    )


def create_hosts(context: SiteContext) -> Hosts:
    """A NodeVM for each host, and one preflight for all of them."""
    site, drift = context.site, context.drift
    maker = backend(site.nodes, context.ssh)
    packages = {
        node: air_gap.package_source(site.air_gap, host.architecture) for node, host in site.nodes.hosts.items()
    }
    access = _access(context) if maker is None else None
    before = Before(
        site.name, context.last, {node: [*nics_in_use(site, node), packages[node]] for node in site.nodes.hosts}
    )
    nodes: dict[str, NodeVM] = {}
    # Members of etcd and the control plane change one after the other: restarted together they would lose etcd's majority.
    members = {*site.with_role("control-plane"), *site.with_role("etcd")}
    previous: NodeVM | None = None
    for node in site.nodes.hosts:
        nodes[node] = NodeVM(
            f"{site.name}-{node}",
            NodeVMArgs(
                site=site.name,
                node=node,
                nodes=site.nodes,
                maker=maker,
                ssh=context.ssh,
                uplinks=nics_in_use(site, node),
                packages=packages[node],
                drift=drift.on_node(node),
                looked=before.looked(node),
                started=drift.starts(node),
                commands=context.commands,
                after=[previous.proof] if previous and node in members else [],
                access=access,
            ),
            context.opts(),
        )
        if node in members:
            previous = nodes[node]
    preflight = Preflight(
        name_of(site.name),
        PreflightArgs(
            site=site,
            variables=context.kubespray_variables,
            ssh=context.ssh,
            before=before,
            reasons={node: [vm.identity, drift.on_node(node)] for node, vm in nodes.items()},
        ),
        context.opts(*nodes.values(), provider=context.commands),
    )
    return Hosts(nodes, preflight, nodes[site.with_role("control-plane")[0]])
