"""The backend `libvirt`: virtual machines, on this machine or on hypervisors over SSH."""

from typing import Any

import pulumi
from pulumi_command import local, remote

from multus_site.model.nodes import LibvirtNodes
from multus_site.render.libvirt import machine
from multus_site.render.script import script

from ..node_backend import Asked, Machine
from ..ssh import Ssh

_MINUTES = 60
"""Covers the download of an image, and waiting for restarts of other machines on the hypervisor."""
_SHELL = f'$([ "$(id -u)" = 0 ] || echo sudo -n) timeout -k 10 {_MINUTES * 60} sh -s'


class VirtualMachines:
    """Each node is a libvirt domain, set up by cloud-init."""

    def __init__(self, nodes: LibvirtNodes, ssh: Ssh) -> None:
        self._nodes = nodes
        self._ssh = ssh

    def machine(self, asked: Asked, opts: pulumi.ResourceOptions) -> Machine:
        """The machine, by multus_site/scripts/libvirt.sh on its hypervisor."""
        nodes, site, node = self._nodes, asked.site, asked.node
        variables = machine.variables(site, node, nodes)
        keys = pulumi.Output.all(asked.authorized_key, asked.host_key, asked.host_key_public)
        stdin = keys.apply(lambda known: script("libvirt", {**variables, **machine.seed(site, node, nodes, *known)}))
        told: dict[str, Any] = {
            # `make` rejects a name that is taken; to `change` the machine is the stack's own, whatever key created it.
            "create": f"{_SHELL} make",
            "update": f"{_SHELL} change",
            "delete": f"{_SHELL} remove",
            "stdin": stdin,
            # Everything else changes in place, with a restart.
            "triggers": machine.makes_another(nodes, node),
            "add_previous_output_in_env": False,
            "opts": pulumi.ResourceOptions.merge(
                opts,
                pulumi.ResourceOptions(provider=asked.provider, delete_before_replace=True, hide_diffs=["stdin"]),
            ),
        }
        name = nodes.libvirt.hardware(node).hypervisor
        made: local.Command | remote.Command
        if name is None:
            made = local.Command(f"{asked.name}-machine", logging=local.Logging.NONE, **told)
        else:
            there = nodes.libvirt.hypervisors[name]
            connection = self._ssh.to(there.address, there.port, there.user, there.host_key)
            made = remote.Command(f"{asked.name}-machine", connection=connection, logging=remote.Logging.NONE, **told)
        return Machine(made, made.id, made.stdout)
