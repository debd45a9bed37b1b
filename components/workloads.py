"""The fourth stage of a site: labels and taints of its nodes, its workloads, and the repair of their interfaces."""

from dataclasses import dataclass

from multus_site.model.workloads import Workload as WorkloadModel
from multus_site.render import images, repair, topology
from multus_site.render.cluster import cluster_networks
from multus_site.render.workload import Surroundings

from .cluster import Cluster
from .context import SiteContext
from .hosts import Hosts
from .networking import Networking
from .repair import InterfaceRepair, InterfaceRepairArgs
from .topology import Topology, TopologyArgs
from .workload import Workload, WorkloadArgs


@dataclass(frozen=True)
class Workloads:
    """The pods, and where they run."""

    topology: list[Topology]
    """At most one: none where no node is in a rack."""
    workloads: list[Workload]


def create_workloads(context: SiteContext, hosts: Hosts, cluster: Cluster, networking: Networking) -> Workloads:
    """The site's pods, attached to its networks."""
    site = context.site
    placed = _topology(context, hosts, cluster)
    workloads = [
        Workload(
            f"{site.name}-{name}",
            WorkloadArgs(name, workload, _surroundings(context, networking, workload), cluster.api),
            context.opts(*networking.ready, *placed, *(networking.attachments[a.name] for a in workload.networks)),
        )
        for name, workload in site.workloads.items()
    ]
    if site.interface_repair is not None:
        InterfaceRepair(
            f"{site.name}-mend-interfaces",
            InterfaceRepairArgs(
                image=context.catalog.image(site.interface_repair.image),
                scope=repair.scope(site),
                tolerated=topology.taints(site),
                api=cluster.api,
            ),
            context.opts(networking.multus, *workloads),
        )
    return Workloads(placed, workloads)


def _surroundings(context: SiteContext, networking: Networking, workload: WorkloadModel) -> Surroundings:
    """What the rest of the site gives a workload."""
    site, image = context.site, context.catalog.image
    return Surroundings(
        image=image(workload.image),
        nodes=site.restricted_to(workload),
        shunned_racks=[name for name, rack in site.racks.items() if rack.dedicated],
        tolerated=site.tolerated(workload),
        contents={a.name: networking.attachments[a.name].content for a in workload.networks},
        devices=site.devices(workload),
        shell_image=image(images.SHELL),
        cluster_networks=cluster_networks(site),
    )


def _topology(context: SiteContext, hosts: Hosts, cluster: Cluster) -> list[Topology]:
    """Labels and taints of nodes that are in racks."""
    site = context.site
    if not (wanted := topology.nodes(site)):
        return []
    return [
        Topology(
            f"{site.name}-topology",
            TopologyArgs(
                nodes=wanted,
                kubeconfig=cluster.kubespray.kubeconfig,
                after=[cluster.kubespray.run_id, *(node.identity for node in hosts.nodes.values())],
                # They end with the cluster.
                deleted_with=cluster.kubespray.run,
            ),
            context.opts(cluster.kubespray, provider=context.commands),
        )
    ]
