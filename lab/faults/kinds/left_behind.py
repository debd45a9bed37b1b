"""Faults after which something stays reserved on a node for a pod that is gone."""

from collections.abc import Iterator

from lab.faults.bench import POD, Bench, eventually
from lab.faults.kinds.daemons import node_is_ready
from lab.faults.registry import ITSELF, UP, fault

NODE = "node2"
GONE = "d" * 64
"""The id of a sandbox that never was."""
OLD = "touch -d '10 minutes ago'"
"""What is young may belong to a pod that starts, and is left alone."""


@fault(
    "reservation-stale",
    "an address reserved for a sandbox that is gone",
    restored_by=UP,
    verify="10.1.10.249",
    drift="10.1.10.249",
    leaks="10.1.10.249",
)
def reservation_stale(lab: Bench) -> Iterator[None]:
    lab.on(
        NODE,
        f"printf '%s\\r\\nnet1' {GONE} >/var/lib/cni/networks/macvlan-internal/10.1.10.249; {OLD} /var/lib/cni/networks/macvlan-internal/10.1.10.249",
    )
    yield
    lab.on(NODE, "rm -f /var/lib/cni/networks/macvlan-internal/10.1.10.249")


@fault(
    "pool-drained",
    "every address of a range reserved for sandboxes that are gone",
    restored_by=UP,
    verify="macvlan-internal",
    leaks="10.1.10.2",
)
def pool_drained(lab: Bench) -> Iterator[None]:
    folder = "/var/lib/cni/networks/macvlan-internal"
    lab.on(
        NODE,
        f"for i in $(seq 200 250); do test -e {folder}/10.1.10.$i || printf '%s\\r\\nnet1' {GONE} >{folder}/10.1.10.$i; done; grep -l {GONE} {folder}/10.1.10.* | xargs {OLD}",
    )
    yield
    lab.on(NODE, f"grep -l {GONE} {folder}/10.1.10.* | xargs -r rm -f")


def _delete_with_multus_away(lab: Bench, *how: str) -> None:
    lab.must("kubectl", "-n", "kube-system", "delete", "daemonset", "kube-multus-ds", "--timeout=60s")
    lab.must("kubectl", "delete", "pod", "-l", POD, "--wait=false", *how)


@fault(
    "deleted-while-multus-away",
    "a pod deleted while the Multus DaemonSet is away",
    restored_by=UP,
    verify="multus-daemon",
    drift="DaemonSet",
)
def deleted_while_multus_away(lab: Bench) -> Iterator[None]:
    _delete_with_multus_away(lab)
    yield


@fault(
    "force-deleted-while-multus-away",
    "a pod deleted by force while the Multus DaemonSet is away",
    restored_by=UP,
    verify="multus-daemon",
    drift="DaemonSet",
)
def force_deleted_while_multus_away(lab: Bench) -> Iterator[None]:
    _delete_with_multus_away(lab, "--force", "--grace-period=0")
    yield


@fault(
    "multus-cache-damaged",
    "Multus' cache of a pod cut to nothing, and the pod deleted",
    restored_by=UP,
    leaks="samplepod|macvlan-internal|sandbox",
    after_undo=True,
)
def multus_cache_damaged(lab: Bench) -> Iterator[None]:
    sandbox = lab.sandbox()
    lab.on(NODE, f"truncate -s 0 /var/lib/cni/multus/*{sandbox}*")
    lab.new_pod()
    yield


@fault(
    "cni-cache-damaged",
    "CNI's caches of a pod cut to nothing, and the pod deleted",
    restored_by=ITSELF,
    why_silent="a plugin without its cache still gives back what it holds",
)
def cni_cache_damaged(lab: Bench) -> Iterator[None]:
    sandbox = lab.sandbox()
    lab.on(NODE, f"for f in /var/lib/cni/results/*{sandbox}*; do test ! -e $f || truncate -s 0 $f; done")
    lab.new_pod()
    yield


@fault(
    "caches-damaged-and-node-killed",
    "every cache of Multus on node2 cut to nothing, and the node killed",
    restored_by=UP,
    verify="node2",
    drift="node2",
)
def caches_damaged_and_node_killed(lab: Bench) -> Iterator[None]:
    lab.on(NODE, "truncate -s 0 /var/lib/cni/multus/* 2>/dev/null || true")
    lab.must("podman", "kill", f"lab-{NODE}")
    yield
    if lab.run("podman", "inspect", f"lab-{NODE}", "--format", "{{.State.Status}}").output.strip() != "running":
        lab.must("podman", "start", f"lab-{NODE}")
    eventually(lambda: node_is_ready(lab), 180)


@fault(
    "force-deleted-while-kubelet-down",
    "a pod deleted by force while its node's kubelet is down",
    restored_by=ITSELF,
    why_silent="the kubelet removes the sandbox when it is back",
    after_undo=True,
)
def force_deleted_while_kubelet_down(lab: Bench) -> Iterator[None]:
    lab.on(NODE, "systemctl stop kubelet")
    lab.must("kubectl", "delete", "pod", "-l", POD, "--wait=false", "--force", "--grace-period=0")
    lab.on(NODE, "systemctl start kubelet")
    eventually(lambda: node_is_ready(lab), 120)
    yield
