"""CniPlugins: these plugin binaries, by sha256, in /opt/cni/bin of every node of a site."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pulumi

from multus_site.model.site import Site
from multus_site.model.types import Architecture
from multus_site.nodes.delivery.binaries import check_origins
from multus_site.nodes.delivery.document import Record
from multus_site.render.cni_plugins import Origin
from multus_site.render.script import script

from .local_program import LocalProgram, LocalProgramArgs
from .outputs import InstalledPlugin
from .ssh import Ssh


@dataclass(frozen=True)
class CniPluginsArgs:
    """The plugins, and the nodes that get them."""

    site: Site
    origins: Mapping[Architecture, Sequence[Origin]]
    """Architecture → where its plugins come from."""
    ssh: Ssh
    run_id: pulumi.Input[str]
    """Of Kubespray's last run."""
    reasons: Mapping[str, Sequence[pulumi.Input[str]]]
    """Node → values whose change installs its plugins again."""
    deleted_with: pulumi.Resource | None = None
    """The machine whose destruction ends the cluster."""


class CniPlugins(pulumi.ComponentResource):
    """The CNI plugin binaries of all nodes of a site, as one resource (docs/decisions/0010-plugins-are-one-resource.md).

    After `up` each plugin is on each node with its pinned sha256, owner root, mode 0755, and answers CNI VERSION. A manifest on the node
    lists those that multus-site installed, and the node keeps the previous version of each. Destroy removes those that multus-site installed and
    nobody changed, and what Multus left on the nodes; so does `up` on a node that left the site.
    Runs again on all nodes when the set, the release, a sha256 or Kubespray's last run changes, and on one node when any of its `reasons` changes.
    """

    installed: LocalProgram
    """Its output changes with what is on the nodes, and with their reasons."""

    def __init__(self, name: str, args: CniPluginsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Raises pulumi.RunError, at preview too, if a file on this machine differs from its pinned sum."""
        shown = {
            arch: {one.name: f"{one.kind} {one.place}".strip() for one in many} for arch, many in args.origins.items()
        }
        # stdin is secret as a whole; this shows in a preview that the script changed.
        digest = hashlib.sha256(script("cni-plugins", {}).encode()).hexdigest()
        super().__init__("multus-site:index:CniPlugins", name, {"plugins": shown, "script": digest}, opts)
        if found := check_origins(one for many in args.origins.values() for one in many):
            raise pulumi.RunError("\n".join(found))
        hosts = args.site.nodes.hosts
        document = pulumi.Output.all(
            way=args.ssh.route,
            run_id=args.run_id,
            reasons={node: list(its) for node, its in args.reasons.items()},
            keys={node: args.ssh.host_key(node) for node in hosts},
        ).apply(lambda known: _document(args.site, args.origins, digest, **known))
        self.installed = LocalProgram(
            f"{name}-install",
            LocalProgramArgs(
                "nodes.delivery",
                document,
                create="apply",
                delete="remove",
                logs_progress=True,
                reads_last_record=True,
            ),
            pulumi.ResourceOptions(
                parent=self,
                deleted_with=args.deleted_with,
                delete_before_replace=True,
                custom_timeouts=pulumi.CustomTimeouts(create="2h", update="2h", delete="1h"),
            ),
        )
        self.register_outputs({})

    @property
    def record(self) -> pulumi.Output[str]:
        """Changes whenever a node was handled."""
        return self.installed.record

    def on_node(self, node: str) -> pulumi.Output[dict[str, InstalledPlugin]]:
        """The plugins of a node, by name."""
        return self.record.apply(lambda text: Record.parse(text).result(node))


def _document(
    site: Site,
    origins: Mapping[Architecture, Sequence[Origin]],
    script_digest: str,
    way: Mapping[str, Any],
    run_id: str,
    reasons: Mapping[str, Sequence[str]],
    keys: Mapping[str, str],
) -> dict[str, Any]:
    """The document of the program (multus_site/nodes/delivery/document.py)."""
    return {
        "way": way,
        "nodes": {
            node: {
                "address": host.address,
                "host_key": keys[node],
                "architecture": host.architecture,
                "reasons": [str(reason) for reason in reasons[node]],
            }
            for node, host in site.nodes.hosts.items()
        },
        "origins": {architecture: [asdict(one) for one in many] for architecture, many in origins.items()},
        "run_id": run_id,
        "script": script_digest,
        "leavers_go": site.nodes.makes_machines,
    }
