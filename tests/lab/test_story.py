"""The story: three real nodes, a pod with net1 and net2, both gateways answer; and what broke it in the article."""

import ipaddress
import json
import re

import pytest
import yaml

from tests.lab.running import eventually

pytestmark = pytest.mark.lab

NODES = ("node1", "node2", "node3")
SEGMENTS = {"net1": ("10.1.10", "macvlan-internal"), "net2": ("10.1.20", "macvlan-external")}


@pytest.mark.parametrize("node", NODES)
def test_a_node_is_a_node(lab, node):
    """Real sshd, containerd and kubelet run as systemd's services, and Multus' configuration comes first."""
    active = lab.node(node, "systemctl", "is-active", "ssh", "containerd", "kubelet").stdout.split()
    assert active == ["active"] * 3
    assert sorted(lab.node(node, "ls", "/etc/cni/net.d").stdout.split())[0] == "00-multus.conf"
    assert lab.node(node, "stat", "-c", "%U:%G %a", "/opt/cni/bin/macvlan").stdout.strip() == "root:root 755"


def test_the_cluster_has_exactly_these_nodes(lab):
    nodes = lab.get("nodes")["items"]
    ready = {
        n["metadata"]["name"]: [a["address"] for a in n["status"]["addresses"] if a["type"] == "InternalIP"]
        for n in nodes
        if any(c["type"] == "Ready" and c["status"] == "True" for c in n["status"]["conditions"])
    }
    assert ready == {"node1": ["10.1.1.5"], "node2": ["10.1.1.6"], "node3": ["10.1.1.7"]}


@pytest.mark.parametrize("interface", ["net1", "net2"])
def test_the_pod_is_on_both_networks(lab, interface):
    (pod,) = lab.pods()
    net, network = SEGMENTS[interface]
    name = pod["metadata"]["name"]
    shown = lab.kubectl("exec", name, "--", "ip", "addr", "show", "dev", interface)
    address = re.search(r"inet ([0-9.]+)/24 ", shown)
    assert address, shown
    assert ipaddress.ip_address(f"{net}.200") <= ipaddress.ip_address(address[1]) <= ipaddress.ip_address(f"{net}.250")
    assert "0% packet loss" in lab.kubectl("exec", name, "--", "ping", "-c", "2", "-I", interface, f"{net}.1")
    status = json.loads(pod["metadata"]["annotations"]["k8s.v1.cni.cncf.io/network-status"])
    assert {"name": f"default/{network}", "interface": interface, "ips": [address[1]]}.items() <= next(
        s for s in status if s["interface"] == interface
    ).items()


def test_the_proof_is_an_output(lab):
    proof = json.loads(lab.pulumi("stack", "output", "verification", "--json").stdout)
    assert proof["passed"] is True
    by_interface = {(c["interface"], c["check"]) for c in proof["checks"]}
    for interface in SEGMENTS:
        assert {
            (interface, c)
            for c in ("network-status", "interface", "address", "gateway-ping", "unique-address", "path-mtu")
        } <= by_interface
    assert ("eth0", "cluster-dns") in by_interface


def test_up_again_has_nothing_to_do(lab):
    assert "unchanged" in lab.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes").stdout
    lab.pulumi("preview", "--expect-no-changes")


def test_the_preview_of_an_empty_stack_lists_the_whole_graph(lab, tmp_path):
    backend = {"PULUMI_BACKEND_URL": f"file://{tmp_path}"}
    lab.pulumi("stack", "init", "lab", **backend)
    steps = json.loads(lab.pulumi("preview", "--json", **backend).stdout)["steps"]
    assert {s["op"] for s in steps} == {"create"}
    # A provider that an earlier release needed to read the stack's last outputs is no resource of the site.
    there = {r["urn"] for r in lab.resources() if "::pulumi:providers:pulumi::" not in r["urn"]}
    assert {s["urn"] for s in steps} == there
    machines = [s["urn"] for s in steps if s["urn"].endswith("-machine")]
    assert len(machines) == 3


def test_no_secret_lies_in_the_state_in_clear(lab):
    text = next((lab.place.state / ".pulumi" / "stacks" / "multus-site").glob("lab.json")).read_text()
    key = (lab.place.folder / "ssh" / "id_ed25519").read_text().splitlines()[1]
    seed = (lab.place.folder / "ssh" / "host-key-seed").read_text().strip()
    config = yaml.safe_load((lab.place.folder / "kubeconfig").read_text())
    admin = config["users"][0]["user"]["client-key-data"]
    for secret in (key, seed, admin, "PRIVATE KEY"):
        assert secret not in text


def test_the_shell_points_at_the_lab(lab):
    done = lab.make("shell", env={**lab.environment, "SHELL": "/usr/bin/env"})
    assert done.returncode == 0
    assert f"KUBECONFIG={lab.place.folder / 'kubeconfig'}" in done.stdout.splitlines()


def test_the_article_s_failure_and_its_cure(lab):
    """No macvlan on the node: the pod hangs with the article's words, until CniPlugins looks after that node again."""
    lab.node("node2", "rm", "/opt/cni/bin/macvlan")
    old = {p["metadata"]["name"] for p in lab.pods()}
    lab.kubectl("delete", "pod", "-l", "app.kubernetes.io/name=samplepod", "--wait=true")

    def failed_sandbox():
        events = lab.get("events", "--field-selector", "reason=FailedCreatePodSandBox")["items"]
        return [
            e["message"]
            for e in events
            if e["involvedObject"]["name"].startswith("samplepod") and e["involvedObject"]["name"] not in old
        ]

    message = eventually(failed_sandbox)[0]
    assert 'failed to find plugin "macvlan" in path [/opt/cni/bin]' in message

    lab.pulumi("up", "--yes", "--skip-preview", "--target", lab.urn("lab-cni-plugins-install"))
    lab.kubectl("wait", "--for=condition=Ready", "pod", "-l", "app.kubernetes.io/name=samplepod", "--timeout=180s")
    (pod,) = lab.pods()
    status = json.loads(pod["metadata"]["annotations"]["k8s.v1.cni.cncf.io/network-status"])
    assert {s["interface"] for s in status} >= {"net1", "net2"}
    # The whole graph catches up with what the targeted run saw: a binary was put back, so the node is looked at and proven anew.
    lab.pulumi("up", "--yes", "--skip-preview")
    lab.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
