"""NodeNetworks: what networks need on one node beside plugins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from .ssh import Ssh, json_output


@dataclass(frozen=True)
class NodeNetworksArgs:
    """What one node gets."""

    node: str
    variables: Mapping[str, str]
    """Of multus_site/scripts/networks.sh."""
    ssh: Ssh
    again_when: Sequence[pulumi.Input[str]]
    """A change of any of these applies it again."""
    deleted_with: pulumi.Resource | None = None
    """The node's machine."""


class NodeNetworks(pulumi.ComponentResource):
    """VLAN sub-interfaces, bonds, virtual functions and configurations that differ by node, on one node.

    After `up` they are there, and will be after a reboot. A change of links that costs the node its management address is
    taken back by the node itself, and fails. Destroy removes what is ours. Runs again when any of it changes or drifted, or the machine,
    or Kubespray ran (its reset empties /etc/cni).
    """

    def __init__(self, name: str, args: NodeNetworksArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        shown = {
            key.lower(): value.splitlines() for key, value in args.variables.items() if key in {"LINKS", "FUNCTIONS"}
        }
        super().__init__("multus-site:index:NodeNetworks", name, shown, opts)
        self.applied = args.ssh.command(
            f"{name}-apply",
            args.node,
            "networks",
            args.variables,
            create="apply",
            delete="remove",
            again_when=args.again_when,
            opts=pulumi.ResourceOptions(parent=self, deleted_with=args.deleted_with),
        )
        self.made = json_output(self.applied)
        """{"links": name → {"mtu"}, "masters": network → NIC, "files": path → sha256}."""
        self.register_outputs({"made": self.made})
