"""Workload: running pods, attached to the networks that the site asks for."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as kubernetes

from model.workloads import Workload as WorkloadModel
from render.workload import manifest

READY_SECONDS = 300


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
        image: str,
        contents: Mapping[str, str],
        provider: kubernetes.Provider,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        shown = {"image": image, "networks": [a.name for a in workload.networks], "replicas": workload.replicas}
        super().__init__("multus-site:index:Workload", name, shown, opts)
        self.deployment = kubernetes.apps.v1.Deployment(
            name,
            **manifest(workload_name, workload, image, list(workload.nodes), contents),
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=provider,
                custom_timeouts=pulumi.CustomTimeouts(
                    create=f"{READY_SECONDS}s", update=f"{READY_SECONDS}s", delete=f"{READY_SECONDS}s"
                ),
            ),
        )
        self.generation: pulumi.Output[str] = pulumi.Output.concat(
            self.deployment.metadata["uid"], "/", self.deployment.metadata["generation"].apply(str)
        )
        self.register_outputs({"name": workload_name})
