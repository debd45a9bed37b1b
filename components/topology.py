"""Topology: labels and taints of the nodes, as the site's racks say."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi_command import local

from .runners import within

RUNNER = f"{within(300)} -m multus_site.nodes.topology "
"""The same on every machine: a path of this one in the command would make it look changed on the next."""


class Topology(pulumi.ComponentResource):
    """Every node has the labels and the taint of its rack, and of an earlier one none (docs/decisions/0011-labels-and-taints.md).

    After `up` it is so. Destroy takes away what is ours and leaves what others set; nothing where the cluster goes too.
    Runs again when racks change, or Kubespray or a new node came between.
    """

    def __init__(
        self,
        name: str,
        nodes: Mapping[str, Mapping[str, Any]],
        kubeconfig: pulumi.Output[str],
        after: Sequence[pulumi.Input[str]],
        provider: pulumi.ProviderResource,
        opts: pulumi.ResourceOptions | None = None,
        deleted_with: pulumi.Resource | None = None,
    ) -> None:
        """`nodes`: node → {"labels", "taints"}. `after` is there to make it run again."""
        super().__init__("multus-site:index:Topology", name, {"nodes": dict(nodes)}, opts)
        document: pulumi.Output[str] = pulumi.Output.secret(
            pulumi.Output.all(kubeconfig=kubeconfig, after=pulumi.Output.all(*after)).apply(
                lambda known: json.dumps({**known, "nodes": nodes}, sort_keys=True)
            )
        )
        run = local.Command(
            f"{name}-apply",
            create=RUNNER + "apply",
            delete=RUNNER + "remove",
            stdin=document,
            logging=local.Logging.STDERR,
            add_previous_output_in_env=False,
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=provider,
                deleted_with=deleted_with,
                delete_before_replace=True,
                hide_diffs=["stdin"],
            ),
        )
        # The kubeconfig makes it secret; labels and taints are none.
        self.applied: pulumi.Output[str] = pulumi.Output.unsecret(run.stdout)
        """Another text when labels or taints are others."""
        self.register_outputs({})
