"""Throughput: how fast the site's networks are between nodes."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from multus_site.model.site import Site

from .local_program import LocalProgram, LocalProgramArgs, last_line
from .outputs import ThroughputFigure


@dataclass(frozen=True)
class ThroughputArgs:
    """What to measure."""

    site: Site
    image: str
    """With iperf3, pinned by digest."""
    kubeconfig: pulumi.Output[str]
    after: Sequence[pulumi.Input[str]]
    """A change of any of these measures again."""


class Throughput(pulumi.ComponentResource):
    """Every network, measured with iperf3 between two workers, with the pod network and the bare nodes in the same run.

    Its pods are deleted afterwards. Runs again when its settings or anything in `after` changes. Destroy does nothing.
    """

    def __init__(self, name: str, args: ThroughputArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("multus-site:index:Throughput", name, {"networks": list(args.site.networks)}, opts)
        # A new workload or another Kubespray does not change a measurement.
        shown = args.site.model_dump(mode="json", by_alias=True, exclude={"workloads", "kubespray", "interface_repair"})
        stack = pulumi.get_stack()
        document = pulumi.Output.all(kubeconfig=args.kubeconfig, after=list(args.after)).apply(
            lambda known: {**known, "stack": stack, "site": shown, "image": args.image}
        )
        run = LocalProgram(
            f"{name}-run",
            LocalProgramArgs("throughput", document, time_limit=7200, patience=30, logs_progress=True),
            pulumi.ResourceOptions(parent=self),
        )
        self.result: pulumi.Output[list[ThroughputFigure]] = run.record.apply(last_line)
        self.register_outputs({"result": self.result})
