"""What Kubespray would refuse is refused before anything runs, and said with what would be right."""

from typing import Any, get_args

import pytest

from multus_site.kubespray.machine_checks import check_machines
from multus_site.kubespray.variable_checks import check_variables
from multus_site.model.kubespray import Kubespray
from multus_site.model.kubespray_releases import ANSIBLE, CHOICES, RELEASES, NetworkPlugin, numbers
from multus_site.model.load import parse_site
from multus_site.nodes.preflight import machines
from multus_site.nodes.preflight.finding import Node
from multus_site.nodes.preflight.requirements import requirements_of
from tests.nodes.preflight.sites import site as preflight_site

HOSTS = {"a": {"ip": "10.1.1.5"}, "b": {"ip": "10.1.1.6"}, "c": {"ip": "10.1.1.7"}}
GROUPS = {"kube_control_plane": ["a"], "etcd": ["a"], "kube_node": ["a", "b", "c"]}
FLANNEL = {"kube_network_plugin": "flannel"}
V6 = {"ipv6_stack": True}


def found(variables: dict[str, Any], version: str = "v2.31.0") -> list[str]:
    return check_variables(version, HOSTS, GROUPS, variables)


BAD: list[tuple[dict[str, Any], str]] = [
    (
        {"kube_network_plugin": "weave"},
        "kubespray.networkPlugin: unknown to Kubespray; write one of calico",
    ),
    ({"kube_proxy_mode": "userspace"}, "iptables, ipvs, nftables"),
    *(
        ({"kube_apiserver_port": port}, "kube_apiserver_port: not a port; write a whole number from 1 to 65535")
        for port in ("https", 0, 65536, True, [6443], 6443.5)
    ),
    ({"container_manager": "rkt"}, "containerd, crio, docker"),
    ({"dns_mode": "kubedns"}, "coredns, coredns_dual, manual, none"),
    ({"resolvconf_mode": "resolved"}, "docker_dns, host_resolvconf, none"),
    ({"cert_management": "vault"}, "none, script"),
    ({"cloud_provider": "aws"}, "write one of '', external"),
    ({"cloud_provider": "external"}, "external_cloud_provider: required"),
    ({"cloud_provider": "external", "external_cloud_provider": "aws"}, "external_cloud_provider: unknown"),
    ({"minimal_node_memory_mb": "900"}, "minimal_node_memory_mb: not a whole number of MiB; write one such as 1024"),
    ({"minimal_master_memory_mb": True}, "minimal_master_memory_mb: not a whole number of MiB"),
    ({"kube_network_plugin": "custom_cni"}, "custom_cni_manifests: required"),
    ({"etcd_deployment_type": "docker"}, "etcd_deployment_type: docker requires container_manager docker"),
    ({"gvisor_enabled": True, "container_manager": "crio"}, "gvisor_enabled: requires container_manager containerd"),
    ({"kata_containers_enabled": True, "container_manager": "docker"}, "kata_containers_enabled: requires"),
    ({"download_localhost": True}, "requires download_run_once: true"),
    ({"kube_external_ca_mode": True, "auto_renew_certificates": True}, "auto_renew_certificates: cannot renew"),
    ({"kube_network_plugin_multus": True}, "The site's `multus` configures Multus"),
    ({"kube_network_plugin_multus": "{{ true }}"}, "The site's `multus` configures Multus"),
    ({"kubelet_static_pod_path": "/etc/kubernetes/manifests"}, "Kubespray v2.31.0 no longer supports it"),
    ({"enable_nodelocaldns": "False"}, "write false without quotes"),
    ({"kubelet_fail_swap_on": "yes"}, "write true without quotes"),
    ({"helm_enabled": "true"}, "write true without quotes"),
    ({"ansible_user": "root"}, "nodes.ssh.user sets this"),
    ({"ansible_ssh_common_args": "-o StrictHostKeyChecking=no"}, "nodes.ssh sets this"),
    ({"ip": "10.1.1.5"}, "nodes.hosts.<node>.address sets this"),
    ({"kube_owner": "kube"}, "kube_owner: must be root"),
    ({"kubeconfig_localhost": True}, "pulumi stack output kubeconfig"),
    ({"kube_version": "1.36.0"}, "Kubespray v2.31.0 does not install 1.36.0; write a version from 1.33.0 to 1.33.11"),
    ({"kube_version": "1.35.5"}, "does not install 1.35.5"),
    ({"kube_version": "v1.35.4"}, "kubespray.kubernetesVersion: not a version"),
    ({"kube_version": 1.35}, "not a version; write three numbers such as 1.35.4, in quotes"),
    (
        {"kube_pods_subnet": "10.233.0.0/17"},
        "kubespray.podCidr: 10.233.0.0/17 overlaps kubespray.serviceCidr 10.233.0.0/18",
    ),
    ({"kube_pods_subnet": "10.233.64.1/18"}, "or host bits are set"),
    ({"kube_pods_subnet": 5}, "kubespray.podCidr: "),
    ({"kube_pods_subnet": "fd00::/48"}, "fd00::/48 is IPv6"),
    ({"kube_service_addresses": "10.1.0.0/16"}, "nodes.hosts.a.address: 10.1.1.5 is in kubespray.serviceCidr"),
    ({"kube_service_addresses": "10.128.0.0/10"}, "larger than the API server accepts; write a /12 or smaller"),
    ({**FLANNEL, "kube_pods_subnet": "10.9.0.0/23"}, "room for 2 nodes of /24, and the site has 3 nodes"),
    (
        {"kube_pods_subnet": "10.9.0.0/25", "kube_network_node_prefix": 26},
        "room for 2 blocks of /26, and the site has 3",
    ),
    ({"kube_network_node_prefix": 12}, "kube_network_node_prefix: not a prefix length inside"),
    ({"kube_network_node_prefix": "24"}, "kube_network_node_prefix: not a prefix length inside"),
    ({"kube_pods_subnet": "100.0.0.0/8", "kube_network_node_prefix": 26}, "more than 16 bits longer"),
    (
        {**FLANNEL, "kube_network_node_prefix": 26},
        "kubelet_max_pods: more pods per node than the 62 addresses in the /26 of a node",
    ),
    ({**FLANNEL, "kubelet_max_pods": 255}, "write 254 or less"),
    ({**V6, "kube_pods_subnet_ipv6": "10.9.0.0/16"}, "kube_pods_subnet_ipv6: 10.9.0.0/16 is IPv4"),
    ({**V6, "kube_pods_subnet_ipv6": "fd85:ee78:d8a6:8607::/64"}, "overlaps"),
    (
        {"enable_dual_stack_networks": True, "kube_network_node_prefix_ipv6": 64},
        "kube_network_node_prefix_ipv6: not a prefix length inside",
    ),
]


