"""NodeNetworks: what networks need on one node besides plugins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from .outputs import NodeNetworkFiles
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

    They survive a reboot. If a change of links costs the node its management address, the node reverts it, and the `up` fails.
    Destroy removes what multus-site created. Runs again when any of it or the machine changes, after drift, and after Kubespray (its reset empties /etc/cni).
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
        self.made: pulumi.Output[NodeNetworkFiles] = json_output(self.applied)
        self.register_outputs({"made": self.made})
