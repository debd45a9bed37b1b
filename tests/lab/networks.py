"""The lab's site with the networks of tests/lab/networks.site.yaml, what a data centre would have for them, and looks at its pods."""

import json
from pathlib import Path

import yaml

from tests.lab.running import PROJECT, eventually

FOLDER = Path(__file__).parent
SITE = "multus-site:site"
SPARE = "02:00:00:00:09:09"
NODES = ("node1", "node2", "node3")
STATUS = "k8s.v1.cni.cncf.io/network-status"
OBJECTS = "crd,ds,net-attach-def,deploy,sts,svc,sa,cm,clusterrole,clusterrolebinding,cronjob"


def stack_file(target):
    """A stack file of the lab's site with the further networks and workloads."""
    data = yaml.safe_load((PROJECT / "stacks" / "Pulumi.lab.yaml").read_text())
    more = yaml.safe_load((FOLDER / "networks.site.yaml").read_text())
    for key, entries in more.items():
        data["config"][SITE][key] |= entries
    del data["config"][SITE]["cniPlugins"]["plugins"]
    target.write_text(yaml.safe_dump(data, sort_keys=False))
    return target


def furnish(lab):
    """A spare NIC on node2, and an alternative name for every node's second uplink."""
    for node in NODES:
        lab.node(node, "ip", "link", "property", "add", "dev", "ens7", "altname", "to-external", check=False)
    lab.node(
        "node2", "ip", "link", "add", "spare0", "address", SPARE, "type", "veth", "peer", "name", "spare1", check=False
    )
    lab.node("node2", "ip", "link", "set", "spare1", "up")


def pods(lab, name):
    """A workload's pods that stay."""
    found = lab.get("pods", "-l", f"app.kubernetes.io/name={name}")["items"]
    return [p for p in found if "deletionTimestamp" not in p["metadata"]]


def addresses(pod):
    """(network, address) of each attachment, as the pod's annotation has them."""
    status = json.loads(pod["metadata"]["annotations"][STATUS])
    return [(entry["name"], ip) for entry in status if not entry.get("default") for ip in entry.get("ips", [])]


def ready(lab, name, count):
    """A workload's pods, once there are so many and each is ready."""

    def all_ready():
        there = pods(lab, name)
        states = [c for p in there for c in p["status"].get("conditions", []) if c["type"] == "Ready"]
        return len(there) == count == sum(c["status"] == "True" for c in states)

    eventually(all_ready, 180)
    return pods(lab, name)


def attached(lab, name, count):
    """The same, once each has its addresses, whether it is ready or not."""

    def all_attached():
        there = pods(lab, name)
        told = sum(STATUS in p["metadata"].get("annotations", {}) for p in there)
        return there if len(there) == count == told else []

    return eventually(all_attached, 180)


def inside(lab, pod):
    """(interface, address) of the pod's attachments, as the pod itself sees them; nothing where it cannot be asked."""
    shown = lab.kubectl(
        "exec", pod["metadata"]["name"], "--", "ip", "-o", "addr", "show", "scope", "global", check=False
    )
    fields = [line.split() for line in shown.splitlines()]
    return {(words[1], words[3].partition("/")[0]) for words in fields if words[1] not in {"lo", "eth0"}}


def on_node(lab, node):
    """Plugins, configurations, sockets and interfaces of a node, but for the pairs that pods hang on."""
    list_of = (
        "ls -d /opt/cni/bin/* /opt/cni/bin/.[!.]* /etc/cni/net.d/* /etc/cni/multus/net.d/* /run/cni/* 2>/dev/null; true"
    )
    files = lab.node(node, "sh", "-c", list_of).stdout.split()
    links = json.loads(lab.node(node, "ip", "-j", "link").stdout)
    return {*files, *(f"interface {link['ifname']}" for link in links if not link["ifname"].startswith("veth"))}


def in_cluster(lab):
    """Names of the objects that a site makes, whatever the namespace."""
    return set(lab.kubectl("get", OBJECTS, "--all-namespaces", "-o", "name").split())
