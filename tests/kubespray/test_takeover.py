"""A running cluster is taken over as it is, or each difference from the site is named."""

import json
import subprocess
from dataclasses import replace

import pytest

from multus_site.kubespray.document import KubesprayError
from multus_site.kubespray.found import NotFoundError, cluster_of, documents
from multus_site.kubespray.takeover import differences, taken_over
from tests.kubespray.documents import document

AUTHORITY = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
ADDRESS = {name: f"10.1.1.{10 + i}" for i, name in enumerate("abcd")}


def node(name, *, control=False, worker=True, version="v1.35.4", ready="True", runtime="containerd://2.2.3", made="1"):
    label = {"node-role.kubernetes.io/control-plane": ""} if control else {}
    taints = [] if worker else [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]
    return {
        "kind": "Node",
        "metadata": {"name": name, "labels": label, "creationTimestamp": f"2026-01-0{made}T00:00:00Z"},
        "spec": {"taints": taints},
        "status": {
            "addresses": [{"type": "Hostname", "address": name}, {"type": "InternalIP", "address": ADDRESS[name]}],
            "nodeInfo": {"kubeletVersion": version, "containerRuntimeVersion": runtime, "architecture": "amd64"},
            "conditions": [{"type": "MemoryPressure", "status": "False"}, {"type": "Ready", "status": ready}],
        },
    }


def config_map(name, **data):
    return {"kind": "ConfigMap", "metadata": {"name": name}, "data": data}


CONFIGURATION = """\
clusterName: test
controlPlaneEndpoint: 10.1.1.10:6443
etcd: {external: {endpoints: ["https://10.1.1.10:2379"]}}
networking: {dnsDomain: cluster.local, podSubnet: 10.233.64.0/18, serviceSubnet: 10.233.0.0/18}
"""


def api_server(node_name, version="v1.35.4", etcd="https://10.1.1.10:2379"):
    container = {"image": f"registry.k8s.io/kube-apiserver:{version}", "command": [f"--etcd-servers={etcd}"]}
    return {
        "kind": "Pod",
        "metadata": {"name": f"kube-apiserver-{node_name}", "labels": {"component": "kube-apiserver"}},
        "spec": {"nodeName": node_name, "containers": [container]},
    }


def objects(*nodes, configuration=CONFIGURATION, proxy="mode: iptables", daemons=("calico-node",), pods=None):
    return [
        *(nodes or (node("a", control=True), node("b", made="2"))),
        config_map("kubeadm-config", ClusterConfiguration=configuration),
        config_map("kube-root-ca.crt", **{"ca.crt": AUTHORITY}),
        *([config_map("kube-proxy", **{"config.conf": proxy})] if proxy is not None else []),
        *({"kind": "DaemonSet", "metadata": {"name": name}} for name in daemons),
        *([api_server("a")] if pods is None else pods),
    ]


def site(*roles, **variables):
    ca = cluster_of(objects()).ca
    variables = {"kube_version": "1.35.4", "kube_proxy_mode": "iptables", **variables}
    return replace(document(*(roles or ("a:cew", "b:w")), **variables), adopted=ca)


def said(found, wanted):
    return list(differences(cluster_of(found), wanted))


def test_a_cluster_that_is_what_the_site_says_has_no_difference():
    assert said(objects(), site()) == []


THREE = (node("a", control=True, worker=False), node("b", control=True, worker=False, made="2"), node("c", made="3"))


@pytest.mark.parametrize(
    ("found", "wanted", "line"),
    [
        (objects(), replace(site(), adopted="0" * 64), "kubespray.adopted.ca: 0000"),
        (objects(node("a", control=True), node("b"), node("c")), site(), "nodes.hosts: c (10.1.1.12) is a node of the cluster, and not in the site"),
        (objects(), site("a:cew", "b:w", "c:w"), "nodes.hosts.c: it is not a node of the cluster"),
        (objects(node("a", control=True, worker=False), node("b")), site(), "nodes.hosts.a.roles: [control-plane, etcd, worker] in the site, [control-plane, etcd] in the cluster"),
        (objects(node("a", control=True), node("b", ready="Unknown")), site(), "b is NotReady in the cluster"),
        (objects(node("a", control=True), node("b", version="v1.34.2")), site(), "between two versions of Kubernetes: 1.34.2 on b; 1.35.4 on a"),
        (objects(pods=[api_server("a", "v1.35.5")]), site(), "between two versions of Kubernetes: 1.35.4 on a, b; 1.35.5 on the API server of a"),
        (objects(node("a", control=True, version="v1.34.2"), node("b", version="v1.34.2"), pods=[]), site(), "kubespray.kubernetesVersion: 1.35.4 in the site, 1.34.2 in the cluster"),
        (objects(node("a", control=True), node("b", runtime="cri-o://1.35.0")), site(), "container_manager: containerd in the site, crio on b"),
        (objects(configuration=CONFIGURATION.replace("10.233.64.0/18", "10.244.0.0/16")), site(), "kubespray.podCidr: 10.233.64.0/18 in the site, 10.244.0.0/16 in the cluster"),
        (objects(configuration=CONFIGURATION.replace("10.233.0.0/18", "10.96.0.0/12")), site(), "kubespray.serviceCidr: 10.233.0.0/18 in the site, 10.96.0.0/12 in the cluster"),
        (objects(configuration=CONFIGURATION.replace("cluster.local", "dallas.lan")), site(), "dns_domain: cluster.local in the site, dallas.lan in the cluster"),
        (objects(daemons=["cilium"]), site(), "kubespray.networkPlugin: calico in the site, cilium in the cluster"),
        (objects(proxy="mode: ipvs"), site(), "kube_proxy_mode: iptables in the site, ipvs in the cluster"),
        (objects(*THREE, pods=[api_server("a", etcd="https://10.1.1.10:2379,https://10.1.1.13:2379")]), site("a:ce", "b:c", "c:w"), "nodes.hosts: 10.1.1.13 is a member of the cluster's etcd, and not in the site"),
    ],
)  # fmt: skip
def test_each_difference_is_named(found, wanted, line):
    lines = said(found, wanted)
    assert [one for one in lines if line in one], lines
    assert len(lines) == 1


