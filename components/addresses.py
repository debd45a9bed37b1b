"""The daemons of address management: whereabouts, and the DHCP daemon of the CNI plugins."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from multus_site.model.daemons import WhereaboutsDaemon
from multus_site.render import dhcp
from multus_site.render import whereabouts as manifests

from .cluster_objects import Api, access
from .node_vm import NodeVM
from .ssh import Ssh

READINESS = pulumi.CustomTimeouts(create="300s", update="300s", delete="300s")


@dataclass(frozen=True)
class WhereaboutsArgs:
    """The daemon."""

    settings: WhereaboutsDaemon
    image: str
    """Pinned by digest."""
    api: Api


class Whereabouts(pulumi.ComponentResource):
    """Address management across nodes.

    After `up` its CRDs are established, every node has the plugin and its kubeconfig (the DaemonSet's readiness probe checks them), and the
    reconciler runs. Destroy removes the daemon, then rights and CRDs with all allocations; `left_by` removes its files on nodes.
    """

    def __init__(self, name: str, args: WhereaboutsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("multus-site:index:Whereabouts", name, {"image": args.image}, opts)
        before: list[pulumi.Resource] = [
            kubernetes.apiextensions.v1.CustomResourceDefinition(
                f"{name}-{plural}", **manifests.crd(plural), opts=args.api.opts(self)
            )
            for plural in manifests.PLURALS
        ]
        before += access(name, manifests.NAME, manifests.RULES, self, args.api)
        cron = args.settings.reconciler_cron_expression
        before.append(
            kubernetes.core.v1.ConfigMap(f"{name}-config", **manifests.config_map(cron), opts=args.api.opts(self))
        )
        self.daemon = kubernetes.apps.v1.DaemonSet(
            name,
            **manifests.daemon(args.image, args.settings.memory_limit, cron),
            opts=args.api.opts(self, depends_on=before, custom_timeouts=READINESS),
        )
        self.register_outputs({"daemon": self.daemon.metadata.name})


@dataclass(frozen=True)
class DhcpDaemonArgs:
    """The daemon."""

    image: str
    """A shell, pinned by digest."""
    plugins: str
    """Version of the CNI plugins, whose daemon runs."""
    api: Api


class DhcpDaemon(pulumi.ComponentResource):
    """The DHCP daemon on every node.

    After `up` its socket exists on each node. Destroy removes it; leases then expire.
    """

    def __init__(self, name: str, args: DhcpDaemonArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("multus-site:index:DhcpDaemon", name, {"plugins": args.plugins}, opts)
        self.daemon = kubernetes.apps.v1.DaemonSet(
            name,
            **dhcp.daemon(args.image, args.plugins),
            opts=args.api.opts(self, custom_timeouts=READINESS),
        )
        self.register_outputs({"daemon": self.daemon.metadata.name})


def left_by(
    name: str, left: Mapping[str, str], nodes: Mapping[str, NodeVM], ssh: Ssh, opts: pulumi.ResourceOptions
) -> list[pulumi.Resource]:
    """Commands that remove a daemon's files from each node when they are deleted, which is after the daemon. They do nothing at `up`."""
    return [
        ssh.command(
            f"{name}-{node}-files",
            node,
            "daemon-files",
            left,
            create="apply",
            delete="remove",
            opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(deleted_with=vm.machine)),
        )
        for node, vm in nodes.items()
    ]
