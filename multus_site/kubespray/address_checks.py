"""The checks that Kubespray and Kubernetes make of the pod and service networks, made before a run.

Sources: roles/validate_inventory/tasks/main.yml; kube-apiserver (service range of at most 20 bits), kube-controller-manager (the prefix of a node
is at most 16 bits longer than that of the pod network).
"""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

CALICO_BLOCK = 26
"""Prefix length of the address blocks that Calico assigns to nodes, unless calico_pool_blocksize is set."""

SERVICE_BITS = 20
NODE_BITS = 16


@dataclass(frozen=True)
class Family:
    """Kubespray's variables for one IP version, and their defaults."""

    stack: str
    services: str
    pods: str
    prefix: str
    default_services: str
    default_pods: str
    default_prefix: int
    bits: int


V4 = Family(
    "ipv4_stack", "kube_service_addresses", "kube_pods_subnet", "kube_network_node_prefix",
    "10.233.0.0/18", "10.233.64.0/18", 24, 32,
)  # fmt: skip
V6 = Family(
    "ipv6_stack", "kube_service_addresses_ipv6", "kube_pods_subnet_ipv6", "kube_network_node_prefix_ipv6",
    "fd85:ee78:d8a6:8607::1000/116", "fd85:ee78:d8a6:8607::1:0000/112", 120, 128,
)  # fmt: skip

KEYS = {"kube_pods_subnet": "kubespray.podCidr", "kube_service_addresses": "kubespray.serviceCidr"}


def where(variable: str) -> str:
    """The path in a site that sets a variable."""
    return KEYS.get(variable, f"kubespray.variables.{variable}")


def families(variables: Mapping[str, Any]) -> list[Family]:
    """The IP versions that a cluster uses."""
    dual = variables.get("enable_dual_stack_networks", False)
    return [f for f, default in ((V4, True), (V6, dual)) if variables.get(f.stack, default)]


def check_addresses(
    hosts: Mapping[str, Mapping[str, Any]], members: int, variables: Mapping[str, Any]
) -> Iterator[str]:
    """One message per mistake in the networks. `members`: number of nodes in the cluster."""
    networks: list[tuple[str, Network]] = []
    for family in families(variables):
        of_family = {}
        for name, default in ((family.services, family.default_services), (family.pods, family.default_pods)):
            value = variables.get(name, default)
            network = _network(value)
            if network is None:
                yield f"{where(name)}: not a network, or host bits are set; write a network such as {default}"
            elif network.max_prefixlen != family.bits:
                yield f"{where(name)}: {network} is IPv{network.version}; write a network such as {default}"
            else:
                of_family[name] = network
        networks += of_family.items()
        if len(of_family) == 2:
            yield from _check_sizes(family, of_family[family.services], of_family[family.pods], members, variables)
    for i, (name, network) in enumerate(networks):
        for other_name, other in networks[i + 1 :]:
            if network.version == other.version and network.overlaps(other):
                yield f"{where(other_name)}: {other} overlaps {where(name)} {network}; give each its own range"
        for host, settings in hosts.items():
            if ipaddress.ip_address(settings["ip"]) in network:
                yield f"nodes.hosts.{host}.address: {settings['ip']} is in {where(name)} {network}; choose another network there"


def _network(value: object) -> Network | None:
    try:
        return ipaddress.ip_network(str(value))
    except ValueError:
        return None


def _check_sizes(
    family: Family, services: Network, pods: Network, members: int, variables: Mapping[str, Any]
) -> Iterator[str]:
    """Checks that the networks fit the services, the nodes and the pods of each node."""
    plugin = variables.get("kube_network_plugin", "calico")
    if services.max_prefixlen - services.prefixlen > SERVICE_BITS:
        yield (
            f"{where(family.services)}: {services} is larger than the API server accepts; "
            f"write a /{services.max_prefixlen - SERVICE_BITS} or smaller"
        )
    prefix = variables.get(family.prefix, family.default_prefix)
    if not isinstance(prefix, int) or not pods.prefixlen <= prefix <= pods.max_prefixlen:
        yield f"{where(family.prefix)}: not a prefix length inside {pods}; write one such as {family.default_prefix}"
        return
    if prefix - pods.prefixlen > NODE_BITS:
        yield (
            f"{where(family.prefix)}: /{prefix} is more than {NODE_BITS} bits longer than {pods}; the controller manager rejects that. "
            f"Write {pods.prefixlen + NODE_BITS} or less"
        )
    if plugin == "calico":
        length, unit = variables.get("calico_pool_blocksize", CALICO_BLOCK) if family is V4 else prefix, "blocks"
    else:
        length, unit = prefix, "nodes"
    if isinstance(length, int) and (capacity := 2 ** max(length - pods.prefixlen, 0)) < members:
        yield (
            f"{where(family.pods)}: {pods} has room for {capacity} {unit} of /{length}, and the site has {members} nodes; "
            "choose a larger network"
        )
    max_pods, addresses = variables.get("kubelet_max_pods", 110), 2 ** (pods.max_prefixlen - prefix) - 2
    if family is V4 and plugin not in {"calico", "none"} and str(max_pods).isdigit() and int(max_pods) > addresses:
        yield (
            f"kubespray.variables.kubelet_max_pods: more pods per node than the {addresses} addresses in the /{prefix} of a node; "
            f"write {addresses} or less, or a smaller {family.prefix}"
        )
