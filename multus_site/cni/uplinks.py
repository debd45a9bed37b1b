"""The NICs that networks of a site use, and how to find them on a host.

A NIC is given by name, or as `mac …`, `pci …`, `altname …`, `path …`. On a node, multus_site/scripts/nics.sh resolves it;
`find` resolves it the same way from a host's facts.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from multus_site.cni.configuration import Config, Plugin
from multus_site.model.links import Link
from multus_site.model.networks import Network, Raw
from multus_site.model.site import Site

_OF_PODS = ("veth", "cali", "lxc")
"""Name prefixes of the node ends of pods' interfaces."""

_NO_MASTERS = {"lo", "bonding_masters"}
"""Other entries of /sys/class/net; bonding_masters is a file of the bonding driver."""


def nics(names: Iterable[str]) -> list[str]:
    """Interfaces of a node that a network can use: physical ones, bonds, VLANs, bridges, tunnels; not those of pods."""
    return sorted(name for name in names if name not in _NO_MASTERS and not name.startswith(_OF_PODS))


def uplink_of(site: Site, node: str, network: Network) -> str | None:
    """The NIC that a network uses on a node; None if it uses none, or that of the default route."""
    if isinstance(network, Link):
        return None if network.link_in_container else network.master_on(node, site.nodes.hosts[node].groups)
    plugin = _first_plugin(network)
    nic = plugin.traits.nic
    if nic is None or plugin.get("linkInContainer") is True:
        return None
    for key, how in nic.keys.items():
        value = plugin.text(key)
        # The linter reports values that are not names.
        if value.split() == [value]:
            return value if how == "name" else f"{how} {value}"
    return None


def _first_plugin(network: Network) -> Plugin:
    if isinstance(network, Raw):
        return Config(network.config, ()).first
    return Config(network.model_dump(by_alias=True, exclude={"ipam", "chain"}), ()).first


def _moves(network: Network) -> bool:
    """Whether the NIC itself moves into a pod."""
    nic = _first_plugin(network).traits.nic
    return nic is not None and nic.moves


def nics_in_use(site: Site, node: str) -> list[str]:
    """The NICs of a node that networks, links and SR-IOV pools share, sorted; without those that move into pods and links that the site creates."""
    networks = [network for network in site.networks.values() if node in site.nodes_with(network)]
    nics = {nic for network in networks if not _moves(network) and (nic := uplink_of(site, node, network))}
    links = site.links_on(node)
    nics |= {nic for link in links.values() for nic in link.below}
    nics |= {nic for pool in site.pools_on(node) for nic in pool.pf_names}
    return sorted(nics - set(links))


def is_name(nic: str) -> bool:
    """Whether a NIC is given by its name."""
    return " " not in nic


def find(nic: str, interfaces: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The name of a NIC on a host; None if it does not exist. `interfaces`: name → facts, as multus_site/scripts/facts.sh prints them, or part of them."""
    how, _, value = nic.rpartition(" ")
    if value in interfaces and not how:
        return value
    if how in {"", "altname"}:
        return next((name for name, facts in interfaces.items() if value in facts.get("altnames", ())), None)
    alike = {name: facts for name, facts in interfaces.items() if str(facts.get(how, "")).lower() == value.lower()}
    if how == "mac":
        return next((name for name in alike if not _is_part(name, alike) and not _is_carried(name, alike)), None)
    return next(iter(alike), None)


def _is_part(name: str, alike: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether it is a member of a bond or bridge with the same MAC address; the bond or bridge is meant then."""
    return alike[name].get("master", "") in alike


def _is_carried(name: str, alike: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether it, or a member of it, is on top of another interface with the same MAC address, as a VLAN is; the lower one is meant then."""
    below = [lower for lower in alike[name].get("below", ()) if lower in alike]
    return any(alike[lower].get("master") != name or _is_carried(lower, alike) for lower in below)
