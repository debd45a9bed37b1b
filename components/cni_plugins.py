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
from .ssh import Ssh


@dataclass(frozen=True)
class CniPluginsArgs:
    """The plugins, and the nodes that get them."""

    site: Site
    origins: Mapping[Architecture, Sequence[Origin]]
    """Architecture → where its plugins come from."""
    ssh: Ssh
    run_id: pulumi.Input[str]
    """Of the cluster's installer."""
    reasons: Mapping[str, Sequence[pulumi.Input[str]]]
    """Node → what installs the plugins on it again."""
    deleted_with: pulumi.Resource | None = None
    """The machine that the cluster ends with."""


class CniPlugins(pulumi.ComponentResource):
    """The CNI plugin binaries of a site's nodes: one resource, however many nodes there are (docs/decisions/0010).

    After `up` each plugin is on each node with its pinned sha256, root-owned, mode 0755, and answers CNI VERSION; a manifest on
    the node says which are ours, and the binaries before these are kept for one way back. Destroy removes only what is ours and
    unchanged, and what Multus left behind on the nodes; so does `up` on a node that left the site.
    Runs again on all nodes when the set, the release, a sha256 or the cluster's last installer run changes; on a node alone when
    any of its `reasons` does.
    """

    installed: LocalProgram
    """The runs. Its stdout changes with what is on the nodes, and with each of their reasons."""

    def __init__(self, name: str, args: CniPluginsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """`run_id`: of the cluster's installer. Raises RunError, at preview too, where files of this machine are not as pinned."""
        shown = {
            arch: {one.name: f"{one.kind} {one.place}".strip() for one in many} for arch, many in args.origins.items()
        }
        # What stdin holds is secret as a whole; that the script is another one shall be told all the same.
        digest = hashlib.sha256(script("cni-plugins", {}).encode()).hexdigest()
        super().__init__("multus-site:index:CniPlugins", name, {"plugins": shown, "script": digest}, opts)
        if found := check_origins(one for many in args.origins.values() for one in many):
            raise pulumi.RunError("\n".join(found))
        hosts = args.site.nodes.hosts
        document = pulumi.Output.all(
            way=args.ssh.way,
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
        """Another text whenever a node was looked after."""
        return self.installed.record

    def on_node(self, node: str) -> pulumi.Output[dict[str, Any]]:
        """Plugin → {sha256, versions} on a node, or {owner, versions} for Calico's."""
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
    """What the runner is given (multus_site/nodes/delivery/document.py)."""
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
