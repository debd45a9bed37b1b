"""Multus: the CRD, and the thick daemon on every node."""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from multus_site.render import multus as manifests

from .cluster_objects import Api, access

READINESS_SECONDS = 300


@dataclass(frozen=True)
class MultusArgs:
    """The daemon."""

    image: str
    """Pinned by digest."""
    memory_limit: str
    """Such as 512Mi."""
    api: Api


class Multus(pulumi.ComponentResource):
    """The Multus daemon (thick) in kube-system.

    After `up` the NetworkAttachmentDefinition CRD is established and every node's daemon is ready: the DaemonSet's readiness probe checks
    that 00-multus.conf is ours and whole, and the daemon's socket, which upstream's manifest does not. Destroy removes the daemon, then rights,
    then the CRD.
    """

    def __init__(self, name: str, args: MultusArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(
            "multus-site:index:Multus", name, {"image": args.image, "memoryLimit": args.memory_limit}, opts
        )
        crd = kubernetes.apiextensions.v1.CustomResourceDefinition(
            f"{name}-crd", **manifests.crd(), opts=args.api.opts(self)
        )
        before = access(name, manifests.NAME, manifests.RULES, self, args.api)
        files = manifests.given_files()
        config_map = kubernetes.core.v1.ConfigMap(
            f"{name}-files", **manifests.config_map(files), opts=args.api.opts(self)
        )
        self.daemon = kubernetes.apps.v1.DaemonSet(
            name,
            **manifests.daemon_set(args.image, args.memory_limit, files),
            opts=args.api.opts(
                self,
                depends_on=[crd, *before, config_map],
                custom_timeouts=pulumi.CustomTimeouts(
                    create=f"{READINESS_SECONDS}s", update=f"{READINESS_SECONDS}s", delete=f"{READINESS_SECONDS}s"
                ),
            ),
        )
        self.register_outputs({"daemon": self.daemon.metadata.name})
