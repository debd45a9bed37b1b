"""Input of a node's script for networks (multus_site/scripts/networks.sh): links, virtual functions, configurations of this node."""

import json

from multus_site import scripts
from multus_site.cni.uplinks import is_name, uplink_of
from multus_site.model.node_links import NodeLink, VlanLink
from multus_site.model.site import Site
from multus_site.render.attachment import config_of


def variables(site: Site, node: str) -> dict[str, str]:
    """The script's variables for a node; all lists are empty if it has nothing to do."""
    functions = [f"{pf} {pool.num_vfs} {pool.driver}" for pool in site.pools_on(node) for pf in pool.pf_names]
    return {
        "LINKS": "\n".join(_link(name, link) for name, link in site.links_on(node).items()),
        "FUNCTIONS": "\n".join(functions),
        "FUNCTIONS_SCRIPT": scripts.text("functions") if functions else "",
        "CONFIGS": "\n".join(_config(site, name, node) for name in site.networks if _is_own(site, name, node)),
        "MANAGEMENT": site.nodes.hosts[node].address,
    }


def needed(site: Site) -> list[str]:
    """The nodes on which the script has something to do."""
    asked = ("LINKS", "FUNCTIONS", "CONFIGS")
    return [node for node in site.nodes.hosts if any(variables(site, node)[key] for key in asked)]


def _link(name: str, link: NodeLink) -> str:
    mtu = str(link.mtu or "-")
    if isinstance(link, VlanLink):
        return f"{name} vlan {link.link} {link.id} {mtu}"
    return f"{name} bond {link.mode} {mtu} {' '.join(link.members)}"


def _is_own(site: Site, name: str, node: str) -> bool:
    network = site.networks[name]
    return site.differs_by_node(network) and node in site.nodes_with(network)


def _config(site: Site, name: str, node: str) -> str:
    nic = uplink_of(site, node, site.networks[name])
    how = nic if nic and not is_name(nic) else ""
    return f"{name}|{how}|{json.dumps(config_of(site, name, node), sort_keys=True)}"
