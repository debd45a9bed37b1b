"""Workload: running pods, attached to the networks that the site asks for."""

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from multus_site.model.workloads import Workload as WorkloadModel
from multus_site.render.workload import Surroundings, objects

from .cluster_objects import Api, metadata_field

READY_SECONDS = 300

_KINDS: dict[str, Any] = {
    "Deployment": kubernetes.apps.v1.Deployment,
    "StatefulSet": kubernetes.apps.v1.StatefulSet,
    "DaemonSet": kubernetes.apps.v1.DaemonSet,
    "Service": kubernetes.core.v1.Service,
}


@dataclass(frozen=True)
class WorkloadArgs:
    """One workload of a site."""

    workload_name: str
    workload: WorkloadModel
    around: Surroundings
    """What the rest of the site gives it."""
    api: Api


class Workload(pulumi.ComponentResource):
    """The pods of one workload.

    After `up` they run and are ready. Verification proves their interfaces, since Multus can start a pod without them. Destroy deletes
    the pods and waits for them, because removing their interfaces needs Multus.
    """

    def __init__(self, name: str, args: WorkloadArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        shown = {
            "image": args.around.image,
            "networks": [a.name for a in args.workload.networks],
            "replicas": args.workload.replicas,
        }
        super().__init__("multus-site:index:Workload", name, shown, opts)
        generations: list[pulumi.Output[str]] = []
        before: list[pulumi.Resource] = []
        for made in objects(args.workload_name, args.workload, args.around):
            suffix = made.name.removeprefix(args.workload_name)
            resource = _KINDS[made.kind](
                f"{name}{suffix}",
                **made.body,
                opts=args.api.opts(
                    self,
                    # Replicas with sticky addresses are updated one after the other.
                    depends_on=list(before),
                    custom_timeouts=pulumi.CustomTimeouts(
                        create=f"{READY_SECONDS}s", update=f"{READY_SECONDS}s", delete=f"{READY_SECONDS}s"
                    ),
                ),
            )
            before = [resource]
            generations.append(
                pulumi.Output.concat(metadata_field(resource, "uid"), "/", metadata_field(resource, "generation"))
            )
        self.generation: pulumi.Output[str] = pulumi.Output.all(*generations).apply(" ".join)
        self.register_outputs({"name": args.workload_name})
