"""A cluster that Kubespray made, with its inventory, becomes a whole site."""

import json
from dataclasses import replace

import pytest
import yaml

from multus_site.cli.adopted_cluster import adopt_cluster, adopt_variables, in_order, release_for
from multus_site.cli.adoption import Adopted
from multus_site.cli.inventory import InventoryError, Vaulted, read
from multus_site.kubespray.found import cluster_of
from multus_site.kubespray.takeover import differences
from multus_site.model.kubespray_releases import RELEASES
from multus_site.model.site import Site
from tests.kubespray.documents import document
from tests.kubespray.test_takeover import CONFIGURATION, THREE, api_server, node, objects

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2RUtsbNIE4OQ9ZgG2MzvhW1GqZ3PTfyn0A8Nn3n4pq"


def site_of(adopted):
    """The site as it is written, with host keys."""
    site = yaml.safe_load(adopted.stack_file())["config"]["multus-site:site"]
    for host in site["nodes"]["hosts"].values():
        host["hostKey"] = KEY
    return Site.model_validate(site)


def adopted_from(found):
    adopted = Adopted("test")
    adopted.add([one for one in found if one["kind"] == "Node"])
    cluster = adopt_cluster(adopted, found)
    if cluster:
        in_order(adopted, cluster)
    return adopted


def test_the_site_has_what_the_cluster_has():
    adopted = adopted_from(objects(proxy="mode: iptables"))
    site = yaml.safe_load(adopted.stack_file())["config"]["multus-site:site"]
    assert site["kubespray"] == {
        "version": "v2.31.0",
        "kubernetesVersion": "1.35.4",
        "networkPlugin": "calico",
        "podCidr": "10.233.64.0/18",
        "serviceCidr": "10.233.0.0/18",
        "adopted": {"ca": adopted.kubespray["adopted"]["ca"]},
        "variables": {"cluster_name": "test", "kube_proxy_mode": "iptables"},
    }
    assert site_of(adopted).kubespray.adopted
    assert adopted.findings == []


def test_the_written_site_does_not_differ_from_the_cluster():
    found = objects(proxy="mode: iptables")
    adopted = adopted_from(found)
    wanted = document("a:cew", "b:w", **site_of(adopted).kubespray.all_variables())
    assert list(differences(cluster_of(found), replace(wanted, adopted=adopted.kubespray["adopted"]["ca"]))) == []


def test_the_order_is_the_clusters():
    other = objects(
        *THREE,
        configuration=CONFIGURATION.replace("10.1.1.10:6443", "10.1.1.11:6443").replace(
            "10.1.1.10:2379", "10.1.1.12:2379"
        ),
        pods=[api_server("b", etcd="https://10.1.1.12:2379")],
    )
    adopted = adopted_from(other)
    assert list(adopted.hosts) == ["b", "a", "c"]
    assert adopted.hosts["b"]["roles"] == ["control-plane"]
    assert adopted.hosts["c"]["roles"] == ["etcd", "worker"]


@pytest.mark.parametrize(
    ("found", "finding"),
    [
        (objects(node("a", control=True), node("b", version="v1.34.2")), "between two versions of Kubernetes: 1.34.2 on b; 1.35.4 on a"),
        (objects(node("a", control=True), node("b", ready="Unknown")), "b is NotReady"),
        (objects(node("a", control=True, version="v1.29.1"), node("b", version="v1.29.1"), pods=[]), "no known release of Kubespray installs Kubernetes 1.29.1"),
        (objects(daemons=["kindnet"]), "no daemon of a network plugin"),
        (objects(pods=[api_server("a", etcd="https://10.1.1.99:2379")]), "10.1.1.99 is a member of etcd, and no node"),
        ([node("a", control=True)], "no ConfigMap kubeadm-config"),
    ],
)  # fmt: skip
def test_what_a_person_should_check(found, finding):
    assert [one for one in adopted_from(found).findings if finding in one]


@pytest.mark.parametrize(
    ("version", "release"),
    [("1.35.4", "v2.31.0"), ("1.35.1", "v2.31.0"), ("1.34.3", "v2.30.0"), ("1.33.7", "v2.29.1"), ("1.33.2", "v2.31.0"), ("1.31.2", "v2.29.1"), ("1.20.1", None)],
)  # fmt: skip
def test_the_release_that_fits(version, release):
    assert release_for(version) == release
    assert release is None or RELEASES[release].knows(version)


