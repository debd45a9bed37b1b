"""InterfaceCheck: pods that lost their interfaces are found and made anew."""

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as kubernetes

from multus_site.model.racks import Taint
from multus_site.render import repair

from .access import access


class InterfaceCheck(pulumi.ComponentResource):
    """A CronJob that deletes pods which run without the interfaces that their annotation asks for.

    After `up` it is scheduled. Destroy removes it with its rights, before anything that pods need to come back.
    """

    def __init__(
        self,
        name: str,
        image: str,
        programs: str,
        tolerated: Sequence[Taint],
        provider: kubernetes.Provider,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("multus-site:index:InterfaceCheck", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self, provider=provider)
        rights = (repair.service_account(), repair.cluster_role(), repair.cluster_role_binding())
        before = access(name, *rights, child)
        before.append(kubernetes.core.v1.ConfigMap(f"{name}-script", **repair.config_map(), opts=child))
        kubernetes.batch.v1.CronJob(
            name,
            **repair.cron_job(image, programs, tolerated),
            opts=pulumi.ResourceOptions(parent=self, provider=provider, depends_on=before),
        )
        self.register_outputs({})
