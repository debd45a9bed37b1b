"""What Kubespray would refuse is refused before anything runs, and said with what would be right."""

from typing import Any

import pytest

from kubespray.checks import mistakes

HOSTS = {"a": {"ip": "10.1.1.5"}, "b": {"ip": "10.1.1.6"}, "c": {"ip": "10.1.1.7"}}

BAD: list[tuple[dict[str, Any], str]] = [
    ({"kube_network_plugin": "weave"}, "'weave' is not known to Kubespray; it is one of calico"),
    ({"kube_proxy_mode": "userspace"}, "iptables, ipvs, nftables"),
    ({"container_manager": "rkt"}, "containerd, crio, docker"),
    ({"kube_network_plugin": "custom_cni"}, "custom_cni_manifests: missing"),
    ({"kube_network_plugin_multus": True}, "the site's `multus` is what runs"),
    ({"enable_nodelocaldns": "False"}, "write false without quotes"),
    ({"kubelet_fail_swap_on": "yes"}, "write true without quotes"),
    ({"kube_pods_subnet": "10.233.0.0/17"}, "overlap"),
    ({"kube_pods_subnet": "10.233.64.1/18"}, "has host bits set"),
    ({"kube_service_addresses": "10.1.0.0/16"}, "nodes.hosts.a.address: 10.1.1.5 lies in kube_service_addresses"),
    ({"kube_pods_subnet": "10.9.0.0/23"}, "room for 2 nodes of /24, the site has 3"),
    ({"kube_network_node_prefix": 12}, "12 is no prefix length inside"),
    ({"kube_network_node_prefix": "24"}, "'24' is no prefix length inside"),
]


@pytest.mark.parametrize(("variables", "words"), BAD)
def test_bad(variables: dict[str, Any], words: str) -> None:
    assert words in "\n".join(mistakes(HOSTS, variables))


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"kube_network_plugin": "custom_cni", "custom_cni_manifests": ["flannel.yml"]},
        {"kube_pods_subnet": "10.9.0.0/22", "enable_nodelocaldns": False, "some_name": "yes"},
        {"kube_pods_subnet": "10.9.0.0/23", "kube_network_node_prefix": 25},
    ],
)
def test_good(variables: dict[str, Any]) -> None:
    assert mistakes(HOSTS, variables) == []


def test_all_at_once() -> None:
    assert (
        len(mistakes(HOSTS, {"kube_proxy_mode": "x", "container_manager": "y", "kube_network_plugin_multus": True}))
        == 3
    )
