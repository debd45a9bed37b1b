"""InterfaceCheck: pods that lost their interfaces are found and made anew."""

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as kubernetes

from multus_site.model.racks import Taint
from multus_site.render import repair

from .cluster_objects import Api, access


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
        api: Api,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("multus-site:index:InterfaceCheck", name, {}, opts)
        rights = (repair.service_account(), repair.cluster_role(), repair.cluster_role_binding())
        before = access(name, *rights, self, api)
        before.append(kubernetes.core.v1.ConfigMap(f"{name}-script", **repair.config_map(), opts=api.opts(self)))
        kubernetes.batch.v1.CronJob(
            name,
            **repair.cron_job(image, programs, tolerated),
            opts=api.opts(self, depends_on=before),
        )
        self.register_outputs({})
