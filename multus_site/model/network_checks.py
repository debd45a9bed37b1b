"""What no network and no link can know alone: links that networks stand on, and what differs by node."""

from typing import TYPE_CHECKING

from multus_site.model import node_ranges, references
from multus_site.model.ipam import HostLocal
from multus_site.model.links import Link, Macvlan
from multus_site.model.master import MasterByNode
from multus_site.model.networks import Network, Raw
from multus_site.model.node_links import VlanLink
from multus_site.model.positions import written

if TYPE_CHECKING:
    from multus_site.model.site import Site


def by_node(site: "Site", where: str, network: Network) -> list[str]:
    """A master that a node is not told, groups that no node is in, parts of ranges that do not come out even."""
    found = []
    if isinstance(network, Link) and isinstance(network.master, MasterByNode):
        groups = {group for host in site.nodes.hosts.values() for group in host.groups}
        for group in network.master.groups:
            if group not in groups:
                right = references.one_of(sorted(groups), f"give hosts groups: [{group}]")
                found.append(f"{where}.master.groups.{group}: no host is in group {group!r}; {right}")
        for node in network.master.mac:
            if node not in site.nodes.hosts:
                right = references.one_of(site.nodes.hosts, "add it to nodes.hosts")
                found.append(f"{where}.master.mac.{node}: there is no host {node!r}; {right}")
        if network.link_in_container:
            found.append(
                f"{where}.master: linkInContainer makes it an interface of the pod, which is no node's; write its name, such as net1"
            )
        if not found and not network.nodes and not network.racks and not site.nodes_with(network):
            found.append(f"{where}.master: no worker has it; give hosts the group, or name more nodes")
        for node in network.nodes:
            if node in site.nodes.hosts and network.master_on(node, site.nodes.hosts[node].groups) is None:
                found.append(
                    f"{where}.master: it does not tell which NIC of {node!r} it is; add it, or take {node} out of nodes"
                )
    if isinstance(network, Macvlan):
        for node in site.nodes_with(network):
            nic = network.master_on(node, site.nodes.hosts[node].groups) if node in site.nodes.hosts else None
            if nic is not None and not site.nodes.delivers_pods_macs(node, nic):
                found.append(
                    f"{where}.master: {nic} of {node} is a macvtap, which delivers nothing to MAC addresses of pods; write mode: passthrough there, or take type: ipvlan"
                )
    ipam = None if isinstance(network, Raw) else network.ipam
    if isinstance(ipam, HostLocal) and ipam.addresses_per_node is not None:
        hosts = {node: site.nodes.hosts[node] for node in site.nodes_with(network) if node in site.nodes.hosts}
        found += [f"{where}.ipam{key}: {message}" for key, message in node_ranges.mistakes(ipam, hosts)]
    return found


def links(site: "Site") -> list[str]:
    """Links on what is not there, members of two bonds, the node's own interface in a bond."""
    found = []
    members: dict[str, str] = {}
    for name, link in site.links.items():
        where = written(("links", name))
        found += references.places(site, where, link.nodes, link.racks)
        if isinstance(link, VlanLink):
            below = site.links.get(link.link)
            if isinstance(below, VlanLink):
                found.append(f"{where}.link: {link.link} is a VLAN itself; name the NIC or the bond that carries both")
            elif below is not None and not set(site.nodes_of_link(link)) <= set(site.nodes_of_link(below)):
                found.append(f"{where}.nodes: {link.link} is not made on all of its nodes; give both the same nodes")
            continue
        for i, member in enumerate(link.members):
            if member in site.links:
                found.append(f"{where}.members[{i}]: {member} is a link itself; name NICs of the node")
            if members.setdefault(member, name) != name:
                found.append(
                    f"{where}.members[{i}]: {member} is in {members[member]} already; take it out of one of the two"
                )
            if member == site.nodes.management:
                found.append(f"{where}.members[{i}]: {member} holds the node's own address; take another NIC")
    for name, network in site.networks.items():
        master = network.master if isinstance(network, Link) else None
        if isinstance(master, str) and master in members:
            found.append(f"networks.{name}.master: {master} is in the bond {members[master]}; name the bond")
        if isinstance(master, str) and master in site.links:
            lacking = set(site.nodes_with(network)) - set(site.nodes_of_link(site.links[master]))
            if lacking:
                found.append(
                    f"networks.{name}.nodes: {master} is not made on {', '.join(sorted(lacking))}; leave them out, or make it there"
                )
    return found