@pytest.mark.parametrize(("variables", "words"), BAD)
def test_bad(variables: dict[str, Any], words: str) -> None:
    assert words in "\n".join(found(variables))


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"kube_network_plugin": "custom_cni", "custom_cni_manifests": ["flannel.yml"]},
        {**FLANNEL, "kube_pods_subnet": "10.9.0.0/22", "enable_nodelocaldns": False, "some_name": "yes"},
        {**FLANNEL, "kube_pods_subnet": "10.9.0.0/23", "kube_network_node_prefix": 25},
        # Calico gives blocks, and so has no use for the nodes' part nor its limit of pods.
        {"kube_pods_subnet": "10.9.0.0/24", "kube_network_node_prefix": 26},
        {"kube_version": "1.33.0", "kube_owner": "root", "kube_network_plugin_multus": False},
        {**V6, "kube_proxy_mode": "nftables"},
        # Of another stack nothing is asked.
        {"ipv4_stack": False, "ipv6_stack": True, "kube_pods_subnet": "nonsense"},
        {"cloud_provider": "external", "external_cloud_provider": "vsphere"},
    ],
)
def test_good(variables: dict[str, Any]) -> None:
    assert found(variables) == []


@pytest.mark.parametrize(
    "name", [*CHOICES, "kube_owner", "kube_version", "kube_pods_subnet", "kube_service_addresses",
             "kube_network_node_prefix", "calico_pool_blocksize"]
)  # fmt: skip
def test_what_a_variable_holds_is_not_shown(name: str) -> None:
    others = {"cloud_provider": "external", "etcd_deployment_type": "docker", "gvisor_enabled": True}
    assert "canary" not in "\n".join(found({**others, name: "canary"}))


def test_what_a_release_knows_is_its_own() -> None:
    assert found({"kube_version": "1.32.11"}, "v2.30.0") == []
    assert "does not install 1.35.4" in "\n".join(found({"kube_version": "1.35.4"}, "v2.30.0"))
    assert found({"kubelet_static_pod_path": "/etc"}, "v2.30.0") == []
    # Nothing is known of a release that the site pins itself.
    assert found({"kube_version": "1.36.0"}, "v2.32.0") == []


