"""The daemons of address management: whereabouts, and the DHCP daemon of the CNI plugins."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as kubernetes

from multus_site.model.daemons import WhereaboutsDaemon
from multus_site.render import dhcp
from multus_site.render import whereabouts as manifests

from .cluster_objects import Api, access
from .node_vm import NodeVM
from .ssh import Ssh

READINESS = pulumi.CustomTimeouts(create="300s", update="300s", delete="300s")


class Whereabouts(pulumi.ComponentResource):
    """Address management across nodes, installed pinned.

    After `up` its CRDs are established and every node has the plugin and its kubeconfig: the DaemonSet's readiness probe
    looks. The reconciler runs. Destroy removes the daemon, then rights and CRDs, and with them every allocation; what it left on
    nodes goes with `left_by`.
    """

    def __init__(
        self,
        name: str,
        settings: WhereaboutsDaemon,
        image: str,
        api: Api,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("multus-site:index:Whereabouts", name, {"image": image}, opts)
        before: list[pulumi.Resource] = [
            kubernetes.apiextensions.v1.CustomResourceDefinition(
                f"{name}-{plural}", **manifests.crd(plural), opts=api.opts(self)
            )
            for plural in manifests.PLURALS
        ]
        rights = (manifests.service_account(), manifests.cluster_role(), manifests.cluster_role_binding())
        before += access(name, *rights, self, api)
        cron = settings.reconciler_cron_expression
        before.append(kubernetes.core.v1.ConfigMap(f"{name}-config", **manifests.config_map(cron), opts=api.opts(self)))
        self.daemon = kubernetes.apps.v1.DaemonSet(
            name,
            **manifests.daemon(image, settings.memory_limit, cron),
            opts=api.opts(self, depends_on=before, custom_timeouts=READINESS),
        )
        self.register_outputs({"daemon": self.daemon.metadata.name})


class DhcpDaemon(pulumi.ComponentResource):
    """The DHCP daemon on every node.

    After `up` its socket is there on each. Destroy removes it; leases then run out.
    """

    def __init__(
        self,
        name: str,
        image: str,
        plugins: str,
        api: Api,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("multus-site:index:DhcpDaemon", name, {"plugins": plugins}, opts)
        self.daemon = kubernetes.apps.v1.DaemonSet(
            name,
            **dhcp.daemon(image, plugins),
            opts=api.opts(self, custom_timeouts=READINESS),
        )
        self.register_outputs({"daemon": self.daemon.metadata.name})


def left_by(
    name: str, left: Mapping[str, str], nodes: Mapping[str, NodeVM], ssh: Ssh, opts: pulumi.ResourceOptions
) -> list[pulumi.Resource]:
    """What takes a daemon's files from each node: nothing at `up`; deleted after the daemon, which depends on it."""
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
