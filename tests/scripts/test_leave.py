"""multus_site/scripts/leave.sh against a real API server: drained and out, or left as it was with the reason. No kubelet plays here: pods end at once or not at all."""

import os
import subprocess

import pytest

from multus_site.render.script import script
from tests.contract import control_plane
from tests.contract.tools import tool

pytestmark = pytest.mark.engine

NODES, PODS = "/api/v1/nodes", "/api/v1/namespaces/default/pods"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    tool("kubectl")
    with control_plane.running(tmp_path_factory.mktemp("control-plane")) as running:
        yield running


def add_node(cluster, name, ready="True"):
    cluster.post(NODES, {"metadata": {"name": name}})
    conditions = [{"type": "Ready", "status": ready, "reason": "test", "message": "test"}]
    cluster.patch(f"{NODES}/{name}/status", {"status": {"conditions": conditions}})


def add_pod(cluster, name, node, **spec):
    container = {"name": "main", "image": "docker.io/library/busybox:1.36"}
    pod = {"metadata": {"name": name, "labels": {"app": name}}, "spec": {"nodeName": node, "containers": [container]}}
    pod["spec"] |= {"terminationGracePeriodSeconds": 0, "automountServiceAccountToken": False, **spec}
    cluster.post(PODS, pod)


@pytest.fixture
def leave(cluster, tmp_path):
    """Runs the script for a node."""

    def run(node, first="", admin=None, seconds=4, kubectl=None):
        config = tmp_path / "admin.conf"
        config.write_text(cluster.kubeconfig)
        variables = {"NODE": node, "KUBECTL": str(kubectl or tool("kubectl")), "ADMIN": str(admin or config)}
        text = script("leave", {**variables, "SECONDS_TO_DRAIN": str(seconds), "FIRST": first})
        return subprocess.run(
            ["sh", "-s", "leave"],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={**os.environ, "KUBECONFIG": ""},
        )

    return run


def test_it_is_drained_and_out(cluster, leave):
    add_node(cluster, "drained")
    add_pod(cluster, "of-it", "drained")
    add_pod(cluster, "of-another", "elsewhere")
    done = leave("drained")
    assert done.stdout.splitlines() == ["drained is drained and out of the cluster"], done.stderr
    assert cluster.get(f"{NODES}/drained") is None
    assert cluster.get(f"{PODS}/of-it") is None
    assert cluster.get(f"{PODS}/of-another") is not None
    again = leave("drained")
    assert (again.returncode, again.stdout) == (0, "drained is not in the cluster\n")


def test_a_dead_one_is_not_waited_for(cluster, leave):
    add_node(cluster, "dead", ready="Unknown")
    add_pod(cluster, "stranded", "dead", terminationGracePeriodSeconds=30)
    done = leave("dead")
    assert (done.returncode, done.stdout) == (0, "dead is out of the cluster\n"), done.stderr
    assert cluster.get(f"{NODES}/dead") is None


def test_one_that_can_not_be_drained_stays_as_it_was(cluster, leave):
    """Its pod has half a minute to end, and nobody is there to end it."""
    add_node(cluster, "busy")
    add_pod(cluster, "slow", "busy", terminationGracePeriodSeconds=30)
    done = leave("busy")
    assert done.returncode == 1
    assert done.stderr.startswith("busy was not drained within 4 s, so its machine stays as it was: ")
    assert "kubectl get pods -A --field-selector spec.nodeName=busy" in done.stderr
    assert not cluster.get(f"{NODES}/busy")["spec"].get("unschedulable")


@pytest.mark.parametrize("asked", [" drain ", "jsonpath"])
def test_what_fails_once_is_asked_again_until_its_time_is_up(cluster, leave, tmp_path, asked):
    """The first round comes to nothing, or the API server does not answer when it is asked for the node: there is time for another."""
    add_node(cluster, "slow-to-go")
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(
        f'#!/bin/sh\ncase "$*" in *"{asked}"*) [ -e {tmp_path}/tried ] || {{ touch {tmp_path}/tried; exit 1; }} ;; esac\n'
        f'exec {tool("kubectl")} "$@"\n'
    )
    kubectl.chmod(0o755)
    done = leave("slow-to-go", seconds=300, kubectl=kubectl)
    assert (done.returncode, done.stdout) == (0, "slow-to-go is drained and out of the cluster\n"), done.stderr
    assert (tmp_path / "tried").exists()


def test_an_api_server_that_goes_in_the_middle_is_no_dead_node(cluster, leave, tmp_path):
    add_node(cluster, "unasked")
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(
        f'#!/bin/sh\ncase "$*" in *jsonpath*|*" drain "*|*" uncordon "*) echo "no answer" >&2; exit 1 ;; esac\nexec {tool("kubectl")} "$@"\n'
    )
    kubectl.chmod(0o755)
    done = leave("unasked", kubectl=kubectl)
    assert done.returncode == 1
    assert done.stderr.startswith("unasked was not drained within 4 s, so its machine stays as it was: no answer")
    assert cluster.get(f"{NODES}/unasked") is not None


def test_the_first_one_stays(cluster, leave):
    add_node(cluster, "first")
    done = leave("first", first="first is the first control plane node")
    assert (done.returncode, done.stderr) == (1, "first is the first control plane node\n")
    assert not cluster.get(f"{NODES}/first")["spec"].get("unschedulable")
    # Once it is in the cluster no more (Kubespray took it out) it may go like any other.
    assert leave("never-was", first="first is the first control plane node").returncode == 0


def test_where_no_cluster_is_there_is_nothing_to_leave(leave, tmp_path):
    done = leave("any", admin=tmp_path / "none")
    assert (done.returncode, done.stdout) == (0, "no cluster: nothing to leave\n")


def test_an_api_server_that_does_not_answer_stops_it(cluster, leave, tmp_path):
    gone = tmp_path / "gone.conf"
    gone.write_text(cluster.kubeconfig.replace(cluster.server, "https://127.0.0.1:9"))
    done = leave("any", admin=gone)
    assert done.returncode == 1
    assert (
        "any was not taken out of the cluster, so its machine stays as it was: the API server does not answer"
        in done.stderr
    )