INI = """\
# mycluster
[kube_control_plane]
node1 ansible_host=10.1.1.5 ip=10.1.1.5 etcd_member_name=etcd1   # the first

[etcd:children]
kube_control_plane

[kube_node]
node2 ansible_host=10.1.1.6 ansible_ssh_common_args='-o ProxyJump=ops@gate'

[all:vars]
kube_proxy_mode=iptables
retries = 3
"""
YAML = """\
all:
  hosts:
    node1: {ansible_host: 10.1.1.5}
    node2:
  vars: {kube_proxy_mode: iptables, retries: 3}
  children:
    kube_control_plane: {hosts: {node1: {}}}
"""


@pytest.mark.parametrize(("name", "text"), [("inventory.ini", INI), ("hosts.yaml", YAML), ("hosts", INI)])
def test_an_inventory_in_ini_and_in_yaml(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    group_vars = tmp_path / "group_vars"
    (group_vars / "all").mkdir(parents=True)
    (group_vars / "all" / "all.yml").write_text(
        "---\nupstream_dns_servers: [10.0.0.53]\nno_proxy_exclude_workers: false\n"
    )
    (group_vars / "k8s_cluster").mkdir()
    (group_vars / "k8s_cluster" / "k8s-cluster.yml").write_text('retries: 4\nmanifest: "{{ bin_dir }}/x"\n')
    (group_vars / "etcd.yml").write_text("# nothing\n")
    for path in (tmp_path, tmp_path / name):
        inventory = read(path)
        assert set(inventory.hosts) == {"node1", "node2"}
        assert inventory.hosts["node1"]["ansible_host"] == "10.1.1.5"
        assert inventory.variables == {
            "kube_proxy_mode": "iptables",
            "retries": 4,
            "upstream_dns_servers": ["10.0.0.53"],
            "no_proxy_exclude_workers": False,
            "manifest": "{{ bin_dir }}/x",
        }


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "it has none of hosts.yaml"),
        ({"hosts.yaml": "all: [\n"}, "hosts.yaml:2: not YAML"),
        ({"hosts.yaml": "all: {hosts: {}}"}, "it names no host"),
        ({"inventory.ini": "[all\nnode1"}, "inventory.ini:1: a section without ]"),
        ({"inventory.ini": "node1 ansible_host"}, "inventory.ini:1: expected key=value after the host, found ansible_host"),
        ({"inventory.ini": "node1 a='x"}, "inventory.ini:1: No closing quotation"),
        ({"inventory.ini": "[all:vars]\nkube"}, "inventory.ini:2: expected key=value in [all:vars]"),
        ({"inventory.ini": "node1", "group_vars/all.yml": "- a"}, "not a mapping of variables"),
        ({"inventory.ini": "node1", "group_vars/all.yml": "$ANSIBLE_VAULT;1.1;AES256\n31"}, "ansible-vault encrypted it"),
        ({"inventory.ini": b"\xff\xfe"}, "not UTF-8"),
    ],
)  # fmt: skip
def test_an_inventory_that_cannot_be_read(tmp_path, files, message):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InventoryError) as refused:
        read(tmp_path)
    assert message in str(refused.value)


def test_variables_that_differ_from_the_defaults_are_taken_and_secrets_never():
    adopted = adopted_from(objects())
    given = {
        "kube_version": "v1.35.4",
        "kube_network_plugin": "cilium",
        "kube_proxy_mode": "ipvs",
        "container_manager": "containerd",
        "kube_network_plugin_multus": True,
        "upstream_dns_servers": ["10.0.0.53"],
        "download_force_cache": False,
        "kube_encrypt_secret_data": True,
        "registry_password": "hunter2hunter2",
        "vaulted": Vaulted("3134"),
        "containerd_registry_auth": [{"registry": "10.0.0.1", "username": "u", "password": "correct horse"}],
        "etcd_events_cluster_token": "",
    }
    adopt_variables(adopted, given, {"download_force_cache": False})
    assert adopted.kubespray["variables"] == {
        "cluster_name": "test",
        "kube_proxy_mode": "iptables",
        "upstream_dns_servers": ["10.0.0.53"],
        "kube_encrypt_secret_data": True,
        "etcd_events_cluster_token": "",
    }
    text = adopted.stack_file()
    for secret in ("hunter2", "3134", "correct horse"):
        assert secret not in text + json.dumps(adopted.findings)
    for name in ("registry_password", "vaulted", "containerd_registry_auth"):
        assert f"pulumi config set --stack test --secret --path multus-site:kubesprayVariables.{name}" in text
    assert [one for one in adopted.findings if "kube_network_plugin is cilium, and the cluster has calico" in one]
    assert [one for one in adopted.findings if "kube_proxy_mode is ipvs, and the cluster has iptables" in one]
    assert [one for one in adopted.left_out if "kube_network_plugin_multus" in one]
