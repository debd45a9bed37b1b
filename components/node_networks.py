"""NodeNetworks: what networks need on one node beside plugins."""

from collections.abc import Mapping, Sequence

import pulumi

from .ssh import Ssh, json_output


class NodeNetworks(pulumi.ComponentResource):
    """VLAN sub-interfaces, bonds, virtual functions and configurations that differ by node, on one node.

    After `up` they are there, and will be after a reboot. A change of links that costs the node its management address is
    taken back by the node itself, and fails. Destroy removes what is ours. Runs again when any of it changes or drifted, or the machine,
    or Kubespray ran (its reset empties /etc/cni).
    """

    def __init__(
        self,
        name: str,
        node: str,
        variables: Mapping[str, str],
        ssh: Ssh,
        again_when: Sequence[pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
        deleted_with: pulumi.Resource | None = None,
    ) -> None:
        shown = {key.lower(): value.splitlines() for key, value in variables.items() if key in {"LINKS", "FUNCTIONS"}}
        super().__init__("multus-site:index:NodeNetworks", name, shown, opts)
        self.applied = ssh.command(
            f"{name}-apply",
            node,
            "networks",
            variables,
            create="apply",
            delete="remove",
            again_when=again_when,
            opts=pulumi.ResourceOptions(parent=self, deleted_with=deleted_with),
        )
        self.made = json_output(self.applied)
        """{"links": name → {"mtu"}, "masters": network → NIC, "files": path → sha256}."""
        self.register_outputs({"made": self.made})
