"""Faults of what runs on nodes: the node itself, kubelet, containerd, Multus."""

from collections.abc import Iterator

from lab.faults.bench import Bench, eventually
from lab.faults.registry import ITSELF, OWNER, UP, fault

NODE = "node2"
RESTARTS = "it restarts at once; no pod and no address is lost"


def node_is_ready(lab: Bench, node: str = NODE) -> bool:
    """Whether the cluster says that a node is ready."""
    path = '{.status.conditions[?(@.type=="Ready")].status}'
    return lab.kubectl("get", "node", node, "-o", f"jsonpath={path}").output.strip() == "True"


@fault("kubelet-restarted", "kubelet of node2 restarted", restored_by=ITSELF, why_silent=RESTARTS)
def kubelet_restarted(lab: Bench) -> Iterator[None]:
    lab.on(NODE, "systemctl restart kubelet")
    yield


@fault("kubelet-killed", "kubelet of node2 killed with -9", restored_by=ITSELF, why_silent=RESTARTS)
def kubelet_killed(lab: Bench) -> Iterator[None]:
    lab.on(NODE, "systemctl kill -s KILL kubelet")
    yield


@fault("kubelet-stopped", "kubelet of node2 stopped", restored_by=OWNER, verify="node2")
def kubelet_stopped(lab: Bench) -> Iterator[None]:
    lab.on(NODE, "systemctl stop kubelet")
    yield
    lab.on(NODE, "systemctl start kubelet")
    eventually(lambda: node_is_ready(lab), 120)


@fault("containerd-restarted", "containerd of node2 restarted", restored_by=ITSELF, why_silent=RESTARTS)
def containerd_restarted(lab: Bench) -> Iterator[None]:
    lab.on(NODE, "systemctl restart containerd")
    yield


@fault("containerd-killed", "containerd of node2 killed with -9", restored_by=ITSELF, why_silent=RESTARTS)
def containerd_killed(lab: Bench) -> Iterator[None]:
    lab.on(NODE, "systemctl kill -s KILL --kill-whom=main containerd")
    yield


@fault("containerd-stopped", "containerd of node2 stopped", restored_by=OWNER, verify="node2")
def containerd_stopped(lab: Bench) -> Iterator[None]:
    lab.on(NODE, "systemctl stop containerd")
    yield
    lab.on(NODE, "systemctl start containerd")
    eventually(lambda: node_is_ready(lab), 120)


@fault("node-killed", "node2 killed", restored_by=UP, verify="node2 cannot be inspected|node2.*kubelet", drift="node2")
def node_killed(lab: Bench) -> Iterator[None]:
    lab.must("podman", "kill", f"lab-{NODE}")
    yield
    _start(lab)


@fault("node-killed-during-verify", "node2 killed while verify runs", restored_by=UP, verify="node2")
def node_killed_during_verify(lab: Bench) -> Iterator[None]:
    lab.later(3, "podman", "kill", f"lab-{NODE}")
    yield
    _start(lab)


@fault("node-frozen", "node2 stands still", restored_by=OWNER, verify="node2", drift="node2")
def node_frozen(lab: Bench) -> Iterator[None]:
    lab.must("podman", "pause", f"lab-{NODE}")
    yield
    lab.run("podman", "unpause", f"lab-{NODE}")
    eventually(lambda: node_is_ready(lab), 120)


def _start(lab: Bench) -> None:
    if lab.run("podman", "inspect", f"lab-{NODE}", "--format", "{{.State.Status}}").output.strip() != "running":
        lab.must("podman", "start", f"lab-{NODE}")
    eventually(lambda: node_is_ready(lab), 180)


@fault(
    "multus-killed",
    "Multus of node2 killed with -9 while a pod starts",
    restored_by=ITSELF,
    why_silent="the pod waits for the next daemon",
)
def multus_killed(lab: Bench) -> Iterator[None]:
    lab.must("kubectl", "delete", "pod", "-l", "app.kubernetes.io/name=samplepod", "--wait=false")
    lab.on(NODE, "pkill -9 -x multus-daemon")
    yield


@fault(
    "multus-restarted-during-verify",
    "Multus restarted on every node while verify runs",
    restored_by=ITSELF,
    verify="multus-daemon|cannot be inspected|look-inside|passed",
)
def multus_restarted(lab: Bench) -> Iterator[None]:
    lab.later(2, "kubectl", "-n", "kube-system", "delete", "pod", "-l", "name=multus", "--wait=false")
    yield


@fault("multus-deleted", "the Multus DaemonSet deleted", restored_by=UP, verify="multus-daemon", drift="DaemonSet")
def multus_deleted(lab: Bench) -> Iterator[None]:
    lab.must("kubectl", "-n", "kube-system", "delete", "daemonset", "kube-multus-ds", "--timeout=60s")
    yield


@fault(
    "multus-without-rights",
    "Multus' ClusterRoleBinding deleted, and a new pod",
    restored_by=UP,
    verify="replicas|network-status",
    drift="ClusterRoleBinding",
)
def multus_without_rights(lab: Bench) -> Iterator[None]:
    lab.must("kubectl", "delete", "clusterrolebinding", "multus")
    lab.must("kubectl", "delete", "pod", "-l", "app.kubernetes.io/name=samplepod", "--wait=false")
    yield
