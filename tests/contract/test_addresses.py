"""`multus-site addresses` against a real API server: what is taken, what is taken twice, and what is in no range."""

import json

import pytest
from typer.testing import CliRunner

from multus_site.__main__ import app
from tests.lab.running import PROJECT

PODS = "/api/v1/namespaces/default/pods"
STATUS = "k8s.v1.cni.cncf.io/network-status"
NETWORK = "default/macvlan-internal"


@pytest.fixture
def hold(cluster):
    """Makes pods that hold an address each, as Multus would have written it down; takes them away again."""
    made = []

    def pod(name, address):
        status = [
            {"name": "cbr0", "interface": "eth0", "ips": ["10.233.64.5"], "default": True},
            {"name": NETWORK, "interface": "net1", "ips": [address]},
        ]
        metadata = {"name": name, "annotations": {STATUS: json.dumps(status)}}
        spec = {"containers": [{"name": "c", "image": "docker.io/library/busybox:1.36"}], "nodeName": "node2"}
        cluster.post(PODS, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
        made.append(name)

    yield pod
    for name in made:
        cluster.delete(f"{PODS}/{name}?gracePeriodSeconds=0")


@pytest.fixture
def addresses(cluster, tmp_path):
    """The command's exit status, plan and errors."""

    def run(*more):
        (tmp_path / "kubeconfig").write_text(cluster.kubeconfig)
        file = PROJECT / "stacks" / "Pulumi.lab.yaml"
        args = ["addresses", str(file), "--kubeconfig", str(tmp_path / "kubeconfig"), *more]
        return CliRunner().invoke(app, args)

    return run


def test_what_is_taken_and_how_full(hold, addresses):
    hold("a", "10.1.10.200")
    hold("b", "10.1.10.201")
    done = addresses("--json")
    assert done.exit_code == 0, done.output
    line = next(line for line in json.loads(done.stdout)["lines"] if line["network"] == NETWORK)
    assert [(t["address"], t["pod"], t["node"]) for t in line["taken"]] == [
        ("10.1.10.200", "default/a", "node2"),
        ("10.1.10.201", "default/b", "node2"),
    ]
    assert line["full"] == round(2 / 51, 4)
    assert "10.1.10.200  default/a on node2" in addresses().stdout


def test_what_is_wrong_is_said_and_is_the_exit_status(hold, addresses):
    hold("a", "10.1.10.200")
    hold("b", "10.1.10.200")
    hold("c", "10.1.99.1")
    done = addresses()
    assert done.exit_code == 1
    assert f"10.1.10.200 of {NETWORK} is in use by default/a and default/b" in done.stderr
    assert f"10.1.99.1 of default/c is in no range of {NETWORK}" in done.stderr


def test_a_cluster_that_does_not_answer(tmp_path):
    (tmp_path / "kubeconfig").write_text("apiVersion: v1\nkind: Config\n")
    file = PROJECT / "stacks" / "Pulumi.lab.yaml"
    done = CliRunner().invoke(app, ["addresses", str(file), "--kubeconfig", str(tmp_path / "kubeconfig")])
    assert done.exit_code == 2
    assert "the cluster cannot be read" in done.stderr
