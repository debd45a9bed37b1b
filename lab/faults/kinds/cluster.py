"""Faults of the API server and of the objects in it."""

import json
from collections.abc import Iterator

from lab.faults.bench import POD, Bench, eventually
from lab.faults.registry import ITSELF, OWNER, UP, fault

NAD = "macvlan-internal"


@fault(
    "nad-edited",
    "a NetworkAttachmentDefinition edited by hand",
    restored_by=UP,
    verify="attachment",
    drift=f"lab-{NAD}",
)
def nad_edited(lab: Bench) -> Iterator[None]:
    config = json.dumps({"cniVersion": "1.0.0", "name": "x", "plugins": []})
    lab.must("kubectl", "patch", "net-attach-def", NAD, "--type=merge", "-p", json.dumps({"spec": {"config": config}}))
    yield


@fault("nad-deleted", "a NetworkAttachmentDefinition deleted", restored_by=UP, verify="attachment", drift=f"lab-{NAD}")
def nad_deleted(lab: Bench) -> Iterator[None]:
    lab.must("kubectl", "delete", "net-attach-def", NAD)
    yield


@fault(
    "crd-deleted",
    "the CRD of NetworkAttachmentDefinitions deleted",
    restored_by=UP,
    verify="attachment|NetworkAttachmentDefinition",
    drift="CustomResourceDefinition",
)
def crd_deleted(lab: Bench) -> Iterator[None]:
    lab.must("kubectl", "delete", "crd", "network-attachment-definitions.k8s.cni.cncf.io", "--timeout=60s")
    yield


@fault("workload-deleted", "a workload's Deployment deleted", restored_by=UP, verify="replicas", drift="Deployment")
def workload_deleted(lab: Bench) -> Iterator[None]:
    lab.must("kubectl", "delete", "deployment", "samplepod", "--timeout=60s")
    yield


@fault("workload-scaled", "a workload scaled to nothing", restored_by=UP, verify="replicas", drift="samplepod")
def workload_scaled(lab: Bench) -> Iterator[None]:
    lab.must("kubectl", "scale", "deployment", "samplepod", "--replicas=0")
    lab.run("kubectl", "wait", "--for=delete", "pod", "-l", POD, "--timeout=60s")
    yield


@fault("dns-away", "the cluster's DNS scaled to nothing", restored_by=OWNER, verify="cluster-dns")
def dns_away(lab: Bench) -> Iterator[None]:
    lab.must("kubectl", "-n", "kube-system", "scale", "deployment", "coredns", "--replicas=0")
    lab.run("kubectl", "-n", "kube-system", "wait", "--for=delete", "pod", "-l", "k8s-app=kube-dns", "--timeout=60s")
    yield
    lab.must("kubectl", "-n", "kube-system", "scale", "deployment", "coredns", "--replicas=2")
    lab.run("kubectl", "-n", "kube-system", "rollout", "status", "deployment", "coredns", "--timeout=90s", seconds=100)


@fault(
    "api-server-paused",
    "the API server does not answer",
    restored_by=OWNER,
    verify="API server|cluster|answer",
    drift="API server|cluster|answer|refresh|time",
)
def api_server_paused(lab: Bench) -> Iterator[None]:
    lab.on("node1", "pkill -STOP -x kube-apiserver")
    yield
    lab.on("node1", "pkill -CONT -x kube-apiserver")
    answers(lab)


@fault(
    "api-server-away-during-verify",
    "the API server goes away while verify runs",
    restored_by=OWNER,
    verify="API server|cluster|answer|inspect",
)
def api_server_away(lab: Bench) -> Iterator[None]:
    lab.later(3, "podman", "exec", "lab-node1", "pkill", "-STOP", "-x", "kube-apiserver")
    yield
    lab.on("node1", "pkill -CONT -x kube-apiserver")
    answers(lab)


@fault(
    "etcd-paused",
    "etcd stands still for 20 seconds",
    restored_by=ITSELF,
    why_silent="requests wait and are answered when it goes on",
)
def etcd_paused(lab: Bench) -> Iterator[None]:
    lab.on("node1", "pkill -STOP -x etcd; sleep 20; pkill -CONT -x etcd")
    answers(lab)
    yield


def answers(lab: Bench) -> bool:
    """Waits until the API server answers."""
    return eventually(lambda: lab.kubectl("get", "--raw", "/readyz", seconds=10).status == 0, 120)
