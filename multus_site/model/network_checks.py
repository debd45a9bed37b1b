"""Checks of networks and links against the rest of the site: the NICs and links that networks need, and what differs by node."""

from collections.abc import Iterator

from multus_site.model.ipam import HostLocal
from multus_site.model.links import Link
from multus_site.model.master import MasterByNode
from multus_site.model.networks import Network, Raw
from multus_site.model.node_links import BondLink, VlanLink
from multus_site.model.node_ranges import check_node_ranges
from multus_site.model.part import Mistake, name_one_of
from multus_site.model.paths import Path
from multus_site.model.rack_checks import check_placement
from multus_site.model.site_parts import SiteParts


def check_network(site: SiteParts, path: Path, network: Network) -> Iterator[Mistake]:
    """A network's segment, its nodes, and what differs by node."""
    if network.segment is not None and network.segment not in site.segments:
        yield Mistake.of_name((*path, "segment"), "segment", network.segment, site.segments, "add it to segments")
    yield from check_placement(site, path, network)
    if isinstance(network, Link) and isinstance(network.master, MasterByNode):
        yield from _check_master(site, (*path, "master"), network, network.master)
    if isinstance(network, Link) and network.own_macs:
        for node in site.nodes_with(network):
            nic = network.master_on(node, site.nodes.hosts[node].groups) if node in site.nodes.hosts else None
            if nic is not None and not site.nodes.delivers_pods_macs(node, nic):
                message = f"{nic} of {node} is a macvtap, which drops frames to MAC addresses of pods; set mode: passthrough there, or use type: ipvlan"
                yield Mistake((*path, "master"), message)
    ipam = None if isinstance(network, Raw) else network.ipam
    if isinstance(ipam, HostLocal) and ipam.addresses_per_node is not None:
        hosts = {node: site.nodes.hosts[node] for node in site.nodes_with(network) if node in site.nodes.hosts}
        yield from (mistake.below((*path, "ipam")) for mistake in check_node_ranges(ipam, hosts))


def _check_master(site: SiteParts, path: Path, network: Link, master: MasterByNode) -> Iterator[Mistake]:
    """Groups that no node is in, nodes that there are not, nodes of the network that it says nothing of."""
    groups = {group for host in site.nodes.hosts.values() for group in host.groups}
    empty = [group for group in master.groups if group not in groups]
    unknown = [node for node in master.mac if node not in site.nodes.hosts]
    for group in empty:
        right = name_one_of(sorted(groups), f"give hosts groups: [{group}]")
        yield Mistake((*path, "groups", group), f"no host is in group {group!r}; {right}", unknown=group)
    for node in unknown:
        yield Mistake.of_name((*path, "mac", node), "host", node, site.nodes.hosts, "add it to nodes.hosts")
    if network.link_in_container:
        message = (
            "linkInContainer makes it an interface of the pod, the same on every node; write its name, such as net1"
        )
        yield Mistake(path, message)
    elif not (empty or unknown or network.nodes or network.racks or site.nodes_with(network)):
        yield Mistake(path, "no worker has it; give hosts the group, or name more nodes")
    for node in network.nodes:
        if node in site.nodes.hosts and network.master_on(node, site.nodes.hosts[node].groups) is None:
            message = f"it gives no NIC for {node!r}; add one, or remove {node} from nodes"
            yield Mistake(path, message)


def check_links(site: SiteParts) -> Iterator[Mistake]:
    """Links on what is not there, members of two bonds, the node's own interface in a bond."""
    bonds: dict[str, str] = {}
    for name, link in site.links.items():
        path = ("links", name)
        yield from check_placement(site, path, link)
        if isinstance(link, VlanLink):
            yield from _check_vlan(site, path, link)
            continue
        yield from _check_bond(site, name, link, bonds)
    for name, network in site.networks.items():
        master = network.master if isinstance(network, Link) else None
        if isinstance(master, str) and master in bonds:
            yield Mistake(("networks", name, "master"), f"{master} is in the bond {bonds[master]}; name the bond")
        if isinstance(master, str) and master in site.links:
            lacking = set(site.nodes_with(network)) - set(site.nodes_of_link(site.links[master]))
            if lacking:
                message = f"{master} is not created on {', '.join(sorted(lacking))}; remove them, or create it there"
                yield Mistake(("networks", name, "nodes"), message)


def _check_vlan(site: SiteParts, path: Path, link: VlanLink) -> Iterator[Mistake]:
    below = site.links.get(link.link)
    if isinstance(below, VlanLink):
        message = f"{link.link} is a VLAN itself; name the NIC or the bond that carries both"
        yield Mistake((*path, "link"), message)
    elif below is not None and not set(site.nodes_of_link(link)) <= set(site.nodes_of_link(below)):
        message = f"{link.link} is not created on all of these nodes; give both the same nodes"
        yield Mistake((*path, "nodes"), message)


def _check_bond(site: SiteParts, name: str, link: BondLink, bonds: dict[str, str]) -> Iterator[Mistake]:
    """`bonds`: interface → the bond that has it, of the bonds checked so far."""
    for i, member in enumerate(link.members):
        path = ("links", name, "members", i)
        if member in site.links:
            yield Mistake(path, f"{member} is a link itself; name NICs of the node")
        if bonds.setdefault(member, name) != name:
            yield Mistake(path, f"{member} is in {bonds[member]} already; remove it from one of the two")
        if member == site.nodes.management:
            yield Mistake(path, f"{member} holds the node's own address; take another NIC")
