"""Which NICs of a node the networks of a site use, and which interface of a host each of them is.

A NIC is given by its name, or as `mac …`, `pci …`, `altname …`, `path …`. On a node multus_site/scripts/nics.sh finds it; `find` finds the same one
in what was found on a host.
"""

from collections.abc import Mapping
from typing import Any

from multus_site.cni.configuration import Config, Plugin
from multus_site.model.links import Link
from multus_site.model.networks import Network, Raw
from multus_site.model.site import Site


def uplink_of(site: Site, node: str, network: Network) -> str | None:
    """The NIC that a network uses on a node; None where it uses none there, or the cluster's own."""
    if isinstance(network, Link):
        return None if network.link_in_container else network.master_on(node, site.nodes.hosts[node].groups)
    plugin = _first_plugin(network)
    nic = plugin.traits.nic
    if nic is None or plugin.get("linkInContainer") is True:
        return None
    for key, how in nic.keys.items():
        value = plugin.text(key)
        # What is no name is the linter's to report.
        if value.split() == [value]:
            return value if how == "name" else f"{how} {value}"
    return None


def _first_plugin(network: Network) -> Plugin:
    if isinstance(network, Raw):
        return Config(network.config, ()).first
    return Config(network.model_dump(by_alias=True, exclude={"ipam", "chain"}), ()).first


def _moves(network: Network) -> bool:
    """Whether the NIC itself goes into a pod."""
    nic = _first_plugin(network).traits.nic
    return nic is not None and nic.moves


def nics_in_use(site: Site, node: str) -> list[str]:
    """The NICs of a node that networks, links and SR-IOV pools share there, sorted; not those that move into pods, nor links that the site makes."""
    networks = [network for network in site.networks.values() if node in site.nodes_with(network)]
    nics = {nic for network in networks if not _moves(network) and (nic := uplink_of(site, node, network))}
    links = site.links_on(node)
    nics |= {nic for link in links.values() for nic in link.below}
    nics |= {nic for pool in site.pools_on(node) for nic in pool.pf_names}
    return sorted(nics - set(links))


def is_name(nic: str) -> bool:
    """Whether a NIC is given by its name, so that nobody has to look for it."""
    return " " not in nic


def find(nic: str, there: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The name of a NIC on a host; None where it is not there. `there`: name → facts, as multus_site/scripts/facts.sh prints them, or part of them."""
    how, _, value = nic.rpartition(" ")
    if value in there and not how:
        return value
    if how in {"", "altname"}:
        return next((name for name, facts in there.items() if value in facts.get("altnames", ())), None)
    alike = {name: facts for name, facts in there.items() if str(facts.get(how, "")).lower() == value.lower()}
    if how == "mac":
        return next((name for name in alike if not _is_part(name, alike) and not _is_carried(name, alike)), None)
    return next(iter(alike), None)


def _is_part(name: str, alike: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether it is a member of a bond or bridge with the same MAC address, which is what is meant then."""
    return alike[name].get("master", "") in alike


def _is_carried(name: str, alike: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether it, or a member of it, lies on another interface with the same MAC address, as a VLAN does: that one is meant then."""
    below = [lower for lower in alike[name].get("below", ()) if lower in alike]
    return any(alike[lower].get("master") != name or _is_carried(lower, alike) for lower in below)
