"""Kubespray's own checks, done before anything runs (roles/validate_inventory, roles/kubernetes/preinstall/tasks/0040-verify-settings.yml)."""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

CHOICES = {
    "kube_network_plugin": ("calico", "cilium", "cloud", "cni", "custom_cni", "flannel", "kube-ovn", "kube-router", "macvlan", "none"),
    "kube_proxy_mode": ("iptables", "ipvs", "nftables"),
    "etcd_deployment_type": ("docker", "host", "kubeadm"),
    "container_manager": ("containerd", "crio", "docker"),
}  # fmt: skip
DEFAULTS = {"kube_service_addresses": "10.233.0.0/18", "kube_pods_subnet": "10.233.64.0/18"}
SPECIAL_PREFIXES = ("kube_", "kubelet_", "kubeadm_", "enable_", "etcd_", "containerd_", "download_", "calico_")

WHERE = "kubespray.variables"


def mistakes(hosts: Mapping[str, Mapping[str, Any]], variables: Mapping[str, Any]) -> list[str]:
    """Everything in hosts and variables that Kubespray would refuse, or that would break what comes after it; a sentence each."""
    return [*_choices(variables), *_booleans(variables), *_multus(variables), *_networks(hosts, variables)]


def _choices(variables: Mapping[str, Any]) -> Iterator[str]:
    for name, choices in CHOICES.items():
        if name in variables and variables[name] not in choices:
            yield f"{WHERE}.{name}: {variables[name]!r} is not known to Kubespray; it is one of {', '.join(choices)}"
    if variables.get("kube_network_plugin") == "custom_cni" and not (
        variables.get("custom_cni_manifests") or variables.get("custom_cni_chart_release_name")
    ):
        yield f"{WHERE}.custom_cni_manifests: missing; kube_network_plugin custom_cni needs the manifests of a network"


def _booleans(variables: Mapping[str, Any]) -> Iterator[str]:
    for name, value in variables.items():
        if (
            isinstance(value, str)
            and value.lower() in {"true", "false", "yes", "no"}
            and name.startswith(SPECIAL_PREFIXES)
        ):
            right = str(value.lower() in {"true", "yes"}).lower()
            yield f"{WHERE}.{name}: {value!r} is text, Kubespray insists on a boolean; write {right} without quotes"


def _multus(variables: Mapping[str, Any]) -> Iterator[str]:
    if variables.get("kube_network_plugin_multus"):
        yield (
            f"{WHERE}.kube_network_plugin_multus: Kubespray's Multus (thin, another version) and ours would write the same 00-multus.conf; "
            f"leave it out, the site's `multus` is what runs"
        )


def _networks(hosts: Mapping[str, Mapping[str, Any]], variables: Mapping[str, Any]) -> Iterator[str]:
    found = {}
    for name, default in DEFAULTS.items():
        value = variables.get(name, default)
        try:
            found[name] = ipaddress.ip_network(value)
        except ValueError as error:
            yield f"{WHERE}.{name}: {error}; write a network such as {default}"
    if len(found) < len(DEFAULTS):
        return
    services, pods = found.values()
    if services.overlaps(pods):
        yield f"{WHERE}: kube_service_addresses {services} and kube_pods_subnet {pods} overlap; give each its own range"
    for host, its in hosts.items():
        for name, network in found.items():
            if ipaddress.ip_address(its["ip"]) in network:
                yield f"nodes.hosts.{host}.address: {its['ip']} lies in {name} {network}; move {WHERE}.{name} elsewhere"
    prefix = variables.get("kube_network_node_prefix", 24)
    if not isinstance(prefix, int) or not pods.prefixlen <= prefix <= pods.max_prefixlen:
        yield f"{WHERE}.kube_network_node_prefix: {prefix!r} is no prefix length inside {pods}; write one such as 24"
    elif 2 ** (prefix - pods.prefixlen) < len(hosts):
        room = 2 ** (prefix - pods.prefixlen)
        yield (
            f"{WHERE}.kube_pods_subnet: {pods} has room for {room} nodes of /{prefix}, the site has {len(hosts)}; "
            f"take a larger network or a longer kube_network_node_prefix"
        )
