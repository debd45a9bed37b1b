"""Workload: running pods, attached to the networks that the site asks for."""

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


class Workload(pulumi.ComponentResource):
    """The pods of one workload.

    After `up` they run and are ready; that their interfaces are right is the verification's to prove, since Multus may
    start a pod without them. Destroy removes the pods and waits for them: taking their interfaces away needs Multus.
    """

    def __init__(
        self,
        name: str,
        workload_name: str,
        workload: WorkloadModel,
        around: Surroundings,
        api: Api,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        shown = {
            "image": around.image,
            "networks": [a.name for a in workload.networks],
            "replicas": workload.replicas,
        }
        super().__init__("multus-site:index:Workload", name, shown, opts)
        generations: list[pulumi.Output[str]] = []
        before: list[pulumi.Resource] = []
        for made in objects(workload_name, workload, around):
            suffix = made.name.removeprefix(workload_name)
            resource = _KINDS[made.kind](
                f"{name}{suffix}",
                **made.body,
                opts=api.opts(
                    self,
                    # Replicas of their own are changed one after the other.
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
        self.register_outputs({"name": workload_name})
