"""Topology: labels and taints of the nodes, as the site's racks say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from .local_program import LocalProgram, LocalProgramArgs


@dataclass(frozen=True)
class TopologyArgs:
    """Labels and taints."""

    nodes: Mapping[str, Mapping[str, Any]]
    """Node → {"labels", "taints"}."""
    kubeconfig: pulumi.Output[str]
    after: Sequence[pulumi.Input[str]]
    """A change of any of these applies them again."""
    deleted_with: pulumi.Resource | None = None
    """What the cluster ends with."""


class Topology(pulumi.ComponentResource):
    """Every node has the labels and the taint of its rack, and none of an earlier rack (docs/decisions/0011-labels-and-taints.md).

    Destroy removes those that multus-site set, and does nothing if the cluster is destroyed too.
    Runs again when racks or nodes change, and after Kubespray.
    """

    def __init__(self, name: str, args: TopologyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("multus-site:index:Topology", name, {"nodes": dict(args.nodes)}, opts)
        document = pulumi.Output.all(kubeconfig=args.kubeconfig, after=list(args.after)).apply(
            lambda known: {**known, "nodes": args.nodes}
        )
        run = LocalProgram(
            f"{name}-apply",
            LocalProgramArgs(
                "nodes.topology", document, create="apply", delete="remove", time_limit=300, logs_progress=True
            ),
            pulumi.ResourceOptions(parent=self, deleted_with=args.deleted_with, delete_before_replace=True),
        )
        self.applied: pulumi.Output[str] = run.record
        """Changes with the labels and taints."""
        self.register_outputs({})
