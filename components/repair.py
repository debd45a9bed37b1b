"""InterfaceCheck: recreates pods that lost their interfaces."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from multus_site.model.racks import Taint
from multus_site.render import repair

from .cluster_objects import Api, access


@dataclass(frozen=True)
class InterfaceCheckArgs:
    """What to run, and where."""

    image: str
    """A shell, pinned by digest."""
    programs: str
    """Folder of kubectl on the nodes."""
    tolerated: Sequence[Taint]
    """Taints of the site's racks."""
    api: Api


class InterfaceCheck(pulumi.ComponentResource):
    """A CronJob that deletes pods without the interfaces that their annotation asks for.

    Destroy removes it with its rights, before anything that recreated pods need.
    """

    def __init__(self, name: str, args: InterfaceCheckArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("multus-site:index:InterfaceCheck", name, {}, opts)
        before = access(name, repair.NAME, repair.cluster_role()["rules"], self, args.api)
        before.append(kubernetes.core.v1.ConfigMap(f"{name}-script", **repair.config_map(), opts=args.api.opts(self)))
        kubernetes.batch.v1.CronJob(
            name,
            **repair.cron_job(args.image, args.programs, args.tolerated),
            opts=args.api.opts(self, depends_on=before),
        )
        self.register_outputs({})
