"""CniPlugins: these plugin binaries, by sha256, in /opt/cni/bin of one node."""

from collections.abc import Sequence

import pulumi

from components.ssh import Ssh, json_output
from model.catalog import Catalog


class CniPlugins(pulumi.ComponentResource):
    """The CNI plugin binaries of one node.

    After `up` each plugin is there with its pinned sha256, root-owned, mode 0755, and answers CNI VERSION; a manifest on the
    node says which are ours. Destroy removes only what is ours and unchanged, and what Multus left behind on the node.
    Runs again when the set, the release, a sha256, the machine or the cluster's last installer run changes.
    """

    def __init__(
        self,
        name: str,
        node: str,
        release: str,
        architecture: str,
        plugins: Sequence[str],
        catalog: Catalog,
        ssh: Ssh,
        again_when: Sequence[pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
        deleted_with: pulumi.Resource | None = None,
    ) -> None:
        super().__init__("multus-site:index:CniPlugins", name, {"release": release, "plugins": list(plugins)}, opts)
        lines = []
        for plugin in plugins:
            file, member = catalog.plugin(release, architecture, plugin)
            lines.append(" ".join(filter(None, (plugin, file.sha256, file.url, member))))
        self.installed = ssh.command(
            f"{name}-install",
            node,
            "cni-plugins",
            {"PLUGINS": "\n".join(lines)},
            create="install",
            delete="remove",
            again_when=again_when,
            opts=pulumi.ResourceOptions(parent=self, deleted_with=deleted_with),
        )
        self.binaries = json_output(self.installed)
        self.register_outputs({"binaries": self.binaries})
