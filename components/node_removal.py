"""Node removal: a node is drained and leaves the cluster before its machine is replaced."""

from collections.abc import Mapping

import pulumi

from multus_site.kubespray.refusals import cannot_recreate
from multus_site.model.site import Site

from .node_vm import NodeVM
from .ssh import Ssh

DRAIN_SECONDS = 300
"""Time for all pods of a node to end; a node that takes longer stays."""


def leaving(site: Site, nodes: Mapping[str, NodeVM], ssh: Ssh, opts: pulumi.ResourceOptions) -> None:
    """Create a command for each machine that `up` creates, which removes its node from the cluster when it is deleted, and does nothing at `up`.

    It is replaced together with the machine: the engine deletes it before the machine, and creates the new one when the cluster is complete
    again. It does nothing if the node already left the cluster, and is dropped if all machines are destroyed.
    The first control plane node and the first etcd member refuse: Kubespray cannot replace them (docs/decisions/0014-leaving-before-going.md).
    `opts` have the parent, which cannot be a node (the cluster waits for nodes), and the cluster to wait for.
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
        # A single control plane node runs its own command, and refuses.
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
