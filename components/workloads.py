"""The fourth stage of a site: labels and taints of its nodes, its workloads, and the check of their interfaces."""

from dataclasses import dataclass

from multus_site.render import images, topology
from multus_site.render.cluster import cluster_networks
from multus_site.render.workload import Surroundings

from .cluster import Cluster
from .context import SiteContext
from .hosts import Hosts
from .networking import Networking
from .repair import InterfaceCheck
from .topology import Topology
from .workload import Workload


@dataclass(frozen=True)
class Workloads:
    """The pods, and where they run."""

    topology: list[Topology]
    """At most one: none where no node is in a rack."""
    workloads: list[Workload]


def create_workloads(context: SiteContext, hosts: Hosts, cluster: Cluster, networking: Networking) -> Workloads:
    """The site's pods, attached to its networks."""
    site, image = context.site, context.catalog.image
    placed = _topology(context, hosts, cluster)
    workloads = [
        Workload(
            f"{site.name}-{name}",
            name,
            workload,
            Surroundings(
                image=image(workload.image),
                nodes=site.restricted_to(workload),
                shunned_racks=[name for name, rack in site.racks.items() if rack.dedicated],
                tolerated=site.tolerated(workload),
                contents={a.name: networking.attachments[a.name].content for a in workload.networks},
                devices=site.devices(workload),
                shell_image=image(images.SHELL),
                cluster_networks=cluster_networks(site),
            ),
            cluster.api,
            opts=context.opts(*networking.ready, *placed, *(networking.attachments[a.name] for a in workload.networks)),
        )
        for name, workload in site.workloads.items()
    ]
    if site.networks:
        InterfaceCheck(
            f"{site.name}-mend-interfaces",
            image(images.SHELL),
            str(site.kubespray.all_variables().get("bin_dir", "/usr/local/bin")),
            topology.taints(site),
            cluster.api,
            opts=context.opts(networking.multus, *workloads),
        )
    return Workloads(placed, workloads)


def _topology(context: SiteContext, hosts: Hosts, cluster: Cluster) -> list[Topology]:
    """Labels and taints of nodes that are in racks."""
    site = context.site
    if not (wanted := topology.nodes(site)):
        return []
    return [
        Topology(
            f"{site.name}-topology",
            wanted,
            cluster.kubespray.kubeconfig,
            [cluster.kubespray.run_id, *(node.identity for node in hosts.nodes.values())],
            context.commands,
            # They end with the cluster.
            deleted_with=cluster.kubespray.run,
            opts=context.opts(cluster.kubespray),
        )
    ]
