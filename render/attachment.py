"""A network of the site as the CNI configuration and the NetworkAttachmentDefinition that Multus reads.

Always a configuration list (`plugins: […]`): from version 1.0.0 on the CNI specification knows no other form.
"""

import json
from collections.abc import Collection
from typing import Any

from model.chained import Chained, Portmap, Tuning
from model.ipam import Static
from model.networks import RESOURCE, Network, Raw, TypedNetwork
from model.site import Site
from render.addresses import ipam_config

API_VERSION = "k8s.cni.cncf.io/v1"
KIND = "NetworkAttachmentDefinition"

_SITE_ONLY = {"namespace", "segment", "nodes", "cni_version", "chain", "ipam", "resource_name", "driver"}
"""Keys of a network that are not the plugin's."""

PLUGIN_WORDS = {
    "linkState": "link_state",
    "minTxRate": "min_tx_rate",
    "maxTxRate": "max_tx_rate",
    "networkName": "network_name",
}
"""Keys that a plugin writes otherwise than a site."""


def config_of(site: Site, name: str) -> dict[str, Any]:
    """The CNI configuration of one of a site's networks."""
    return nad_config(name, site.networks[name], cni_version=site.cni_version(), asked=site.asked_of(name))


def manifest_of(site: Site, name: str) -> dict[str, Any]:
    """The NetworkAttachmentDefinition of one of a site's networks."""
    return nad_manifest(name, site.networks[name], cni_version=site.cni_version(), asked=site.asked_of(name))


def nad_config(
    name: str, network: Network, *, cni_version: str = "1.0.0", asked: Collection[str] = ()
) -> dict[str, Any]:
    """The CNI configuration of a network; a raw network's as it was given.

    `cni_version` holds where the network names none. `asked`: the capabilities (ips, mac, portMappings) that pods make use of.
    """
    if isinstance(network, Raw):
        return dict(network.config)
    plugins = [_main(network, set(asked)), *(_chained(plugin, network, set(asked)) for plugin in network.chain)]
    return {"cniVersion": network.cni_version or cni_version, "name": name, "plugins": plugins}


def nad_manifest(
    name: str, network: Network, *, cni_version: str = "1.0.0", asked: Collection[str] = ()
) -> dict[str, Any]:
    """The NetworkAttachmentDefinition; its config is a string with sorted keys, so that equal sites give equal text."""
    metadata: dict[str, Any] = {"name": name, "namespace": network.namespace}
    if annotations := _annotations(network):
        metadata["annotations"] = annotations
    config = nad_config(name, network, cni_version=cni_version, asked=asked)
    text = json.dumps(config, sort_keys=True, ensure_ascii=False)
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": {"config": text}}


def _annotations(network: Network) -> dict[str, str]:
    if isinstance(network, Raw):
        return dict(network.annotations)
    return {RESOURCE: network.device_resource} if network.device_resource else {}


def _main(network: TypedNetwork, asked: set[str]) -> dict[str, Any]:
    """The plugin that makes the interface."""
    keys = network.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=_SITE_ONLY)
    plugin = {PLUGIN_WORDS.get(key, key): value for key, value in keys.items() if value != []}
    if plugin.get("linkInContainer") is False:
        del plugin["linkInContainer"]
    plugin["ipam"] = ipam_config(network.ipam)
    taken = {"ips"} if isinstance(network.ipam, Static) and not network.ipam.addresses else set()
    taken |= asked & ({"ips", "mac"} if network.takes_mac else {"ips"})
    return {**plugin, **_capabilities(taken)}


def _chained(plugin: Chained, network: TypedNetwork, asked: set[str]) -> dict[str, Any]:
    keys = plugin.model_dump(mode="json", by_alias=True, exclude_none=True)
    kept = {key: value for key, value in keys.items() if value not in ([], {})}
    taken: set[str] = set()
    if isinstance(plugin, Portmap):
        taken = {"portMappings"}
    elif isinstance(plugin, Tuning) and not network.takes_mac:
        taken = asked & {"mac"}
    return {**kept, **_capabilities(taken)}


def _capabilities(taken: set[str]) -> dict[str, Any]:
    return {"capabilities": dict.fromkeys(sorted(taken), True)} if taken else {}
