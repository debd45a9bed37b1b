"""The last stage of a site: proof that its networks work, and how fast they are."""

from dataclasses import dataclass
from typing import Any

import pulumi

from .cluster import Cluster
from .cluster_objects import metadata_field
from .context import SiteContext
from .hosts import Hosts
from .networking import Networking
from .throughput import Throughput, ThroughputArgs
from .verification import Verification, VerificationArgs
from .workloads import Workloads


@dataclass(frozen=True)
class Proof:
    """What was applied to each node, and what was seen of it."""

    nodes: dict[str, dict[str, Any]]
    """Node → facts, plugins, networks, and the counters of repairs and starts."""
    verification: pulumi.Output[dict[str, Any]]
    throughput: pulumi.Output[list[dict[str, Any]]]


def create_proof(
    context: SiteContext, hosts: Hosts, cluster: Cluster, networking: Networking, workloads: Workloads
) -> Proof:
    """The verification, and the measurement of networks that are proven to work, where the site asks for one."""
    site, drift = context.site, context.drift
    kubeconfig = cluster.kubespray.kubeconfig
    applied: dict[str, dict[str, pulumi.Output[dict[str, Any]]]] = {
        node: {"facts": _both(vm.facts, hosts.preflight.found(node)), "plugins": networking.plugins.on_node(node)}
        for node, vm in hosts.nodes.items()
    }
    networks: list[pulumi.Input[str]] = [
        *(a.content for a in networking.attachments.values()),
        networking.plugins.record,
    ]
    verification = Verification(
        f"{site.name}-verification",
        VerificationArgs(
            site=site,
            kubeconfig=kubeconfig,
            applied=pulumi.Output.from_input(applied),
            after=[
                *(w.generation for w in workloads.workloads),
                *networks,
                *(drift.on_node(node) for node in hosts.nodes),
                *(one.applied for one in workloads.topology),
                metadata_field(networking.multus.daemon, "uid"),
            ],
        ),
        context.opts(*workloads.workloads, networking.multus, provider=context.commands),
    )
    throughput: pulumi.Output[list[dict[str, Any]]] = pulumi.Output.from_input([])
    if site.throughput is not None:
        throughput = Throughput(
            f"{site.name}-throughput",
            ThroughputArgs(site, context.catalog.image(site.throughput.image), kubeconfig, after=networks),
            context.opts(verification, provider=context.commands),
        ).result
    nodes: dict[str, dict[str, Any]] = {
        node: {
            **found,
            "networks": networking.on_nodes[node].made if node in networking.on_nodes else {},
            "mended": drift.on_node(node),
            "started": drift.starts(node),
        }
        for node, found in applied.items()
    }
    return Proof(nodes, verification.result, throughput)


def _both(first: pulumi.Output[dict[str, Any]], second: pulumi.Output[dict[str, Any]]) -> pulumi.Output[dict[str, Any]]:
    """Two looks at one host."""
    return pulumi.Output.all(first, second).apply(lambda both: {**both[0], **both[1]})
