"""What a site requires of each pod and node."""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from multus_site.cni.addresses import Span, parse_address, parse_span
from multus_site.cni.ranges import Range, fixed
from multus_site.cni.uplinks import find, is_name, uplink_of
from multus_site.model.ipam import Static
from multus_site.model.networks import Network, Raw
from multus_site.model.part import Part
from multus_site.model.site import Site
from multus_site.model.workloads import Attachment, Workload, replica_name
from multus_site.render.attachment import called_plugins, manifest_of
from multus_site.render.network import NetworkFacts, network_facts
from multus_site.render.workload import LABEL as WORKLOAD_LABEL


class ExpectedRange(Part):
    """A range of which each pod holds exactly one address."""

    subnet: str
    start: str
    end: str
    gateway: str | None = None

    def holds(self, address: str) -> bool:
        """Whether an address is inside the range."""
        ip, span = parse_address(address), parse_span(f"{self.start}-{self.end}")
        return ip is not None and span is not None and span.contains(ip)

    @property
    def prefix(self) -> int:
        """Prefix length of the address on the interface."""
        return ipaddress.ip_network(self.subnet).prefixlen


class ExpectedInterface(Part):
    """One attachment."""

    interface: str
    network: str
    """Namespace and name, as network-status has them."""
    ranges: tuple[ExpectedRange, ...] = ()
    mtu: int | None = None
    """In bytes; None: that of the master."""
    kind: str = ""
    """Kind of link that the plugin creates, as in `ip -d link`; empty if unknown."""
    mode: str = ""
    """Mode of that link; empty if unknown."""
    uplink: str = ""
    """Its parent NIC on the node; empty if none."""
    vlan: int | None = None
    """VLAN id visible on it or its uplink; None: no check."""
    own_mac: bool = True
    """Whether it has a MAC address of its own, not the one that all pods of its NIC share."""
    segment: str = ""
    """Layer 2 segment; pods on different segments must not reach each other. Empty: it ends at the node."""
    segment_known: bool = True
    """Whether it can be compared with other segments: not if NIC names differ by node and the network names no segment."""


class ExpectedWorkload(Part):
    """The pods of one workload."""

    name: str
    namespace: str
    replicas: int
    interfaces: tuple[ExpectedInterface, ...]
    default: str = "eth0"
    """Interface of the default route."""

    @property
    def selector(self) -> dict[str, str]:
        """Labels of its pods."""
        return {WORKLOAD_LABEL: self.name}


class ExpectedNode(Part):
    """One node. `plugins`: CNI plugin → sha256 of what was installed; `needed`: plugins that its networks call, whoever installed
    them; `uplinks`: NIC → minimum MTU (0: any)."""

    name: str
    plugins: dict[str, str] = {}
    needed: tuple[str, ...] = ()
    uplinks: dict[str, int] = {}


class Expectation(Part):
    """A whole site."""

    workloads: tuple[ExpectedWorkload, ...] = ()
    nodes: tuple[ExpectedNode, ...] = ()
    attachments: dict[str, str] = {}
    """Namespace and name of each NetworkAttachmentDefinition → its configuration."""


def expected(site: Site, applied: Mapping[str, Mapping[str, Any]] | None = None) -> Expectation:
    """The expectations of a site. `applied`: node → what was found and installed there, as the output `nodes` has it."""
    facts = {name: network_facts(name, network) for name, network in site.networks.items()}
    return Expectation(
        workloads=tuple(w for name in site.workloads for w in _workloads(site, name, facts)),
        nodes=tuple(_node(site, name, facts, (applied or {}).get(name, {})) for name in site.nodes.hosts),
        attachments={
            facts[name].full_name: str(manifest_of(site, name)["spec"].get("config", "")) for name in site.networks
        },
    )


def _node(site: Site, name: str, facts: dict[str, NetworkFacts], applied: Mapping[str, Any]) -> ExpectedNode:
    """Return a node; its NICs need the larger MTU of the one when the site was applied and the one its networks ask for."""
    had = applied.get("facts", {}).get("nics", {})
    asked = _uplinks(site, name, facts, had)
    return ExpectedNode(
        name=name,
        # Calico installs its own at each start of its pod, so they have no recorded sha256.
        plugins={p: str(it["sha256"]) for p, it in applied.get("plugins", {}).items() if "sha256" in it},
        needed=called_plugins(site, name),
        uplinks={nic: max(mtu, int(had.get(nic, {}).get("mtu", 0))) for nic, mtu in asked.items()},
    )


