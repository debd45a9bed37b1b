"""Rules that compare pod addresses with facts about the nodes and the cluster."""

import json

from multus_site.cni.addresses import parse_block, parse_cidr, whole
from multus_site.cni.ranges import handed_out, networks, ranges_of, repeats_between_nodes
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.subjects import Ipam, Plugin

_SELECTOR = "k8s.v1.cni.cncf.io/nodeSelector"
"""Annotation of a NAD: the network-resources-injector schedules its pods on matching nodes."""

_PINNED = "kubernetes.io/hostname"


@rule(
    "HOSTLOCAL_MULTINODE",
    "warning",
    "facts",
    "One range, several nodes: duplicate addresses",
    example='nodes: 3, config: {type: macvlan, ipam: {type: host-local, subnet: "10.1.10.0/24"}}',
    source="plugins/ipam/host-local keeps its state in /var/lib/cni/networks of each node; multus-cni#144, #640",
)
def hostlocal_multinode(ipam: Ipam) -> Problems:
    """host-local tracks addresses on each node separately: pods on two nodes get the same one. In a site this is an error. Behind a node that routes or translates them, they do no harm."""
    nodes = ipam.facts.nodes or 0
    in_site = ipam.plugin is not None and ipam.plugin.config.in_site
    nad = ipam.plugin.config.nad if ipam.plugin else None
    pinned = nad is not None and _PINNED in str(nad.annotations.get(_SELECTOR, ""))
    if nodes > 1 and not in_site and not pinned and repeats_between_nodes(ipam) and not stays_on_node(ipam.plugin):
        hint = (
            f'Use whereabouts, which tracks all nodes: "ipam": {_as_whereabouts(ipam)}. Or keep the pods on one node.'
        )
        yield Problem((), f"{ipam.type} assigns the same addresses on each of the {nodes} nodes", hint)


def stays_on_node(plugin: Plugin | None) -> bool:
    """Whether the pods are behind their own node: it routes or translates their addresses, so other nodes may repeat them."""
    if plugin is None or plugin.traits.reach != "node":
        return False
    routed = any(plugin.get(key) is True for key in ("ipMasq", "isGateway", "isDefaultGateway"))
    return routed or not plugin.traits.bridge


def _as_whereabouts(ipam: Ipam) -> str:
    """The same ranges as a whereabouts configuration, for a hint."""
    ranges = [
        {"range": pool.text}
        | ({"range_start": str(pool.start)} if pool.start else {})
        | ({"range_end": str(pool.end)} if pool.end else {})
        for pool in ranges_of(ipam)
    ]
    keys: dict[str, object] = dict(ranges[0]) if len(ranges) == 1 else {"ipRanges": ranges}
    return json.dumps({"type": "whereabouts", **keys})


@rule(
    "DHCP_DAEMON_MISSING",
    "error",
    "facts",
    "DHCP without its daemon",
    example="dhcpDaemon: false, config: {ipam: {type: dhcp}}",
    source="plugins/ipam/dhcp/main.go rpcCall: 'error dialing DHCP daemon'",
)
def dhcp_daemon_missing(ipam: Ipam) -> Problems:
    """The plugin calls a daemon on the node through /run/cni/dhcp.sock."""
    if ipam.object_type.remembers == "server" and ipam.facts.dhcp_daemon is False:
        yield Problem(
            (ipam.key("type"),),
            "the nodes run no DHCP daemon",
            "Run `/opt/cni/bin/dhcp daemon` on each node, or use another IPAM plugin.",
        )


@rule(
    "NAD_OVERLAPS_CLUSTER_CIDR",
    "error",
    "facts",
    "Addresses that the cluster or its nodes use",
    example='podCIDR: 10.233.64.0/18, config: {ipam: {subnet: "10.233.65.0/24"}}',
    source="the pod's routes: a connected network is preferred to the default route of eth0",
)
def nad_overlaps_cluster_cidr(ipam: Ipam) -> Problems:
    """The pod cannot reach the pods, services or nodes that have these addresses, or it gets a node's address."""
    for name, texts in (("pods", ipam.facts.pod_cidr), ("services", ipam.facts.service_cidr)):
        for text in texts or ():
            cidr = parse_cidr(text)
            for network in networks(ipam) if cidr else ():
                if cidr and whole(network).overlaps(whole(cidr[1])):
                    yield Problem(
                        (),
                        f"{network} overlaps {cidr[1]}, the cluster's {name}",
                        "Use a network that the cluster does not use.",
                    )
    for text in ipam.facts.node_ips or ():
        taken = parse_block(text)
        if taken and any(span.overlaps(taken) for span in handed_out(ipam)):
            yield Problem(
                (),
                f"pods can get {text}, which the nodes use",
                f'Add "exclude": ["{text}"] (whereabouts), or use a smaller range.',
            )
