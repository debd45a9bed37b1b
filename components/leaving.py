"""Leaving: a machine that is made anew is drained and taken out of the cluster before it goes."""

import shlex
from collections.abc import Mapping

import pulumi
from pulumi_command import local

from components.node_vm import NodeVM
from components.ssh import Ssh
from kubespray.plan import only_anew
from model.site import Site


def leaving(
    site: Site, nodes: Mapping[str, NodeVM], ssh: Ssh, provider: pulumi.ProviderResource, opts: pulumi.ResourceOptions
) -> None:
    """A command for each machine that we make, which does nothing at `up` and takes its node out of the cluster when it is deleted.

    It is replaced together with the machine, so the engine deletes it before that, and makes the new one once the cluster is whole
    again. Where the node is in the cluster no more there is nothing to do, and where all machines go (`destroy`) it goes with them.
    `opts` hold the parent, which can't be a node's (all of the cluster waits for nodes), and the cluster to wait for. The first control plane node and the first etcd member refuse: Kubespray can't replace these (docs/decisions/0011).
    """
    control_planes = site.with_role("control-plane")
    firsts = {site.with_role("etcd")[0]: "first etcd member", control_planes[0]: "first control plane node"}
    for node, vm in nodes.items():
        if vm.machine is None:
            continue
        refusal = only_anew(node, firsts[node]) if node in firsts else ""
        of_node = pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(deleted_with=nodes[control_planes[0]].machine)
        )
        name = f"{site.name}-{node}-leave"
        through = next((other for other in control_planes if other != node), None)
        if through is None:
            local.Command(
                name,
                delete=f"echo {shlex.quote(refusal)} >&2; exit 1",
                triggers=[vm.made_as],
                opts=pulumi.ResourceOptions.merge(of_node, pulumi.ResourceOptions(provider=provider)),
            )
            continue
        binaries = str(site.kubespray.given().get("bin_dir", "/usr/local/bin"))
        ssh.command(
            name,
            through,
            "leave",
            {"NODE": node, "BIN_DIR": binaries, "FIRST": refusal},
            create=None,
            delete="leave",
            triggers=[vm.made_as],
            opts=of_node,
        )
