"""What a schedule's actions do on a lab, and how each fault is undone; undoing may be repeated, also by the next run after a killed one."""

import json
import time
from collections.abc import Callable
from typing import Any

from lab.cache import LabError
from lab.commands import Commands
from lab.history.schedule import Action

NAMESPACE = "history"
IMAGE = "docker.io/library/busybox:1.36"
APP = "app.kubernetes.io/name"
PLUGINS = "/opt/cni/bin"
SLOW = "whereabouts"
HIDDEN = f"{PLUGINS}/.history-{SLOW}"
WRAPPER = f"""#!/bin/sh
# Put here by make lab-history: a slow ADD against fast ones.
[ "$CNI_COMMAND" = ADD ] && sleep 4
exec {HIDDEN} "$@"
"""
UPLINK = "ens6"
STOPPED_EVERY, STOPPED_FOR = 5.0, 4.0
"""A slow API server: its process stands still for most of the time."""


def deployment(name: str, networks: str, *, single: bool) -> dict[str, Any]:
    """The Deployment of one of the history's workloads. `single`: its address is its own, so the old pod goes before the new one comes."""
    labels = {APP: name}
    container = {
        "name": "c",
        "image": IMAGE,
        "command": ["tail", "-f", "/dev/null"],
        "resources": {"requests": {"cpu": "1m", "memory": "8Mi"}, "limits": {"memory": "32Mi"}},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "replicas": 1 if single else 2,
            "strategy": {"type": "Recreate" if single else "RollingUpdate"},
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels, "annotations": {"k8s.v1.cni.cncf.io/networks": qualified(networks)}},
                "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]},
            },
        },
    }


def qualified(networks: str) -> str:
    """An annotation with the namespace of the site's networks."""
    if networks.startswith("["):
        return json.dumps([{"namespace": "default", **item} for item in json.loads(networks)])
    return ",".join(f"default/{name}" for name in networks.split(","))


