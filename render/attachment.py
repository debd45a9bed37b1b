"""A network of the site as the CNI configuration and the NetworkAttachmentDefinition that Multus reads.

Always a configuration list (`plugins: […]`): version 1.0.0 of the CNI specification knows no other form.
"""

import json
from typing import Any

from model.networks import HostLocal, Ipam, Macvlan, Network

API_VERSION = "k8s.cni.cncf.io/v1"
KIND = "NetworkAttachmentDefinition"


def nad_config(name: str, network: Network) -> dict[str, Any]:
    """The CNI configuration of a network; a raw network's as it was given."""
    if isinstance(network, Macvlan):
        return {"cniVersion": network.cni_version, "name": name, "plugins": [_macvlan(network)]}
    return dict(network.config)


def nad_manifest(name: str, network: Network) -> dict[str, Any]:
    """The NetworkAttachmentDefinition; its config is a string with sorted keys, so that equal sites give equal text."""
    metadata: dict[str, Any] = {"name": name, "namespace": network.namespace}
    if annotations := getattr(network, "annotations", None):
        metadata["annotations"] = dict(annotations)
    config = json.dumps(nad_config(name, network), sort_keys=True, ensure_ascii=False)
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": {"config": config}}


def _macvlan(network: Macvlan) -> dict[str, Any]:
    plugin: dict[str, Any] = {
        "type": "macvlan",
        "master": network.master,
        "mode": network.mode,
        "ipam": _ipam(network.ipam),
    }
    if network.mtu is not None:
        plugin["mtu"] = network.mtu
    return plugin


def _ipam(ipam: Ipam) -> dict[str, Any]:
    """Address management as the plugin reads it; an empty object leaves the interface without an address."""
    if not isinstance(ipam, HostLocal):
        return {}
    ranges = [[entry.model_dump(by_alias=True, exclude_none=True)] for entry in ipam.ranges]
    found: dict[str, Any] = {"type": "host-local", "ranges": ranges}
    if ipam.routes:
        found["routes"] = [route.model_dump(by_alias=True, exclude_none=True) for route in ipam.routes]
    return found
