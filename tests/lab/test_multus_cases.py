"""Multus' own end-to-end cases (multus-cni e2e/), with assertions where upstream's only print, and packets where it sends none.

Not here: connection-limit (ten pods at once are in test_networks.py), default-route (likewise), the two of subdirectory-chaining
(auxiliaryCNIChainName, for which a site has no key), node-density and DRA (more machine than there is).
"""

import json
import re

import pytest
import yaml

from tests.lab.networks import STATUS
from tests.lab.running import eventually

pytestmark = [pytest.mark.lab, pytest.mark.networks]

MACVLAN = {
    "type": "macvlan",
    "master": "ens6",
    "mode": "bridge",
    "capabilities": {"ips": True},
    "ipam": {"type": "static"},
}
BRIDGE = {"type": "bridge", "bridge": "testnet0", "ipam": {"type": "host-local", "subnet": "10.9.5.0/24"}}


def nad(name, *plugins):
    config = {"cniVersion": "1.0.0", "name": name, "plugins": list(plugins)}
    kind = {"apiVersion": "k8s.cni.cncf.io/v1", "kind": "NetworkAttachmentDefinition"}
    return {**kind, "metadata": {"name": name, "namespace": "default"}, "spec": {"config": json.dumps(config)}}


def pod(name, networks=None, node=None):
    metadata = {"name": name, "namespace": "default"}
    if networks:
        text = networks if isinstance(networks, str) else json.dumps(networks)
        metadata["annotations"] = {"k8s.v1.cni.cncf.io/networks": text}
    container = {"name": "c", "image": "docker.io/library/busybox:1.36", "command": ["tail", "-f", "/dev/null"]}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 1, **({"nodeName": node} if node else {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


@pytest.fixture
def apply(networks):
    """Makes objects; takes them away again, the last first."""
    made = []

    def objects(*manifests):
        for manifest in manifests:
            text = yaml.safe_dump(manifest)
            made.append(text)
            networks.kubectl("apply", "-f", "-", given=text)

    yield objects
    for text in reversed(made):
        networks.kubectl("delete", "--ignore-not-found", "--wait=true", "-f", "-", given=text, check=False)


@pytest.fixture
def execute(networks):
    """A command's output in a pod that is ready."""

    def run(name, *command):
        networks.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=180s")
        return networks.kubectl("exec", name, "--", *command)

    return run


def status_of(networks, name):
    """Interface → entry of the pod's network-status, the cluster's own left out."""
    found = networks.get("pod", name)["metadata"].get("annotations", {})
    return {entry["interface"]: entry for entry in json.loads(found.get(STATUS, "[]")) if not entry.get("default")}


def test_a_pod_that_asks_for_nothing(networks, apply, execute):
    apply(pod("simple"))
    assert "net1" not in execute("simple", "ls", "/sys/class/net").split()
    assert "Address" in execute("simple", "nslookup", "kubernetes.default.svc.cluster.local")
    assert status_of(networks, "simple") == {}


def test_two_pods_on_two_nodes_reach_each_other(networks, apply, execute):
    apply(nad("cases", MACVLAN, {"type": "tuning"}))
    ends = {"case1": ("node1", "10.1.10.61"), "case2": ("node2", "10.1.10.62")}
    for name, (node, address) in ends.items():
        apply(pod(name, [{"name": "cases", "ips": [f"{address}/24"]}], node))
    macs = set()
    for name, (node, address) in ends.items():
        shown = execute(name, "ip", "addr", "show", "dev", "net1")
        assert f"inet {address}/24" in shown
        macs.add(re.search(r"link/ether (\S+)", shown)[1])
        assert status_of(networks, name)["net1"]["ips"] == [address]
        assert networks.get("pod", name)["spec"]["nodeName"] == node
    assert len(macs) == 2
    for name, other in (("case1", "case2"), ("case2", "case1")):
        said = execute(name, "ping", "-c", "3", "-W", "2", "-I", "net1", ends[other][1])
        assert " 0% packet loss" in said


def test_one_network_twice_and_a_name_of_its_own(networks, apply, execute):
    apply(nad("cases", MACVLAN))
    asked = [
        {"name": "cases", "ips": ["10.1.10.63/24"]},
        {"name": "cases", "ips": ["10.1.10.64/24"], "interface": "bgp0"},
        {"name": "cases", "ips": ["10.1.10.65/24"]},
    ]
    apply(pod("thrice", asked))
    assert {"net1", "bgp0", "net3"} <= set(execute("thrice", "ls", "/sys/class/net").split())
    held = {interface: entry["ips"] for interface, entry in status_of(networks, "thrice").items()}
    assert held == {"net1": ["10.1.10.63"], "bgp0": ["10.1.10.64"], "net3": ["10.1.10.65"]}


def test_a_static_pod(networks):
    """The kubelet's own pod: no controller, and what the API server has is a mirror of it."""
    path = networks.node("node2", "sed", "-n", "s/^staticPodPath: //p", "/var/lib/kubelet/config.yaml").stdout.strip()
    if not path:
        pytest.skip("the kubelet of node2 takes no static pods: staticPodPath is not in its config.yaml")
    made = yaml.safe_dump(nad("static-pod", BRIDGE))
    networks.kubectl("apply", "-f", "-", given=made)
    file = f"{path}/static-web.yaml"
    place = ("podman", "exec", "-i", "lab-node2", "sh", "-c", f"mkdir -p {path} && cat >{file}")
    try:
        networks.run(*place, given=yaml.safe_dump(pod("static-web", "static-pod")))

        def there():
            return bool(networks.kubectl("get", "pod", "static-web-node2", "--ignore-not-found", "-o", "name"))

        eventually(there, 120)
        networks.kubectl("wait", "--for=condition=Ready", "pod/static-web-node2", "--timeout=180s")
        shown = networks.kubectl("exec", "static-web-node2", "--", "ip", "addr", "show", "dev", "net1")
        address = re.search(r"inet (10\.9\.5\.\d+)/24", shown)
        assert address, shown
        assert status_of(networks, "static-web-node2")["net1"]["ips"] == [address[1]]
    finally:
        networks.node("node2", "rm", "-f", file)
        networks.kubectl("wait", "--for=delete", "pod/static-web-node2", "--timeout=120s", check=False)
        networks.kubectl("delete", "-f", "-", given=made)
        networks.node("node2", "ip", "link", "del", "testnet0", check=False)
        networks.node("node2", "rm", "-rf", "/var/lib/cni/networks/static-pod")


def test_a_network_that_is_not_there_is_named(networks, apply):
    apply(pod("lost", "no-such-network", "node2"))

    def told():
        events = networks.get("events", "--field-selector", "involvedObject.name=lost")["items"]
        return [e["message"] for e in events if "no-such-network" in e["message"]]

    assert any("cannot find a network-attachment-definition" in message for message in eventually(told))
    assert networks.get("pod", "lost")["status"]["phase"] == "Pending"


def test_new_pods_have_their_networks_after_multus_was_started_anew(networks, apply, execute):
    networks.kubectl("delete", "pod", "-n", "kube-system", "-l", "name=multus", "--wait=true")

    def all_ready():
        state = networks.get("daemonset", "-n", "kube-system", "kube-multus-ds")["status"]
        return state.get("numberReady") == state["desiredNumberScheduled"] == 3

    eventually(all_ready)
    apply(nad("cases", MACVLAN), pod("after", [{"name": "cases", "ips": ["10.1.10.66/24"]}], "node3"))
    assert "inet 10.1.10.66/24" in execute("after", "ip", "addr", "show", "dev", "net1")
