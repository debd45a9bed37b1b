"""Twelve ways to break a pod's networks in the lab, each with the cause that `explain` names, and what they need on node3."""

import json

from tests.lab.running import PROJECT, eventually

NODE = "node3"
PROGRAMS = PROJECT / ".venv" / "bin"
IMAGE = "docker.io/library/busybox:1.36"
LABEL = {"test": "explain"}
BIN = "/opt/cni/bin"
RESOURCE = "example.com/vf"

FOREIGN = f"""
import pathlib
program = bytearray(pathlib.Path("{BIN}/macvlan").read_bytes())
program[18:20] = (0xF3).to_bytes(2, "little")  # e_machine: RISC-V
target = pathlib.Path("{BIN}/foreignlan")
target.write_bytes(program)
target.chmod(0o755)
"""
"""Python for the node: a plugin of another architecture."""

FIXED = {"type": "static", "addresses": [{"address": "10.1.10.190/24"}]}
ONE_ADDRESS = {"type": "host-local", "subnet": "10.1.10.0/24", "rangeStart": "10.1.10.180", "rangeEnd": "10.1.10.180"}


def _config(name, **keys):
    return {"cniVersion": "1.0.0", "name": name, "type": "macvlan", "master": "ens6", **keys}


ATTACHMENTS = {
    "absent-plugin": _config("absent-plugin", type="ghostlan"),
    "foreign-plugin": _config("foreign-plugin", type="foreignlan"),
    "plain-plugin": _config("plain-plugin", type="plainlan"),
    "absent-master": _config("absent-master", master="ens9"),
    "one-address": _config("one-address", ipam=ONE_ADDRESS),
    "leased": _config("leased", ipam={"type": "dhcp"}),
    "too-long": _config("too-long", mtu=9000),
    "works": _config("works", ipam={**ONE_ADDRESS, "rangeStart": "10.1.10.170", "rangeEnd": "10.1.10.175", "gateway": "10.1.10.1"}),
    "devices": _config("devices"),
}  # fmt: skip
"""NetworkAttachmentDefinition → its configuration."""

BROKEN = '{"cniVersion": "1.0.0",\n "name": "no-json",\n "type": "macvlan" "master": "ens6"}'

PODS = {
    "absent-plugin": "plugin-missing",
    "foreign-plugin": "plugin-architecture",
    "plain-plugin": "plugin-not-executable",
    "absent-master": "master-missing",
    "nowhere": "network-missing",
    "no-json": "json-broken",
    "one-address": "addresses-exhausted",
    "leased": "ipam-daemon-away",
    "too-long": "mtu",
    "devices": "no-device",
}
"""Pods that hang at once, each with a network of its name → cause."""


def attachment(name, config):
    """A NetworkAttachmentDefinition."""
    notes = {"k8s.v1.cni.cncf.io/resourceName": RESOURCE} if name == "devices" else {}
    return {
        "apiVersion": "k8s.cni.cncf.io/v1",
        "kind": "NetworkAttachmentDefinition",
        "metadata": {"name": name, "labels": LABEL, "annotations": notes},
        "spec": {"config": config if isinstance(config, str) else json.dumps(config)},
    }


def pod(name, network, node=NODE):
    """A pod with one network on a node."""
    container = {"name": "it", "image": IMAGE, "command": ["tail", "-f", "/dev/null"]}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 0, "nodeName": node}
    if network == "devices":
        del spec["nodeName"]
        container["resources"] = {"limits": {RESOURCE: "1"}, "requests": {RESOURCE: "1"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": LABEL, "annotations": {"k8s.v1.cni.cncf.io/networks": network}},
        "spec": spec,
    }


def apply(lab, *objects):
    """Create objects."""
    lab.kubectl("apply", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))


def furnish(lab):
    """Put plugins on the node that do not run there, and the networks into the cluster."""
    lab.node(NODE, "python3", "-c", FOREIGN)
    lab.node(NODE, "install", "-m", "0644", f"{BIN}/macvlan", f"{BIN}/plainlan")
    apply(lab, *(attachment(name, config) for name, config in ATTACHMENTS.items()), attachment("no-json", BROKEN))


def clear(lab):
    """Remove everything."""
    lab.kubectl("delete", "pod,net-attach-def", "-l", "test=explain", "--wait=true", "--timeout=120s", check=False)
    lab.node(NODE, "rm", "-f", f"{BIN}/foreignlan", f"{BIN}/plainlan")


def running(lab, name):
    """Wait until a pod runs."""

    def runs():
        return lab.get("pod", name)["status"].get("phase") == "Running"

    eventually(runs)


def hangs(lab, name):
    """Wait until an event says why a pod does not start."""

    def is_said():
        events = lab.get("events", "--field-selector", f"involvedObject.name={name}")["items"]
        return any(e["reason"] in {"FailedCreatePodSandBox", "FailedScheduling", "FailedKillPod"} for e in events)

    eventually(is_said)


ELSEWHERE = {"key": "kubernetes.io/hostname", "operator": "NotIn", "values": [NODE]}
WITHOUT = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [ELSEWHERE]}]}}


def daemon(lab):
    """The pods of the Multus daemon on the node."""
    found = lab.get("pods", "-n", "kube-system", "-l", "app=multus")["items"]
    return [p for p in found if p["spec"].get("nodeName") == NODE]


def send_multus_away(lab):
    """Keep the Multus daemon off the node."""
    patch = {"spec": {"template": {"spec": {"affinity": {"nodeAffinity": WITHOUT}}}}}
    lab.kubectl("patch", "daemonset", "-n", "kube-system", "kube-multus-ds", "-p", json.dumps(patch))
    eventually(lambda: not daemon(lab))


def call_multus_back(lab):
    """Let it return, and wait until every node has one."""
    patch = [{"op": "remove", "path": "/spec/template/spec/affinity"}]
    lab.kubectl("patch", "daemonset", "-n", "kube-system", "kube-multus-ds", "--type=json", "-p", json.dumps(patch), check=False)  # fmt: skip

    def back():
        status = lab.get("daemonset", "-n", "kube-system", "kube-multus-ds")
        now = status["status"]
        return (
            now.get("observedGeneration") == status["metadata"]["generation"]
            and now.get("numberReady") == now.get("updatedNumberScheduled") == 3
        )

    eventually(back)


def assigned(lab, name):
    """Wait until a pod's kubelet has begun."""

    def begun():
        return bool(lab.get("pod", name)["status"].get("containerStatuses"))

    eventually(begun)
