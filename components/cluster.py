"""The second stage of a site: a Kubernetes cluster on its hosts, and its API server."""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from .cluster_objects import Api
from .context import SiteContext
from .hosts import Hosts
from .kubespray_cluster import KubesprayCluster, KubesprayClusterArgs
from .node_removal import leaving


@dataclass(frozen=True)
class Cluster:
    """The cluster, and how objects are created in it."""

    kubespray: KubesprayCluster
    api: Api


def create_cluster(context: SiteContext, hosts: Hosts, provider: pulumi.ProviderResource | None) -> Cluster:
    """Kubespray's cluster of the hosts; `provider` replaces the Kubernetes provider that its kubeconfig makes."""
    site = context.site
    kubespray = KubesprayCluster(
        f"{site.name}-kubernetes",
        KubesprayClusterArgs(
            site=site,
            ssh=context.ssh,
            variables=context.kubespray_variables,
            secret_variables=context.secrets.kubespray_variables,
            after=[*hosts.nodes.values(), hosts.preflight],
            facts={name: node.facts for name, node in hosts.nodes.items()},
            machines={name: node.made_as for name, node in hosts.nodes.items()},
            deleted_with=hosts.goes_with,
            last=context.last,
        ),
        # None, so that a Site that is protected as a whole protects this too.
        context.opts(provider=context.commands, protect=site.protect or None),
    )
    leaving(site, hosts.nodes, context.ssh, context.opts(kubespray))
    if provider is None:
        provider = kubernetes.Provider(
            f"{site.name}-cluster",
            kubeconfig=kubespray.kubeconfig,
            # The identity is the site's: a renewed certificate is not another cluster.
            cluster_identifier=site.name,
            enable_server_side_apply=True,
            # The next run takes over what a killed run had created; see `Api`.
            upsert_existing_objects=True,
            # delete_unreachable would win over PULUMI_K8S_DELETE_UNREACHABLE, which decides at a destroy without an API server.
            opts=context.opts(),
        )
    return Cluster(kubespray, Api(site.name, provider, hosts.goes_with))
