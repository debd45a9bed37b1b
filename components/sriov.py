"""Sriov: virtual functions as resources, from the device plugin or from an existing operator."""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from multus_site.model.site import Site
from multus_site.model.sriov import SriovSetup
from multus_site.render import sriov as manifests
from multus_site.render.daemon import account

from .cluster_objects import Api

READINESS = pulumi.CustomTimeouts(create="300s", update="300s", delete="300s")


@dataclass(frozen=True)
class SriovArgs:
    """Pools of virtual functions, and who allocates them."""

    site: Site
    setup: SriovSetup
    image: str
    """Of the device plugin, pinned by digest."""
    api: Api


class Sriov(pulumi.ComponentResource):
    """Allocation of virtual functions.

    After `up` the device plugin runs on every node that has functions, with its ConfigMap, and restarts when that changes. With an
    operator, its policies exist instead. Destroy removes either, after the pods that use functions.
    """

    def __init__(self, name: str, args: SriovArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("multus-site:index:Sriov", name, {"manager": args.setup.manager}, opts)
        if args.setup.manager == "operator":
            version, kind = manifests.POLICY
            for policy, body in manifests.policies(args.site, args.setup).items():
                kubernetes.apiextensions.CustomResource(
                    f"{name}-{policy}", api_version=version, kind=kind, **body, opts=args.api.opts(self)
                )
        else:
            nodes = sorted({node for pool in args.setup.pools.values() for node in args.site.nodes_of_pool(pool)})
            before: list[pulumi.Resource] = [
                kubernetes.core.v1.ServiceAccount(name, **account(manifests.NAME), opts=args.api.opts(self)),
                kubernetes.core.v1.ConfigMap(
                    f"{name}-config", **manifests.config_map(args.setup), opts=args.api.opts(self)
                ),
            ]
            kubernetes.apps.v1.DaemonSet(
                name,
                **manifests.daemon(args.image, args.setup, nodes),
                opts=args.api.opts(self, depends_on=before, custom_timeouts=READINESS),
            )
        self.register_outputs({})
