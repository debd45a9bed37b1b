"""Kubespray's and Kubernetes' own checks of the networks of pods and services, done before anything runs.

Sources: roles/validate_inventory/tasks/main.yml; kube-apiserver (service range of 20 bits at most), kube-controller-manager (a node's part at most
16 bits longer than the pods' network).
"""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

CALICO_BLOCK = 26
"""Prefix length of the blocks of addresses that Calico gives to nodes, unless calico_pool_blocksize says otherwise."""

SERVICE_BITS = 20
NODE_BITS = 16


@dataclass(frozen=True)
class Family:
    """Kubespray's variables of one IP version, with its defaults."""

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
    """Where in a site a variable is given."""
    return KEYS.get(variable, f"kubespray.variables.{variable}")


def families(variables: Mapping[str, Any]) -> list[Family]:
    """The IP versions of a cluster."""
    dual = variables.get("enable_dual_stack_networks", False)
    return [f for f, default in ((V4, True), (V6, dual)) if variables.get(f.stack, default)]


def check_addresses(
    hosts: Mapping[str, Mapping[str, Any]], members: int, variables: Mapping[str, Any]
) -> Iterator[str]:
    """What is wrong with the networks; `members` is how many of the hosts are nodes of the cluster."""
    every: list[tuple[str, Network]] = []
    for family in families(variables):
        found = {}
        for name, default in ((family.services, family.default_services), (family.pods, family.default_pods)):
            value = variables.get(name, default)
            network = _network(value)
            if network is None:
                yield f"{where(name)}: no network, or with host bits set; write one such as {default}"
            elif network.max_prefixlen != family.bits:
                yield f"{where(name)}: {network} is IPv{network.version}; write a network such as {default}"
            else:
                found[name] = network
        every += found.items()
        if len(found) == 2:
            yield from _rooms(family, found[family.services], found[family.pods], members, variables)
    for i, (name, network) in enumerate(every):
        for other, its in every[i + 1 :]:
            if network.version == its.version and network.overlaps(its):
                yield f"{where(other)}: {its} overlaps {where(name)} {network}; give each its own range"
        for host, of_host in hosts.items():
            if ipaddress.ip_address(of_host["ip"]) in network:
                yield f"nodes.hosts.{host}.address: {of_host['ip']} lies in {where(name)} {network}; move that elsewhere"


def _network(value: object) -> Network | None:
    try:
        return ipaddress.ip_network(str(value))
    except ValueError:
        return None


def _rooms(
    family: Family, services: Network, pods: Network, members: int, variables: Mapping[str, Any]
) -> Iterator[str]:
    """Whether there is room for the services, the nodes and each node's pods."""
    plugin = variables.get("kube_network_plugin", "calico")
    if services.max_prefixlen - services.prefixlen > SERVICE_BITS:
        yield f"{where(family.services)}: {services} is larger than the API server takes; at most a /{services.max_prefixlen - SERVICE_BITS}"
    prefix = variables.get(family.prefix, family.default_prefix)
    if not isinstance(prefix, int) or not pods.prefixlen <= prefix <= pods.max_prefixlen:
        yield f"{where(family.prefix)}: no prefix length inside {pods}; write one such as {family.default_prefix}"
        return
    if prefix - pods.prefixlen > NODE_BITS:
        yield (
            f"{where(family.prefix)}: /{prefix} is more than {NODE_BITS} bits longer than {pods}, which the controller manager refuses; "
            f"write /{pods.prefixlen + NODE_BITS} or shorter"
        )
    if plugin == "calico":
        part, unit = variables.get("calico_pool_blocksize", CALICO_BLOCK) if family is V4 else prefix, "blocks"
    else:
        part, unit = prefix, "nodes"
    if isinstance(part, int) and (room := 2 ** max(part - pods.prefixlen, 0)) < members:
        yield f"{where(family.pods)}: {pods} has room for {room} {unit} of /{part}, and the site has {members} nodes; take a larger network"
    most, addresses = variables.get("kubelet_max_pods", 110), 2 ** (pods.max_prefixlen - prefix) - 2
    if family is V4 and plugin not in {"calico", "none"} and str(most).isdigit() and int(most) > addresses:
        yield (
            f"kubespray.variables.kubelet_max_pods: more pods a node than the {addresses} addresses of a node's /{prefix}; write {addresses} or less, "
            f"or a shorter {family.prefix}"
        )
