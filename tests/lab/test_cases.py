"""Cases that other projects test, on the lab's own cluster: announcements, restarts under traffic, wide networks, modes of files, edited attachments.

Histories (test_history.py) and the fault campaign (`make lab-faults`) cover restarts, kills and leaks in general.
"""

import ctypes
import json
import socket
import struct
import threading

import pytest
import yaml

from lab.place import NAMESPACE_FILE
from multus_site.verify.probe import CLONE_NEWNET
from tests.lab.running import eventually

pytestmark = pytest.mark.lab

IMAGE = "docker.io/library/busybox:1.36"
MACVLAN = {"type": "macvlan", "master": "ens6", "mode": "bridge", "ipam": {"type": "static"}}


def nad(name, plugin):
    config = {"cniVersion": "1.0.0", "name": name, "plugins": [{**plugin, "capabilities": {"ips": True}}]}
    kind = {"apiVersion": "k8s.cni.cncf.io/v1", "kind": "NetworkAttachmentDefinition"}
    return {**kind, "metadata": {"name": name, "namespace": "default"}, "spec": {"config": json.dumps(config)}}


def pod(name, network, address, node):
    asked = json.dumps([{"name": network, "ips": [address]}])
    metadata = {"name": name, "namespace": "default", "annotations": {"k8s.v1.cni.cncf.io/networks": asked}}
    container = {"name": "c", "image": IMAGE, "command": ["tail", "-f", "/dev/null"]}
    spec = {"nodeName": node, "terminationGracePeriodSeconds": 1, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


@pytest.fixture
def apply(lab):
    """Makes objects; takes them away again, the last first."""
    made = []

    def objects(*manifests):
        for manifest in manifests:
            made.append(yaml.safe_dump(manifest))
            lab.kubectl("apply", "-f", "-", given=made[-1])

    yield objects
    for text in reversed(made):
        lab.kubectl("delete", "--ignore-not-found", "--wait=true", "-f", "-", given=text, check=False)


def execute(lab, name, *command):
    lab.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=180s")
    return lab.kubectl("exec", name, "--", *command)


class Listener(threading.Thread):
    """Hears ARP on a segment: (sender's MAC, sender's address, target's address) of each packet."""

    def __init__(self, bridge):
        super().__init__(daemon=True)
        self.bridge, self.heard, self.over, self.ready = bridge, [], threading.Event(), threading.Event()

    def run(self):
        # A thread has a network namespace of its own, so the tests stay in theirs.
        with NAMESPACE_FILE.open() as file:
            assert ctypes.CDLL(None).setns(file.fileno(), CLONE_NEWNET) == 0
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806)) as sock:
            sock.bind((self.bridge, 0x0806))
            sock.settimeout(0.5)
            self.ready.set()
            while not self.over.is_set():
                try:
                    packet = sock.recv(128)
                except TimeoutError:
                    continue
                mac, sender, _, target = struct.unpack("6s4s6s4s", packet[22:42])
                self.heard.append((mac.hex(":"), socket.inet_ntoa(sender), socket.inet_ntoa(target)))


def test_an_address_that_moves_to_another_node_is_announced_on_the_segment(lab, apply):
    """Otherwise neighbours send to the old MAC until their entry ages."""
    links = json.loads(lab.run("ip", "-j", "addr").stdout)
    bridge = next(x["ifname"] for x in links if any(a.get("local") == "10.1.10.1" for a in x["addr_info"]))
    listener = Listener(bridge)
    listener.start()
    assert listener.ready.wait(10)
    apply(nad("moving", MACVLAN))
    macs = []
    try:
        for node in ("node2", "node3"):
            manifest = pod("moves", "moving", "10.1.10.71/24", node)
            apply(manifest)
            shown = execute(lab, "moves", "cat", "/sys/class/net/net1/address").strip()
            macs.append(shown)
            announced = (shown, "10.1.10.71", "10.1.10.71")
            eventually(lambda wanted=announced: wanted in listener.heard, 10)
            assert " 0% packet loss" in execute(lab, "moves", "ping", "-c", "2", "-I", "net1", "10.1.10.1")
            lab.kubectl("delete", "pod", "moves", "--wait=true")
    finally:
        listener.over.set()
        listener.join()
    assert macs[0] != macs[1]


def test_an_attachment_that_was_edited_holds_for_new_pods_only(lab, apply):
    apply(nad("edited", MACVLAN), pod("old", "edited", "10.1.10.72/24", "node2"))
    assert "mtu 1500" in execute(lab, "old", "ip", "link", "show", "dev", "net1")
    apply(nad("edited", {**MACVLAN, "mtu": 1400}), pod("new", "edited", "10.1.10.73/24", "node2"))
    assert "mtu 1400" in execute(lab, "new", "ip", "link", "show", "dev", "net1")
    assert "mtu 1500" in execute(lab, "old", "ip", "link", "show", "dev", "net1")


def test_services_stay_reachable_with_a_network_as_wide_as_the_nodes_addresses(lab, apply):
    """A /16 on net1 that holds the nodes' own addresses takes their route; the cluster's services do not go that way."""
    apply(nad("wide", MACVLAN), pod("widely", "wide", "10.1.10.74/16", "node2"))
    routes = execute(lab, "widely", "ip", "route")
    assert "10.1.0.0/16 dev net1" in routes
    assert "Address" in execute(lab, "widely", "nslookup", "kubernetes.default.svc.cluster.local")
    dns = lab.kubectl("get", "service", "-n", "kube-system", "coredns", "-o", "jsonpath={.spec.clusterIP}", check=False)
    assert f"nameserver {dns}" in execute(lab, "widely", "cat", "/etc/resolv.conf")


@pytest.mark.parametrize("service", ["kubelet", "containerd"])
def test_a_restart_under_traffic_loses_no_packet(lab, service):
    (before,) = lab.pods()
    name = before["metadata"]["name"]
    told = []
    ping = threading.Thread(
        target=lambda: told.append(
            lab.kubectl("exec", name, "--", "sh", "-c", "ping -c 60 -i 0.2 10.1.10.1 >/tmp/said; true", check=False)
        )
    )
    # The exec's own connection ends with containerd; what ping wrote stays.
    ping.start()
    lab.node("node2", "sh", "-c", f"sleep 2; systemctl restart {service}")
    ping.join(60)

    def counted():
        text = lab.kubectl("exec", name, "--", "cat", "/tmp/said", check=False)  # noqa: S108 - in the pod
        return text if "transmitted" in text else ""

    said = eventually(counted, 60)
    assert " 0% packet loss" in said
    (after,) = lab.pods()
    assert after["metadata"]["uid"] == before["metadata"]["uid"]


@pytest.mark.parametrize("node", ["node1", "node2", "node3"])
def test_files_that_hold_credentials_are_root_s_alone(lab, node):
    """What Multus and plugins log in with; and nobody but root may write to plugins or configurations."""
    listed = "find /etc/cni -type f '(' -name '*kubeconfig*' -o -name '*.conf' ')' -exec stat -c '%U %a %n' {} +"
    held = lab.node(node, "sh", "-c", listed).stdout.splitlines()
    assert "root 600 /etc/cni/net.d/00-multus.conf" in held
    assert [line for line in held if not line.startswith("root 600 ")] == []
    writable = lab.node(node, "find", "/etc/cni", "/opt/cni/bin", "-type", "f", "-perm", "/022").stdout
    strangers = lab.node(node, "find", "/etc/cni", "/opt/cni/bin", "-type", "f", "!", "-user", "root").stdout
    assert (writable, strangers) == ("", "")
