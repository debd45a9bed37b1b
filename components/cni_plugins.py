"""CniPlugins: these plugin binaries, by sha256, in /opt/cni/bin of one node."""

from collections.abc import Sequence

import pulumi

from components.ssh import Ssh, json_output
from render.cni_plugins import Origin, lines


class CniPlugins(pulumi.ComponentResource):
    """The CNI plugin binaries of one node.

    After `up` each plugin is there with its pinned sha256, root-owned, mode 0755, and answers CNI VERSION; a manifest on the
    node says which are ours, and the binaries before these are kept for one way back. Destroy removes only what is ours and
    unchanged, and what Multus left behind on the node.
    Runs again when the set, the release, a sha256, the machine or the cluster's last installer run changes.
    """

    def __init__(
        self,
        name: str,
        node: str,
        origins: Sequence[Origin],
        delivered: pulumi.Input[dict[str, str]],
        ssh: Ssh,
        again_when: Sequence[pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
        deleted_with: pulumi.Resource | None = None,
    ) -> None:
        """`delivered`: plugin → sha256 of the binary that lies in the node's store already."""
        shown = {"plugins": {origin.name: f"{origin.kind} {origin.place}".strip() for origin in origins}}
        super().__init__("multus-site:index:CniPlugins", name, shown, opts)
        plugins = list(origins)
        self.installed = ssh.command(
            f"{name}-install",
            node,
            "cni-plugins",
            {"PLUGINS": pulumi.Output.from_input(delivered).apply(lambda sums: lines(plugins, sums))},
            create="install",
            delete="remove",
            again_when=again_when,
            opts=pulumi.ResourceOptions(parent=self, deleted_with=deleted_with),
        )
        self.binaries = json_output(self.installed)
        self.register_outputs({"binaries": self.binaries})
