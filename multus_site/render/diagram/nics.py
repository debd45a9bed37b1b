"""NICs in a diagram: the uplinks of networks, and the bonds, VLANs and SR-IOV pools behind them."""

from collections.abc import Iterator, Sequence

from multus_site.cni.uplinks import uplink_of
from multus_site.model.node_links import BondLink, VlanLink
from multus_site.model.site import Site
from multus_site.model.sriov import SriovPool
from multus_site.render.network import NetworkFacts


def on(site: Site, n: NetworkFacts, nodes: Sequence[str]) -> Iterator[str]:
    """The uplinks of a network on these nodes, without duplicates; an empty one if it stays inside the node."""
    network = site.networks[n.name]
    there = set(site.nodes_with(network))
    if pool := _pool(site, n.uplink):
        there &= set(site.nodes_of_pool(pool))
    found: dict[str, None] = {}
    for node in nodes:
        if node in there:
            own = uplink_of(site, node, network) if n.uplink_by_node else None
            found[own or n.uplink] = None
    yield from found


def below(site: Site, uplink: str) -> list[str]:
    """An uplink and what it consists of: bond0.110 and the bond's members; NICs and the resource of their virtual functions."""
    if pool := _pool(site, uplink):
        return [", ".join(pool.pf_names), pool.resource_name]
    made = site.links.get(uplink)
    if isinstance(made, BondLink):
        return [uplink, ", ".join(made.members)]
    if isinstance(made, VlanLink):
        return [uplink, below(site, made.link)[-1]]
    return [uplink] if uplink else []


def plugged(site: Site) -> dict[str, str]:
    """NIC → what it is plugged into, for machines that the site creates. NICs that differ between nodes are left out."""
    found: dict[str, set[str]] = {}
    for node in site.nodes.hosts:
        for nic, network in site.nodes.nics(node).items():
            found.setdefault(nic, set()).add(network)
    return {nic: next(iter(networks)) for nic, networks in found.items() if len(networks) == 1}


def _pool(site: Site, resource: str) -> SriovPool | None:
    pools = site.sriov.pools.values() if site.sriov else ()
    return next((pool for pool in pools if pool.resource_name == resource), None)
