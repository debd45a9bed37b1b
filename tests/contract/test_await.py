"""Waiting for workloads and conditions, with a test that plays the controllers."""

from __future__ import annotations

import time

import pulumi
import pulumi_kubernetes as kubernetes
import pytest

from tests.contract.test_objects import on
from tests.contract.tools import providers

pytestmark = pytest.mark.engine
# What the real provider tells of causes are passing status lines; the stand-in promises them in the error.
STAND_IN = any("pulumi-resource-kubernetes: the stand-in" in line for line in providers())


def workload(cluster, kind, name, image="busybox:1.36", timeout="60s", annotations=None):
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": image}]}}
    extra = {"replicas": 2} if kind == "Deployment" else {}

    def program():
        timeouts = pulumi.CustomTimeouts(create=timeout, update=timeout)
        getattr(kubernetes.apps.v1, kind)(
            "it",
            metadata={"name": name, "namespace": "default", "annotations": annotations or {}},
            spec={**extra, "selector": {"match_labels": labels}, "template": template},
            opts=pulumi.ResourceOptions.merge(on(cluster), pulumi.ResourceOptions(custom_timeouts=timeouts)),
        )

    return program


@pytest.mark.parametrize("kind", ["Deployment", "DaemonSet"])
def test_waits_until_all_pods_are_there(project, cluster, played, kind):
    name = f"waited-{kind.lower()}"
    with played():
        first = project.up(workload(cluster, kind, name))
        assert first.ok, first.text
        status = project.resources()["it"]["outputs"]["status"]
        assert status["observedGeneration"] >= 1
        assert status.get("availableReplicas", status.get("numberAvailable")) in (2, 3)
        again = project.up(workload(cluster, kind, name))
        assert again.changes == []
        changed = project.up(workload(cluster, kind, name, image="busybox:1.37"))
        assert changed.ok, changed.text
        assert changed.changes == [("update", "it")]
    assert project.destroy().ok


def a_pod_in_trouble(cluster, name):
    """A pod as a controller would have made it, which can't pull its image, and an event of its sandbox."""
    pod = cluster.post(
        "/api/v1/namespaces/default/pods",
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"{name}-1-abcde", "labels": {"app": name}},
            "spec": {"containers": [{"name": "main", "image": "busybox:1.36"}]},
        },
    )
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}
    main = {"name": "main", "image": "busybox:1.36", "imageID": "", "ready": False, "restartCount": 0, "state": waiting}
    unready = {"status": "False", "reason": "ContainersNotReady", "message": "containers with unready status: [main]"}
    conditions = [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", **unready}]
    cluster.patch(
        f"/api/v1/namespaces/default/pods/{pod['metadata']['name']}/status",
        {"status": {"phase": "Pending", "conditions": conditions, "containerStatuses": [main]}},
    )
    about = {"kind": "Pod", "namespace": "default", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}
    cluster.post(
        "/api/v1/namespaces/default/events",
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{name}-1.sandbox"},
            "involvedObject": about,
            "type": "Warning",
            "reason": "FailedCreatePodSandBox",
            "message": 'failed to find plugin "macvlan" in path [/opt/cni/bin]',
        },
    )


@pytest.mark.parametrize("kind", ["Deployment", "DaemonSet"])
def test_unhealthy_workload_fails_and_stays_in_the_state(project, cluster, played, kind):
    name = f"sick-{kind.lower()}"
    a_pod_in_trouble(cluster, name)
    with played(healthy=False):
        started = time.monotonic()
        outcome = project.up(workload(cluster, kind, name, timeout="4s"))
        assert not outcome.ok
        assert 3 < time.monotonic() - started < 60
        assert "failed to fully initialize or become live" in outcome.text
        if STAND_IN:
            assert "ImagePullBackOff" in outcome.text
            assert 'failed to find plugin "macvlan" in path [/opt/cni/bin]' in outcome.text
    assert project.resources()["it"]["initErrors"]
    # The next one does not make a second object, but waits for the first again.
    with played():
        mended = project.up(workload(cluster, kind, name, image="busybox:1.37", timeout="60s"))
        assert mended.ok, mended.text
        assert mended.changes == [("update", "it")]
    assert "initErrors" not in project.resources()["it"]
    assert project.up(workload(cluster, kind, name, image="busybox:1.37", timeout="60s")).changes == []
    assert project.destroy().ok


def test_skip_await_does_not_wait(project, cluster):
    outcome = project.up(workload(cluster, "Deployment", "unwaited", annotations={"pulumi.com/skipAwait": "true"}))
    assert outcome.ok, outcome.text
    assert project.destroy().ok


def waited(cluster, name, expression):
    def program():
        kubernetes.core.v1.ConfigMap(
            "it",
            metadata={
                "name": name,
                "namespace": "default",
                "annotations": {"pulumi.com/waitFor": expression, "pulumi.com/timeoutSeconds": "3"},
            },
            data={"phase": "Ready"},
            opts=on(cluster),
        )

    return program


def test_wait_for_a_json_path(project, cluster):
    assert project.up(waited(cluster, "path-found", "jsonpath={.data.phase}=Ready")).ok
    assert project.destroy().ok
    missing = project.up(waited(cluster, "path-missing", "jsonpath={.data.other}"))
    assert not missing.ok
    assert "failed to fully initialize or become live" in missing.text
    assert project.resources()["it"]["id"] == "default/path-missing"


def test_a_dead_cluster_is_said_so(project, cluster):
    from tests.contract.ssh_server import free_port

    def program(server, **other):
        def graph():
            kubernetes.core.v1.ConfigMap(
                "it",
                metadata={"name": "unreachable", "namespace": "default"},
                data={"a": "1"},
                opts=on(cluster, kubeconfig=cluster.kubeconfig.replace(cluster.server, server), **other),
            )

        return graph

    dead = f"https://127.0.0.1:{free_port()}"
    outcome = project.up(program(dead))
    assert not outcome.ok
    assert "unreachable" in outcome.text
    assert project.up(program(cluster.server)).ok
    # Another address of the same cluster (clusterIdentifier) replaces nothing.
    moved = project.preview(program(dead, delete_unreachable=True))
    assert not any("replace" in operation for operation, _ in moved.changes)
