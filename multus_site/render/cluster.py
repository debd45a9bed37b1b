"""Addresses of the cluster's pods, services and nodes."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from multus_site.model.site import Site

PODS, SERVICES = "10.233.64.0/18", "10.233.0.0/18"
PODS_V6, SERVICES_V6 = "fd85:ee78:d8a6:8607::1:0000/112", "fd85:ee78:d8a6:8607::1000/116"
"""Defaults of Kubespray's kube_pods_subnet, kube_service_addresses and their IPv6 counterparts."""


def pod_cidrs(site: Site) -> list[str]:
    """Addresses of the cluster's pods."""
    return pods_of(site.kubespray.all_variables())


def service_cidrs(site: Site) -> list[str]:
    """Addresses of the cluster's services."""
    return services_of(site.kubespray.all_variables())


def pods_of(variables: Mapping[str, Any]) -> list[str]:
    """Addresses of pods, by Kubespray's variables."""
    return _cidrs(variables, ("kube_pods_subnet", PODS), ("kube_pods_subnet_ipv6", PODS_V6))


def services_of(variables: Mapping[str, Any]) -> list[str]:
    """Addresses of services, by Kubespray's variables."""
    return _cidrs(variables, ("kube_service_addresses", SERVICES), ("kube_service_addresses_ipv6", SERVICES_V6))


def cluster_networks(site: Site) -> list[str]:
    """Networks that a pod must reach through eth0, whatever its default route: pods, services, nodes."""
    nodes = [ipaddress.ip_network(host.address) for host in site.nodes.hosts.values()]
    v4 = ipaddress.collapse_addresses(n for n in nodes if isinstance(n, ipaddress.IPv4Network))
    v6 = ipaddress.collapse_addresses(n for n in nodes if isinstance(n, ipaddress.IPv6Network))
    return [*pod_cidrs(site), *service_cidrs(site), *map(str, v4), *map(str, v6)]


def _cidrs(variables: Mapping[str, Any], first: tuple[str, str], second: tuple[str, str]) -> list[str]:
    both = variables.get("ipv6_stack") or variables.get("enable_dual_stack_networks")
    chosen = (first, second) if both else (first,)
    texts = [text.strip() for key, usual in chosen for text in str(variables.get(key, usual)).split(",")]
    return [network for text in texts if (network := _network(text))]


def _network(text: str) -> str | None:
    """The network in a Kubespray variable; None for anything else, which Kubespray refuses."""
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return None