def _workloads(site: Site, name: str, facts: dict[str, NetworkFacts]) -> Iterator[ExpectedWorkload]:
    """Yield the workload; each sticky replica counts as a workload of its own."""
    workload = site.workloads[name]
    if workload.sticky:
        for i in range(workload.replicas):
            yield _workload(site, replica_name(name, i), workload, facts, replica=i, pods=1)
    else:
        pods = len(site.nodes_of(workload)) if workload.kind == "DaemonSet" else workload.replicas
        yield _workload(site, name, workload, facts, replica=0, pods=pods)


def _workload(
    site: Site, name: str, workload: Workload, facts: dict[str, NetworkFacts], *, replica: int, pods: int
) -> ExpectedWorkload:
    seen = [(interface, a) for interface, a in workload.interfaces() if not _user_space(site.networks[a.name])]
    routed = (interface for interface, a in seen if a.default_route)
    return ExpectedWorkload(
        name=name,
        namespace=workload.namespace,
        replicas=pods,
        interfaces=tuple(_interface(site, interface, a, facts[a.name], replica) for interface, a in seen),
        default=next(routed, "eth0"),
    )


def _user_space(network: Network) -> bool:
    """Return whether a program in the pod drives the device, so that no interface exists."""
    return not isinstance(network, Raw) and not network.has_interface


def _uplinks(
    site: Site, node: str, facts: dict[str, NetworkFacts], had: Mapping[str, Mapping[str, Any]]
) -> dict[str, int]:
    """Return the NICs that pods of the node need → MTU. `had`: its NICs when the site was applied, to resolve NICs not given by name."""
    needed: dict[str, int] = {}
    if "worker" not in site.nodes.hosts[node].roles:
        return needed
    for name, network in site.networks.items():
        nic = uplink_of(site, node, network) if node in site.nodes_with(network) else None
        if nic is None or not facts[name].plugin.has_children:
            continue
        if uplink := find(nic, had) or (nic if is_name(nic) else ""):
            needed[uplink] = max(needed.get(uplink, 0), facts[name].mtu or 0)
    return dict(sorted(needed.items()))


def _interface(site: Site, interface: str, attachment: Attachment, n: NetworkFacts, replica: int) -> ExpectedInterface:
    named = site.segments[n.segment].vlan if n.segment else None
    asked = attachment.ips_by_replica[replica] if attachment.ips_by_replica else attachment.ips
    ranges = _fixed(site.networks[n.name], n, asked) if asked else n.ranges
    known = n.plugin.has_children and not n.uplink_by_node
    return ExpectedInterface(
        interface=interface,
        network=n.full_name,
        ranges=tuple(_expected_range(r, r.span) for r in ranges if r.span),
        mtu=n.mtu,
        kind=n.plugin.link_kind,
        mode=n.mode if "mode" in n.plugin.reports else "",
        uplink=n.uplink if known else "",
        vlan=named or (n.vlan if n.plugin.tags else site.tag_of(n.uplink)),
        own_mac=n.plugin.nic is None or n.plugin.nic.macs != "shared",
        segment=(n.segment or f"{n.uplink}/{n.vlan or 0}") if n.between_nodes else "",
        segment_known=bool(n.segment) or not n.uplink_by_node,
    )


def _expected_range(one: Range, span: Span) -> ExpectedRange:
    first, last = span.ends
    gateway = str(one.gateway) if one.gateway else None
    return ExpectedRange(subnet=str(one.network), start=str(first), end=str(last), gateway=gateway)


def _fixed(network: Network, n: NetworkFacts, asked: tuple[str, ...]) -> Iterator[Range]:
    """Yield the addresses that the pod asks for as ranges of one, with the network's gateway of the same subnet."""
    ipam = None if isinstance(network, Raw) else network.ipam
    named = [parse_address(gateway) for gateway in ipam.gateways] if isinstance(ipam, Static) else []
    known = [gateway for gateway in (*named, *(r.gateway for r in n.ranges)) if gateway]
    for one in filter(None, map(fixed, asked)):
        subnet = one.network
        yield replace(one, gateway=next((gateway for gateway in known if subnet and gateway in subnet), None))
