"""Leaving: a machine that is made anew is drained and taken out of the cluster before it goes."""

from collections.abc import Mapping

import pulumi

from multus_site.kubespray.refusals import cannot_recreate
from multus_site.model.site import Site

from .node_vm import NodeVM
from .ssh import Ssh

DRAIN_SECONDS = 300
"""How long the pods of a node may take to end, all together; a node that takes longer stays."""


def leaving(site: Site, nodes: Mapping[str, NodeVM], ssh: Ssh, opts: pulumi.ResourceOptions) -> None:
    """A command for each machine that we make, which does nothing at `up` and takes its node out of the cluster when it is deleted.

    It is replaced together with the machine, so the engine deletes it before that, and makes the new one once the cluster is whole
    again. Where the node is in the cluster no more there is nothing to do, and where all machines go (`destroy`) it goes with them.
    The first control plane node and the first etcd member refuse: Kubespray can't replace these (docs/decisions/0014).
    `opts` hold the parent, which can't be a node's (all of the cluster waits for nodes), and the cluster to wait for.
    """
    control_planes = site.with_role("control-plane")
    firsts = {site.with_role("etcd")[0]: "first etcd member", control_planes[0]: "first control plane node"}
    for node, vm in nodes.items():
        if vm.machine is None:
            continue
        refusal = cannot_recreate(node, firsts[node]) if node in firsts else ""
        of_node = pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(deleted_with=nodes[control_planes[0]].machine)
        )
        # The only control plane node is asked itself, and refuses.
        through = next((other for other in control_planes if other != node), node)
        binaries = str(site.kubespray.all_variables().get("bin_dir", "/usr/local/bin"))
        ssh.removal(
            f"{site.name}-{node}-leave",
            through,
            "leave",
            "leave",
            {
                "NODE": node,
                "KUBECTL": f"{binaries}/kubectl",
                "ADMIN": "/etc/kubernetes/admin.conf",
                "SECONDS_TO_DRAIN": str(DRAIN_SECONDS),
                "FIRST": refusal,
            },
            triggers=[vm.made_as],
            opts=of_node,
        )
