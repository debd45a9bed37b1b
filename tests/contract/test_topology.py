"""Labels and taints on the nodes of a real API server; pods that are spread and tolerate, as it takes them."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from multus_site.model.load import parse_site
from multus_site.model.racks import Taint
from multus_site.render import repair
from multus_site.render.workload import Surroundings, objects
from tests.contract.tools import tool
from tests.graph.recording import lab_site
from tests.render.placement import in_racks

PROJECT = Path(__file__).parents[2]
FINISH = PROJECT / "lab/kubespray-standin/roles/finish/files/finish.sh"
DEDICATED = {"key": "multus-site/dedicated", "value": "c1", "effect": "NoSchedule"}
API = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1", "Service": "v1", "CronJob": "batch/v1"}  # fmt: skip


@pytest.fixture
def nodes(cluster):
    """Names of two nodes, which the API server has given a taint of its own: nobody has said that they are ready."""
    names = [f"node-{uuid.uuid4().hex[:8]}" for _ in range(2)]
    for name in names:
        cluster.post("/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})
    yield names
    for name in names:
        cluster.delete(f"/api/v1/nodes/{name}")


def run(cluster, verb, nodes):
    return subprocess.run(
        [sys.executable, "-m", "multus_site.nodes.topology", verb],
        input=json.dumps({"kubeconfig": cluster.kubeconfig, "nodes": nodes}),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


def seen(cluster, name):
    """Labels of a node, and its taints but the API server's own."""
    node = cluster.get(f"/api/v1/nodes/{name}")
    taints = node["spec"].get("taints", [])
    assert "node.kubernetes.io/not-ready" in {t["key"] for t in taints}
    return node["metadata"].get("labels", {}), [t for t in taints if not t["key"].startswith("node.kubernetes.io/")]


def test_set_changed_and_taken_away_again(cluster, nodes):
    first, second = nodes
    wanted = {first: {"labels": {"topology.multus-site/rack": "c1"}, "taints": [DEDICATED]}, second: {}}
    done = run(cluster, "apply", wanted)
    assert done.returncode == 0, done.stderr
    assert f"labels and taints of {first}\n" in done.stderr
    assert seen(cluster, first) == ({"topology.multus-site/rack": "c1"}, [DEDICATED])
    assert seen(cluster, second) == ({}, [])

    version = cluster.get(f"/api/v1/nodes/{first}")["metadata"]["resourceVersion"]
    again = run(cluster, "apply", wanted)
    assert (again.returncode, again.stderr, again.stdout) == (0, "", done.stdout)
    assert cluster.get(f"/api/v1/nodes/{first}")["metadata"]["resourceVersion"] == version

    cluster.patch(f"/api/v1/nodes/{first}", {"metadata": {"labels": {"theirs": "x"}}})
    harder = {**DEDICATED, "effect": "NoExecute"}
    assert run(cluster, "apply", {first: {"labels": {"row": "a"}, "taints": [harder]}}).returncode == 0
    labels, (taint,) = seen(cluster, first)
    assert labels == {"row": "a", "theirs": "x"}
    assert {key: taint[key] for key in harder} == harder

    assert run(cluster, "remove", {first: {}, second: {}}).returncode == 0
    assert seen(cluster, first) == ({"theirs": "x"}, [])


def test_nothing_is_touched_where_a_node_is_missing(cluster, nodes):
    done = run(cluster, "apply", {nodes[0]: {"labels": {"row": "a"}}, "node-9": {}})
    assert done.returncode == 1
    assert done.stderr == "topology: node-9: the cluster has no such node; see `kubectl get nodes`, and run `pulumi up` again once it has joined\n"  # fmt: skip
    assert seen(cluster, nodes[0]) == ({}, [])


def test_a_cluster_that_does_not_answer_is_an_error_in_a_line(cluster):
    gone = cluster.kubeconfig.replace(cluster.server, "https://127.0.0.1:9")
    done = subprocess.run(
        [sys.executable, "-m", "multus_site.nodes.topology", "apply"],
        input=json.dumps({"kubeconfig": gone, "nodes": {}}),
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("topology: the cluster cannot be reached: ")
    assert "Traceback" not in done.stderr


def test_the_stand_in_sets_what_kubespray_would_and_takes_nothing_away(cluster, nodes, tmp_path):
    config = tmp_path / "kubeconfig"
    config.touch(mode=0o600)
    config.write_text(cluster.kubeconfig)
    first, second = nodes

    def finish(labels, taints):
        subprocess.run(
            ["sh", "-s"], input=FINISH.read_text(), text=True, check=True, capture_output=True,
            env={"KUBECTL": f"{tool('kubectl')} --kubeconfig {config}", "NODES": "", "NETWORK": "", "LABELS": labels, "TAINTS": taints, "PATH": "/usr/bin:/bin",
                "HOME": str(tmp_path)},
        )  # fmt: skip

    finish(f"{first} a=1\n{second} a=2\n", f"{first} multus-site/dedicated=c1:NoSchedule example.com/x=:NoExecute\n")
    assert seen(cluster, first)[0] == {"a": "1"}
    assert {t["effect"] for t in seen(cluster, first)[1]} == {"NoSchedule", "NoExecute"}
    assert seen(cluster, second) == ({"a": "2"}, [])
    finish(f"{first} b=1\n", f"{first} multus-site/dedicated=c2:NoSchedule\n")
    labels, taints = seen(cluster, first)
    assert labels == {"a": "1", "b": "1"}
    assert {(t["key"], t.get("value", "")) for t in taints} == {("multus-site/dedicated", "c2"), ("example.com/x", "")}


@pytest.mark.parametrize(
    "more",
    [
        {"spread": ["rack", {"over": "node", "maxSkew": 2, "whenUnsatisfiable": "ScheduleAnyway"}], "replicas": 3},
        {"kind": "StatefulSet", "spread": "row", "racks": ["c1"], "replicas": 2},
        {"kind": "DaemonSet"},
        {"kind": "DaemonSet", "racks": ["r1", "c1"]},
        {"nodes": ["node3"]},
    ],
)
def test_the_api_server_takes_the_pods(cluster, more):
    site = parse_site(
        in_racks(lab_site(), {"image": "docker.io/library/busybox:1.36", **more}, dedicated=True), source="x"
    )
    workload = site.workloads["w"]
    around = Surroundings(
        image=workload.image,
        nodes=site.restricted_to(workload),
        shunned_racks=["c1"],
        tolerated=site.tolerated(workload),
    )
    for made in objects("w", workload, around):
        accepted(cluster, made.kind, made.body)


def test_the_api_server_takes_the_check_of_interfaces(cluster):
    accepted(
        cluster, "CronJob", repair.cron_job("i:1", repair.Scope(None, None, (), 5), [Taint.model_validate(DEDICATED)])
    )


def accepted(cluster, kind, body):
    """Created on trial: checked in full, every unknown field an error, and not kept."""
    version = API[kind]
    group = f"/apis/{version}" if "/" in version else f"/api/{version}"
    path = f"{group}/namespaces/{body['metadata']['namespace']}/{kind.lower()}s?dryRun=All&fieldValidation=Strict"
    cluster.post(path, {"apiVersion": version, "kind": kind, **body})
