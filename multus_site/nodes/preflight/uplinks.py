"""Which NICs of a node a network is on, as far as the site says."""

from collections.abc import Iterator, Mapping
from typing import Any

from multus_site.model.links import Link
from multus_site.model.networks import Network, Raw
from multus_site.model.node_interfaces import HostDevice
from multus_site.model.site import Site

_KEYS = {"host-device": "device", "ipvlan": "master", "macvlan": "master", "vlan": "master"}
"""CNI plugin → key of the node's NIC that it takes (containernetworking/plugins, main/)."""


def uplinks(site: Site, node: str, network: Network) -> Iterator[str]:
    """By name, or `mac …`, `pci …`, `altname …`."""
    if isinstance(network, Link):
        nic = None if network.link_in_container else network.master_on(node, site.nodes.hosts[node].groups)
        if nic:
            yield nic
    elif isinstance(network, HostDevice):
        if network.device:
            yield network.device
        elif network.hwaddr:
            yield f"mac {network.hwaddr}"
        elif network.pci_bus_id:
            yield f"pci {network.pci_bus_id}"
    elif isinstance(network, Raw):
        yield from _word_for_word(network.config)


def _word_for_word(config: Mapping[str, Any]) -> Iterator[str]:
    plugins = config.get("plugins")
    first = plugins[0] if isinstance(plugins, list) and plugins else config
    if not isinstance(first, Mapping) or first.get("linkInContainer") is True:
        return
    nic = first.get(_KEYS.get(str(first.get("type")), ""))
    # What is no name is the linter's to tell.
    if isinstance(nic, str) and nic.split() == [nic]:
        yield nic
