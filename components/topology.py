"""Topology: labels and taints of the nodes, as the site's racks say."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from .local_program import LocalProgram, LocalProgramArgs


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
        document = pulumi.Output.all(kubeconfig=kubeconfig, after=list(after)).apply(
            lambda known: {**known, "nodes": nodes}
        )
        run = LocalProgram(
            f"{name}-apply",
            LocalProgramArgs(
                "nodes.topology", document, create="apply", delete="remove", time_limit=300, logs_progress=True
            ),
            pulumi.ResourceOptions(
                parent=self, provider=provider, deleted_with=deleted_with, delete_before_replace=True
            ),
        )
        self.applied: pulumi.Output[str] = run.record
        """Another text when labels or taints are others."""
        self.register_outputs({})