def test_a_host_with_another_name_than_its_node_is_named_once():
    renamed = site("a:cew", "d:w")
    renamed = replace(renamed, hosts={**renamed.hosts, "d": {**renamed.hosts["d"], "ip": ADDRESS["b"]}})
    assert said(objects(), renamed) == ["nodes.hosts.d: the cluster calls this host (10.1.1.11) b. Rename it to b"]


def test_the_first_control_plane_node_is_the_endpoint_not_the_first_of_the_alphabet():
    second = objects(*THREE, configuration=CONFIGURATION.replace("10.1.1.10", "10.1.1.11"), pods=[])
    found = cluster_of(second)
    assert found.control_planes == ("b", "a")
    assert found.etcd == ("10.1.1.11",)


@pytest.mark.parametrize(
    ("objects_", "reason"),
    [
        ([], "no nodes"),
        ([node("a", control=True)], "no ConfigMap kubeadm-config"),
        (objects(configuration="]"), "kubeadm-config"),
    ],
)
def test_what_kubespray_did_not_make_is_refused(objects_, reason):
    with pytest.raises(NotFoundError, match=reason):
        cluster_of(objects_)


def test_documents_one_after_the_other():
    text = (
        '{"kind": "List", "items": [{"kind": "Node"}]}\n{"kind": "ConfigMapList", "items": []}\n  {"kind": "Pod"}\n\n'
    )
    assert list(documents(text)) == [{"kind": "Node"}, {"kind": "Pod"}]
    with pytest.raises(ValueError, match="Expecting value"):
        list(documents('{"kind": "Node"} Error from server'))


class Shell:
    """Hosts that answer kubectl and cat."""

    def __init__(self, answers, names=None):
        self.answers, self.names, self.commands = answers, names or {}, []

    def run(self, host, command, stdin="", seconds=60):  # noqa: ARG002
        self.commands.append(command)
        if command.startswith("cat "):
            return subprocess.CompletedProcess([], 0, f"ETCD_NAME={self.names.get(host['ip'], '')}\n", "")
        status, text = self.answers[host["ip"]]
        return subprocess.CompletedProcess([], status, text if not status else "", text if status else "")


def test_it_is_recorded_with_its_own_order_and_names_of_members():
    found = objects(*THREE, configuration=CONFIGURATION.replace("10.1.1.10", "10.1.1.11"), pods=[])
    answers = {ADDRESS["a"]: (1, "connection refused"), ADDRESS["b"]: (0, json.dumps({"kind": "List", "items": found}))}
    shell = Shell(answers, {ADDRESS["b"]: "etcd7"})
    applied = taken_over(site("a:c", "b:ce", "c:w"), shell)
    assert applied.groups["kube_control_plane"] == ("b", "a")
    assert applied.groups["etcd"] == ("b",)
    assert applied.hosts["b"]["etcd_member_name"] == "etcd7"
    assert "etcd_member_name" not in applied.hosts["a"]
    # It only reads.
    assert all(command.startswith(("cat ", "set -e\nexport KUBECONFIG=")) for command in shell.commands)
    assert not [c for c in shell.commands if any(verb in c for verb in ("apply", "delete", "patch", "create"))]


def test_every_difference_stops_it():
    other = objects(
        node("a", control=True),
        node("b", ready="False"),
        configuration=CONFIGURATION.replace("10.233.64.0/18", "10.244.0.0/16"),
    )
    shell = Shell({ADDRESS["a"]: (0, json.dumps({"kind": "List", "items": other}))})
    with pytest.raises(KubesprayError) as refused:
        taken_over(site(), shell)
    assert "nothing was changed" in str(refused.value)
    assert "b is NotReady" in str(refused.value)
    assert "kubespray.podCidr" in str(refused.value)


def test_hosts_without_a_cluster_are_named():
    shell = Shell({ADDRESS["a"]: (3, "it has no /etc/kubernetes/admin.conf: no control plane runs on it")})
    with pytest.raises(KubesprayError, match=r"a: it has no /etc/kubernetes/admin\.conf"):
        taken_over(site(), shell)
