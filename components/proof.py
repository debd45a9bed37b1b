"""The last stage of a site: proof that its networks work, and how fast they are."""

from dataclasses import dataclass
from typing import TypedDict, cast

import pulumi

from .cluster import Cluster
from .cluster_objects import metadata_field
from .context import SiteContext
from .hosts import Hosts
from .networking import Networking
from .outputs import InstalledPlugin, NodeFacts, NodeNetworkFiles, ThroughputFigure, VerificationResult
from .preflight import HostFacts
from .throughput import Throughput, ThroughputArgs
from .verification import Verification, VerificationArgs
from .workloads import Workloads


class AppliedNode(TypedDict):
    """What was applied to a node."""

    facts: pulumi.Output[NodeFacts]
    plugins: pulumi.Output[dict[str, InstalledPlugin]]
    networks: pulumi.Output[NodeNetworkFiles] | NodeNetworkFiles
    mended: pulumi.Output[str]
    """How often `up` restored something on it."""
    started: pulumi.Output[str]
    """How often `up` started its machine."""
    returned: pulumi.Output[str]
    """How often `up` gave back what pods left behind on it."""


@dataclass(frozen=True)
class Proof:
    """What was applied to each node, and what was verified and measured."""

    nodes: dict[str, AppliedNode]
    verification: pulumi.Output[VerificationResult]
    throughput: pulumi.Output[list[ThroughputFigure]]


def create_proof(
    context: SiteContext, hosts: Hosts, cluster: Cluster, networking: Networking, workloads: Workloads
) -> Proof:
    """The verification and, if the site asks for it, the measurement of the verified networks."""
    site, drift = context.site, context.drift
    kubeconfig = cluster.kubespray.kubeconfig
    facts = {node: _all_facts(vm.facts, hosts.preflight.found(node)) for node, vm in hosts.nodes.items()}
    plugins = {node: networking.plugins.on_node(node) for node in hosts.nodes}
    networks: list[pulumi.Input[str]] = [
        *(a.content for a in networking.attachments.values()),
        networking.plugins.record,
    ]
    verification = Verification(
        f"{site.name}-verification",
        VerificationArgs(
            site=site,
            kubeconfig=kubeconfig,
            applied=pulumi.Output.from_input(
                {node: {"facts": facts[node], "plugins": plugins[node]} for node in hosts.nodes}
            ),
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
    throughput: pulumi.Output[list[ThroughputFigure]] = pulumi.Output.from_input([])
    if site.throughput is not None:
        throughput = Throughput(
            f"{site.name}-throughput",
            ThroughputArgs(site, context.catalog.image(site.throughput.image), kubeconfig, after=networks),
            context.opts(verification, provider=context.commands),
        ).result
    nodes: dict[str, AppliedNode] = {
        node: {
            "facts": facts[node],
            "plugins": plugins[node],
            "networks": networking.on_nodes[node].made if node in networking.on_nodes else {},
            "mended": drift.on_node(node),
            "started": drift.starts(node),
            "returned": context.returned.on_node(node),
        }
        for node in hosts.nodes
    }
    return Proof(nodes, verification.result, throughput)


def _all_facts(prepared: pulumi.Output[NodeFacts], checked: pulumi.Output[HostFacts]) -> pulumi.Output[NodeFacts]:
    """A host's facts from its preparation and from preflight, which knows more of each NIC."""
    return pulumi.Output.all(prepared, checked).apply(lambda facts: cast("NodeFacts", {**facts[0], **facts[1]}))
