"""InterfaceRepair: evicts pods that started without their interfaces."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from multus_site.model.racks import Taint
from multus_site.render import repair
from multus_site.render.daemon import account

from .cluster_objects import Api, access


@dataclass(frozen=True)
class InterfaceRepairArgs:
    """What to run, where, and on which pods."""

    image: str
    """With Python, pinned by digest."""
    scope: repair.Scope
    tolerated: Sequence[Taint]
    """Taints of the site's racks."""
    api: Api


class InterfaceRepair(pulumi.ComponentResource):
    """A CronJob that evicts pods without the interfaces that their annotation asks for.

    Its rights are roles in the namespaces of its scope, or a cluster role where that is all of them. Destroy removes it with its rights,
    before anything that recreated pods need.
    """

    def __init__(self, name: str, args: InterfaceRepairArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("multus-site:index:InterfaceCheck", name, {}, opts)
        api, scope = args.api, args.scope
        if scope.namespaces is None:
            before = access(name, repair.NAME, repair.rules_everywhere(), self, api)
        else:
            before = [kubernetes.core.v1.ServiceAccount(name, **account(repair.NAME), opts=api.opts(self))]
        who = before[0]
        for namespace, body in repair.roles(scope).items():
            own = kubernetes.rbac.v1.Role(f"{name}-{namespace}", **body, opts=api.opts(self))
            opts_of_binding = api.opts(self, depends_on=[who, own])
            binding = repair.role_binding(namespace)
            before.append(kubernetes.rbac.v1.RoleBinding(f"{name}-{namespace}", **binding, opts=opts_of_binding))
        before += [
            kubernetes.core.v1.ConfigMap(f"{name}-program", **repair.config_map(), opts=api.opts(self)),
            # Passes write its contents, which are no drift.
            kubernetes.core.v1.ConfigMap(
                f"{name}-record", **repair.record(), opts=api.opts(self, ignore_changes=["data"])
            ),
        ]
        kubernetes.batch.v1.CronJob(
            name, **repair.cron_job(args.image, scope, args.tolerated), opts=api.opts(self, depends_on=before)
        )
        self.register_outputs({})
