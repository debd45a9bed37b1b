"""The third stage of a site: CNI plugins, Multus, the daemons that networks need, and the networks themselves."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from multus_site.render import cni_plugins, dhcp, images, node_networks, whereabouts
from multus_site.render.network import address_management

from .addresses import DhcpDaemon, DhcpDaemonArgs, Whereabouts, WhereaboutsArgs, left_by
from .cluster import Cluster
from .cni_plugins import CniPlugins, CniPluginsArgs
from .context import SiteContext
from .hosts import Hosts
from .leaks import Leaks
from .multus import Multus, MultusArgs
from .network_attachment import NetworkAttachment, NetworkAttachmentArgs
from .node_networks import NodeNetworks, NodeNetworksArgs
from .sriov import Sriov, SriovArgs


@dataclass(frozen=True)
class Networking:
    """What pods need before they can attach to a network."""

    plugins: CniPlugins
    multus: Multus
    leaks: Leaks
    on_nodes: dict[str, NodeNetworks]
    """Links and files of the nodes that have any."""
    daemons: list[pulumi.Resource]
    attachments: dict[str, NetworkAttachment]

    @property
    def ready(self) -> list[pulumi.Resource]:
        """What runs before a pod attaches to any network."""
        return [self.multus, self.leaks, *self.daemons, *self.on_nodes.values()]


def create_networking(context: SiteContext, hosts: Hosts, cluster: Cluster) -> Networking:
    """Everything between the cluster and its workloads."""
    site, catalog = context.site, context.catalog
    plugins = _cni_plugins(context, hosts, cluster)
    multus = Multus(
        f"{site.name}-multus",
        MultusArgs(catalog.image(images.multus(site)), site.multus.memory_limit, cluster.api),
        context.opts(plugins, cluster.kubespray),
    )
    on_nodes = {
        name: NodeNetworks(
            f"{site.name}-{name}-networks",
            NodeNetworksArgs(
                node=name,
                variables=node_networks.variables(site, name),
                ssh=context.ssh,
                again_when=[cluster.kubespray.run_id, hosts.nodes[name].identity, context.drift.on_node(name)],
                deleted_with=hosts.nodes[name].machine,
            ),
            context.opts(cluster.kubespray),
        )
        for name in node_networks.needed(site)
    }
    leaks = Leaks(
        f"{site.name}-leaks", site, context.ssh, context.returned, context.opts(multus, provider=context.commands)
    )
    daemons = _daemons(context, hosts, cluster, [plugins, *on_nodes.values(), multus])
    attachments = {
        name: NetworkAttachment(
            f"{site.name}-{name}",
            NetworkAttachmentArgs(name, site, cluster.api),
            context.opts(multus, *daemons, *on_nodes.values()),
        )
        for name in site.networks
    }
    return Networking(plugins, multus, leaks, on_nodes, daemons, attachments)


def _cni_plugins(context: SiteContext, hosts: Hosts, cluster: Cluster) -> CniPlugins:
    site = context.site
    try:
        origins = {
            architecture: cni_plugins.origins(site, context.catalog, architecture)
            for architecture in dict.fromkeys(host.architecture for host in site.nodes.hosts.values())
        }
    except LookupError as error:
        raise pulumi.RunError(str(error)) from None
    return CniPlugins(
        f"{site.name}-cni-plugins",
        CniPluginsArgs(
            site=site,
            origins=origins,
            ssh=context.ssh,
            # Kubespray unpacks its own archive over /opt/cni/bin at each run.
            run_id=cluster.kubespray.run_id,
            reasons={name: [node.identity, context.drift.on_node(name)] for name, node in hosts.nodes.items()},
            deleted_with=hosts.goes_with,
        ),
        context.opts(cluster.kubespray, provider=context.commands),
    )


def _daemons(
    context: SiteContext, hosts: Hosts, cluster: Cluster, before: list[pulumi.Resource]
) -> list[pulumi.Resource]:
    """The daemons that the networks' address management and devices need."""
    site, image = context.site, context.catalog.image
    used = address_management(site)
    daemons: list[pulumi.Resource] = []

    def after_its_files(name: str, left: Mapping[str, str]) -> pulumi.ResourceOptions:
        """What a daemon leaves on nodes is removed after it."""
        files = left_by(f"{site.name}-{name}", left, hosts.nodes, context.ssh, context.opts(*before))
        return context.opts(*before, *files)

    if "whereabouts" in used:
        last = after_its_files("whereabouts", whereabouts.LEFT)
        pinned = image(images.whereabouts(site))
        daemons.append(
            Whereabouts(f"{site.name}-whereabouts", WhereaboutsArgs(site.whereabouts, pinned, cluster.api), last)
        )
    if "dhcp" in used:
        last = after_its_files("dhcp", dhcp.LEFT)
        shell = image(images.SHELL)
        daemons.append(
            DhcpDaemon(f"{site.name}-dhcp", DhcpDaemonArgs(shell, site.cni_plugins.version, cluster.api), last)
        )
    if site.sriov is not None:
        pinned = image(images.device_plugin(site.sriov.version))
        handed_out = SriovArgs(site, site.sriov, pinned, cluster.api)
        daemons.append(Sriov(f"{site.name}-sriov", handed_out, context.opts(*before)))
    return daemons