class Actions:
    """Carries out actions. `workloads`: name → {"networks", "single"}; `record` writes an event."""

    def __init__(
        self, lab: Commands, workloads: dict[str, dict[str, Any]], control_plane: str, record: Callable[..., None]
    ) -> None:
        self.lab, self.workloads, self.control_plane, self.record = lab, workloads, control_plane, record
        self.configs: dict[str, str] = {}

    def make(self) -> None:
        """The namespace and the Deployments. Raises LabError."""
        objects = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}]
        objects += [deployment(name, w["networks"], single=bool(w.get("single"))) for name, w in self.workloads.items()]
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        self.lab.must("kubectl", "apply", "-f", "-", given=text)

    def remove(self) -> None:
        """Removes the namespace with everything in it, and waits for it. Raises LabError."""
        gone = ("kubectl", "delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=240s")
        self.lab.must(*gone, seconds=260)

    def begin(self, action: Action) -> None:
        """Does what the action says. What fails because another fault lasts is written to the record, and no error."""
        self.record(
            "action",
            what=action.what,
            target=action.target,
            seconds=action.seconds,
            fault=action.fault,
            node=self._node(action),
        )
        try:
            getattr(self, "_" + action.what.replace("-", "_"))(action)
        except LabError as error:
            self.record("refused", what=action.what, target=action.target, why=str(error))

    def end(self, action: Action) -> None:
        """Undoes a fault that lasts."""
        undo = getattr(self, "_undo_" + action.what.replace("-", "_"), None)
        if undo:
            undo(action.target)

    def undo_all(self, nodes: list[str]) -> None:
        """Undoes every fault, whether it was provoked or not."""
        self._undo_slow_api_server(self.control_plane)
        self._undo_pause_etcd(self.control_plane)
        for node in nodes:
            self._undo_kill_node(node)
            self._undo_uplink_down(node)
            self._undo_slow_add(node)
        for name in list(self.configs):
            self._undo_edit_network(name)

    def _node(self, action: Action) -> str:
        return action.target if action.fault and action.what != "edit-network" else ""

    # Churn.

    def _pod(self, action: Action) -> str | None:
        """One of the workload's pods; which one, the schedule says."""
        found = self.lab.get("pods", "-n", NAMESPACE, "-l", f"{APP}={action.target}", seconds=10)["items"]
        names = sorted(p["metadata"]["name"] for p in found if "deletionTimestamp" not in p["metadata"])
        return names[action.count % len(names)] if names else None

    def _kubectl(self, *arguments: str) -> None:
        done = self.lab.kubectl("-n", NAMESPACE, *arguments, seconds=10)
        if done.status:
            raise LabError(done.last)

    def _delete(self, action: Action) -> None:
        if pod := self._pod(action):
            self._kubectl("delete", "pod", pod, "--wait=false")

    def _force_delete(self, action: Action) -> None:
        if pod := self._pod(action):
            self._kubectl("delete", "pod", pod, "--wait=false", "--force", "--grace-period=0")

    def _create(self, action: Action) -> None:
        """One more pod, without an owner."""
        workload = self.workloads[action.target]
        if workload.get("single"):
            return
        template = deployment(action.target, workload["networks"], single=False)["spec"]["template"]
        metadata = {
            "generateName": f"{action.target}-extra-",
            **template["metadata"],
            "labels": {APP: f"{action.target}-extra"},
        }
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
        done = self.lab.kubectl("-n", NAMESPACE, "create", "-f", "-", given=json.dumps(pod), seconds=10)
        # The oldest of them goes, so that there are never many.
        self._kubectl("get", "pods", "-l", f"{APP}={action.target}-extra", "-o", "name")
        extra = self.lab.get("pods", "-n", NAMESPACE, "-l", f"{APP}={action.target}-extra", seconds=10)["items"]
        extra.sort(key=lambda p: p["metadata"]["creationTimestamp"])
        for old in extra[:-2]:
            self._kubectl("delete", "pod", old["metadata"]["name"], "--wait=false")
        if done.status:
            raise LabError(done.last)

    def _scale(self, action: Action) -> None:
        count = 1 if self.workloads[action.target].get("single") else action.count
        self._kubectl("scale", "deployment", action.target, f"--replicas={count}")

    def _roll(self, action: Action) -> None:
        self._kubectl("rollout", "restart", "deployment", action.target)

    # Faults.

    def _on(self, node: str, *command: str) -> None:
        done = self.lab.node(node, *command)
        if done.status:
            raise LabError(done.last)

    def _kill_multus(self, action: Action) -> None:
        self._on(action.target, "pkill", "-9", "-x", "multus-daemon")

    def _restart_multus(self, action: Action) -> None:
        selector = ("-l", "name=multus", "--field-selector", f"spec.nodeName={action.target}")
        done = self.lab.kubectl("-n", "kube-system", "delete", "pod", *selector, "--wait=false", seconds=10)
        if done.status:
            raise LabError(done.last)

    def _kill_kubelet(self, action: Action) -> None:
        self._on(action.target, "systemctl", "kill", "-s", "KILL", "kubelet")

    def _restart_kubelet(self, action: Action) -> None:
        self._on(action.target, "systemctl", "restart", "kubelet")

    def _kill_containerd(self, action: Action) -> None:
        self._on(action.target, "systemctl", "kill", "-s", "KILL", "--kill-whom=main", "containerd")

    def _restart_containerd(self, action: Action) -> None:
        self._on(action.target, "systemctl", "restart", "containerd")

    def _kill_node(self, action: Action) -> None:
        self.lab.must("podman", "kill", f"lab-{action.target}")
        self.record("down", node=action.target)

    def _undo_kill_node(self, node: str) -> None:
        state = self.lab.run("podman", "inspect", f"lab-{node}", "--format", "{{.State.Status}}").output.strip()
        if state not in {"running", ""}:
            self.lab.must("podman", "start", f"lab-{node}")

    def _pause_api_server(self, action: Action) -> None:
        self._on(action.target, "pkill", "-STOP", "-x", "kube-apiserver")

    def _undo_pause_api_server(self, node: str) -> None:
        self.lab.node(node, "pkill", "-CONT", "-x", "kube-apiserver")

    def _slow_api_server(self, action: Action) -> None:
        """Stands still for four of every five seconds. The loop runs on the node, ends by itself and leaves it running."""
        rounds = int(action.seconds // STOPPED_EVERY)
        loop = (
            f"for i in $(seq {rounds}); do pkill -STOP -x kube-apiserver; sleep {STOPPED_FOR}; "
            f"pkill -CONT -x kube-apiserver; sleep {STOPPED_EVERY - STOPPED_FOR}; done"
        )
        self._on(action.target, "systemd-run", "--quiet", "--unit=history-slow", "--collect", "sh", "-c", loop)

    def _undo_slow_api_server(self, node: str) -> None:
        self.lab.node(node, "systemctl", "stop", "history-slow")
        self._undo_pause_api_server(node)

    def _pause_etcd(self, action: Action) -> None:
        self._on(action.target, "pkill", "-STOP", "-x", "etcd")

    def _undo_pause_etcd(self, node: str) -> None:
        self.lab.node(node, "pkill", "-CONT", "-x", "etcd")

    def _uplink_down(self, action: Action) -> None:
        self._on(action.target, "ip", "link", "set", UPLINK, "down")

    def _undo_uplink_down(self, node: str) -> None:
        self.lab.node(node, "ip", "link", "set", UPLINK, "up")

    def _slow_add(self, action: Action) -> None:
        """A wrapper in the plugin's place that sleeps at ADD; the plugin itself is moved aside."""
        place = (
            f"test -e {HIDDEN} || cp -p {PLUGINS}/{SLOW} {HIDDEN}; cat >{PLUGINS}/.history-new && "
            f"chmod 755 {PLUGINS}/.history-new && mv {PLUGINS}/.history-new {PLUGINS}/{SLOW}"
        )
        done = self.lab.node(action.target, "sh", "-c", place, given=WRAPPER)
        if done.status:
            raise LabError(done.last)

    def _undo_slow_add(self, node: str) -> None:
        self.lab.node(node, "sh", "-c", f"test ! -e {HIDDEN} || mv {HIDDEN} {PLUGINS}/{SLOW}")

    def _edit_network(self, action: Action) -> None:
        """Somebody edits the attachment: another MTU."""
        found = self.lab.get("net-attach-def", action.target, seconds=10)
        config = found["spec"]["config"]
        self.configs.setdefault(action.target, config)
        edited = json.loads(config)
        for plugin in edited.get("plugins", [edited]):
            if plugin.get("type") in {"macvlan", "bridge"}:
                plugin["mtu"] = 1400
        self._patch(action.target, json.dumps(edited))

    def _undo_edit_network(self, name: str) -> None:
        if name in self.configs:
            self._patch(name, self.configs[name])

    def _patch(self, name: str, config: str) -> None:
        patch = json.dumps({"spec": {"config": config}})
        for _ in range(10):
            done = self.lab.kubectl("patch", "net-attach-def", name, "--type=merge", "-p", patch, seconds=10)
            if not done.status:
                return
            time.sleep(2)
        raise LabError(done.last)