def test_only_nodes_of_the_cluster_need_room_for_pods() -> None:
    hosts = {**HOSTS, "d": {"ip": "10.1.1.8"}, "e": {"ip": "10.1.1.9"}}
    groups = {**GROUPS, "etcd": ["a", "d", "e"]}
    assert check_variables("v2.31.0", hosts, groups, {**FLANNEL, "kube_pods_subnet": "10.9.0.0/22"}) == []


def test_all_at_once() -> None:
    several = {
        "kube_proxy_mode": "x",
        "container_manager": "y",
        "kube_network_plugin_multus": True,
        "kube_version": "2",
    }
    assert len(found(several)) == 4


MACHINES: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("a", {"memory": 1400}, {}, "1400 MiB of memory; Kubespray requires 1500 MiB"),
    (
        "b",
        {"memory": 1000},
        {},
        "requires 1024 MiB. Fix: add memory, or lower kubespray.variables.minimal_node_memory_mb",
    ),
    ("b", {"memory": 1400}, {}, ""),
    ("b", {"memory": 1000}, {"minimal_node_memory_mb": 900}, ""),
    ("a", {"memory": 1400}, {"minimal_master_memory_mb": 2048}, "requires 2048 MiB"),
    # It is both, and Kubespray checks it as both.
    ("a", {"memory": 1800}, {"minimal_node_memory_mb": 2048}, "requires 2048 MiB"),
    # A host that is etcd's alone is checked as neither.
    ("e", {"memory": 900}, {}, ""),
    ("b", {"memory": 900, "kernel": "4.1"}, {"ignore_assert_errors": True, "kube_proxy_mode": "nftables"}, ""),
    ("b", {"kernel": "4.9.0"}, {"cilium_deploy_additionally": True}, "needs 4.9.17 or later"),
    ("b", {"kernel": "5.12.0+rpt-rpi"}, {"kube_proxy_mode": "nftables"}, "needs 5.13 or later"),
    ("b", {"kernel": "5.10.0-28-amd64"}, {"kube_proxy_mode": "nftables"}, "needs 5.13 or later"),
    ("b", {"kernel": "6.1.0-28-amd64"}, {"kube_proxy_mode": "nftables"}, ""),
    ("b", {"kernel": "4.9.0"}, {"kube_network_plugin": "cilium"}, "needs 4.9.17 or later"),
    ("b", {"kernel": "4.9.0"}, {}, ""),
    ("b", {}, {"kube_network_plugin": "cilium"}, ""),
]


@pytest.mark.parametrize(("node", "facts", "variables", "words"), MACHINES)
def test_machines(node: str, facts: dict[str, Any], variables: dict[str, Any], words: str) -> None:
    lines = check_machines("v2.31.0", {node: facts}, {**GROUPS, "etcd": ["a", "e"]}, variables)
    assert bool(lines) == bool(words)
    assert words in "\n".join(lines)


@pytest.mark.parametrize(("node", "facts", "variables", "words"), MACHINES)
def test_preflight_agrees(node: str, facts: dict[str, Any], variables: dict[str, Any], words: str) -> None:
    """The same machine, found by preflight before there is a cluster and by a preview of the cluster."""
    del words
    roles = {"a": ["control-plane", "etcd", "worker"], "b": ["worker"], "c": ["etcd", "worker"], "e": ["etcd"]}
    data = preflight_site(kubespray={"variables": variables} if variables else {})
    first = next(iter(data["nodes"]["hosts"].values()))
    data["nodes"]["hosts"] = {
        name: {**first, "address": f"10.1.1.{i}", "roles": its} for i, (name, its) in enumerate(roles.items(), start=5)
    }
    parsed = parse_site(data, source="x")
    required = requirements_of(parsed, parsed.kubespray.all_variables())[node]
    machine = Node(node, required, {"memory": 8192, "kernel": "", **facts})
    found = [problem for check in (machines.memory, machines.kernel) for problem in check(machine)]
    lines = check_machines("v2.31.0", {node: facts}, {**GROUPS, "etcd": ["a", "e"]}, variables)
    assert [f"nodes.hosts.{p.node}: {p.found}. Fix: {p.fix}" for p in found] == lines


@pytest.mark.parametrize("version", RELEASES)
def test_a_row_of_the_table_says_all_that_is_asked_of_it(version: str) -> None:
    release = RELEASES[version]
    assert found({"kube_version": release.default}, version) == []
    assert release.ansible_core in ANSIBLE
    assert set(get_args(NetworkPlugin)) == set(release.choices["kube_network_plugin"])
    assert Kubespray().version == max(RELEASES, key=numbers)
