"""A network of the site as CNI configuration and NetworkAttachmentDefinition.

The configuration is always a list (`plugins: […]`), the only form since version 1.0.0 of the CNI specification.
"""

import json
from collections.abc import Collection, Set
from typing import Any

from multus_site.cni.catalogue import CHAINED, interface_plugin
from multus_site.cni.configuration import Config
from multus_site.cni.uplinks import is_name, uplink_of
from multus_site.cni.versions import cni_version_of_site
from multus_site.model.attachable import Attachable
from multus_site.model.chained import Chained
from multus_site.model.ipam import HostLocal, Static
from multus_site.model.links import Link
from multus_site.model.master import MasterByNode
from multus_site.model.networks import RESOURCE, Network, Raw, TypedNetwork
from multus_site.model.node_ranges import ranges_of_node
from multus_site.model.nodes import Host
from multus_site.model.site import Site
from multus_site.render.addresses import ipam_config

API_VERSION = "k8s.cni.cncf.io/v1"
KIND = "NetworkAttachmentDefinition"

_OF_EVERY_NETWORK = {*Attachable.model_fields, "ipam"} - {"type"}
"""Fields common to all networks. They are no keys of the plugin, or have another form there."""

MASTER = "@MASTER@"
"""Placeholder for a NIC whose name only the node knows; its script replaces it."""


def config_of(site: Site, name: str, node: str | None = None) -> dict[str, Any]:
    """The CNI configuration of a network; with `node`, the one for that node."""
    network = site.networks[name]
    if node is not None and not isinstance(network, Raw):
        network = _on(network, site.nodes.hosts[node], node)
    return nad_config(name, network, cni_version=cni_version_of_site(site), asked=site.asked_of(name))


def called_plugins(site: Site, node: str) -> tuple[str, ...]:
    """Plugins that the networks of a node call, address management and chained ones too, sorted."""
    names = [name for name, network in site.networks.items() if node in site.nodes_with(network)]
    plugins = [plugin for name in names for plugin in Config(config_of(site, name, node), ()).plugins]
    called = {plugin.type for plugin in plugins} | {one.ipam.type for one in plugins if one.ipam is not None}
    return tuple(sorted(called - {""}))


def configs_by_node(site: Site, name: str) -> dict[str, dict[str, Any]]:
    """Node → configuration, for a network whose configuration differs by node."""
    return {node: config_of(site, name, node) for node in site.nodes_with(site.networks[name])}


def _on(network: TypedNetwork, host: Host, node: str) -> TypedNetwork:
    changed: dict[str, Any] = {}
    if isinstance(network, Link) and isinstance(network.master, MasterByNode):
        name = network.master_on(node, host.groups) or ""
        changed["master"] = name if is_name(name) else MASTER
    if isinstance(network.ipam, HostLocal):
        changed["ipam"] = ranges_of_node(network.ipam, host)
    return network.model_copy(update=changed)


def manifest_of(site: Site, name: str) -> dict[str, Any]:
    """The NetworkAttachmentDefinition of a network.

    It has no `config` if the configuration differs by node: Multus then reads a file with the network's name from the node's
    confDir (network-attachment-definition-client pkg/utils GetCNIConfig).
    """
    network = site.networks[name]
    if site.differs_by_node(network):
        return {"apiVersion": API_VERSION, "kind": KIND, "metadata": _metadata(name, network), "spec": {}}
    return nad_manifest(name, network, cni_version=cni_version_of_site(site), asked=site.asked_of(name))


def content_of(site: Site, name: str) -> str:
    """Everything about the network that affects pods: its configuration, or that of each node if they differ."""
    network = site.networks[name]
    found: Any = configs_by_node(site, name) if site.differs_by_node(network) else config_of(site, name)
    return json.dumps(found, sort_keys=True, ensure_ascii=False)


def masters_of(site: Site, name: str) -> list[str]:
    """Names of the NICs that a network uses on its nodes, sorted."""
    network = site.networks[name]
    nics = {uplink_of(site, node, network) for node in site.nodes_with(network)}
    return sorted(nic for nic in nics if nic is not None and is_name(nic))


def ranges_of(site: Site, name: str) -> list[str]:
    """The host-local ranges of a network on all of its nodes, each `first-last` or a subnet."""
    ipam = getattr(site.networks[name], "ipam", None)
    if not isinstance(ipam, HostLocal):
        return []
    return [f"{r.range_start}-{r.range_end}" if r.range_start and r.range_end else str(r.subnet) for r in ipam.ranges]


def nad_config(
    name: str, network: Network, *, cni_version: str = "1.0.0", asked: Collection[str] = ()
) -> dict[str, Any]:
    """The CNI configuration of a network; a raw network's is unchanged.

    `cni_version` is the default of networks without one. `asked`: the capabilities (ips, mac, portMappings) that pods use.
    """
    if isinstance(network, Raw):
        return dict(network.config)
    plugins = [_main(network, set(asked)), *(_chained(plugin, network, set(asked)) for plugin in network.chain)]
    return {"cniVersion": network.cni_version or cni_version, "name": name, "plugins": plugins}


def nad_manifest(
    name: str, network: Network, *, cni_version: str = "1.0.0", asked: Collection[str] = ()
) -> dict[str, Any]:
    """The NetworkAttachmentDefinition. Its config is JSON with sorted keys, so that equal sites give equal text."""
    config = nad_config(name, network, cni_version=cni_version, asked=asked)
    text = json.dumps(config, sort_keys=True, ensure_ascii=False)
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": _metadata(name, network), "spec": {"config": text}}


def _metadata(name: str, network: Network) -> dict[str, Any]:
    annotations = _annotations(network)
    found: dict[str, Any] = {"name": name, "namespace": network.namespace}
    return {**found, "annotations": annotations} if annotations else found


def _annotations(network: Network) -> dict[str, str]:
    if isinstance(network, Raw):
        return dict(network.annotations)
    return {RESOURCE: network.device_resource} if network.device_resource else {}


def _main(network: TypedNetwork, asked: set[str]) -> dict[str, Any]:
    """The plugin that creates the interface."""
    entry = interface_plugin(network.type)
    site_only = {*_OF_EVERY_NETWORK, *entry.site_only}
    keys = network.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=site_only)
    plugin = {entry.spelling.get(key, key): value for key, value in keys.items() if value != []}
    if plugin.get("linkInContainer") is False:
        del plugin["linkInContainer"]
    plugin["ipam"] = ipam_config(network.ipam)
    taken = {"ips"} if isinstance(network.ipam, Static) and not network.ipam.addresses else set()
    taken |= asked & ({"ips", "mac"} if network.takes_mac else {"ips"})
    return {**plugin, **_capabilities(taken)}


def _chained(plugin: Chained, network: TypedNetwork, asked: set[str]) -> dict[str, Any]:
    keys = plugin.model_dump(mode="json", by_alias=True, exclude_none=True)
    kept = {key: value for key, value in keys.items() if value not in ([], {})}
    entry = CHAINED[plugin.type]
    if entry.idle_without_capability:
        return {**kept, **_capabilities({entry.capability})}
    return {**kept, **_capabilities((asked - ({"mac"} if network.takes_mac else set())) & {entry.capability})}


def _capabilities(taken: Set[str]) -> dict[str, Any]:
    return {"capabilities": dict.fromkeys(sorted(taken), True)} if taken else {}
