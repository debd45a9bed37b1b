"""`multus-site adopt` on a real API server: the site that it writes makes the same NetworkAttachmentDefinitions again."""

import contextlib
import json
import time

import pytest
import yaml
from typer.testing import CliRunner

from multus_site.__main__ import app
from multus_site.model.load import parse_stack_text
from multus_site.render.attachment import nad_manifest
from multus_site.render.multus import crd

NADS = "/apis/k8s.cni.cncf.io/v1/namespaces/{}/network-attachment-definitions"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE6UjHoFP2mV0r7K9pMZ2EEq4xJd6JvLqdTXCI2jX1rI"
RANGE = {"subnet": "10.1.10.0/24", "rangeStart": "10.1.10.200", "rangeEnd": "10.1.10.250", "gateway": "10.1.10.1"}
IPAM = {"type": "host-local", "ranges": [[RANGE]], "routes": [{"dst": "10.20.0.0/16", "gw": "10.1.10.1"}]}
MACVLAN = {"type": "macvlan", "master": "ens6", "mode": "bridge"}
CONFIGS = {
    ("default", "internal"): {"cniVersion": "1.0.0", "name": "internal", "plugins": [{**MACVLAN, "ipam": IPAM}]},
    ("default", "plain"): {"cniVersion": "1.0.0", "name": "plain", "plugins": [{**MACVLAN, "mtu": 9000, "ipam": {}}]},
    ("telecom", "chained"): {
        "cniVersion": "1.0.0",
        "name": "chained",
        "plugins": [{**MACVLAN, "ipam": {}}, {"type": "tuning"}],
    },
    ("telecom", "other"): {"cniVersion": "0.3.1", "name": "other", "type": "some-plugin", "mode": "l2"},
}


def served(cluster):
    """Whether the new kind can be listed: the server answers 404, then 429, then the list."""
    with contextlib.suppress(AssertionError):
        return cluster.get(NADS.format("default")) is not None
    return False


@pytest.fixture
def networks(cluster):
    """The NADs of CONFIGS and a node; taken away again, for others use the same API server."""
    definition = crd()
    kind = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", **definition}
    name, path = definition["metadata"]["name"], "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    cluster.post(path, kind)
    cluster.post("/api/v1/namespaces", {"metadata": {"name": "telecom"}})
    deadline = time.monotonic() + 60
    while not served(cluster):
        assert time.monotonic() < deadline, "the CRD is not served"
        time.sleep(0.2)
    for (namespace, own), config in CONFIGS.items():
        manifest = {"metadata": {"name": own, "namespace": namespace}, "spec": {"config": json.dumps(config)}}
        version = {"apiVersion": "k8s.cni.cncf.io/v1", "kind": "NetworkAttachmentDefinition"}
        cluster.post(NADS.format(namespace), {**version, **manifest})
    labels = {"node-role.kubernetes.io/control-plane": ""}
    cluster.post("/api/v1/nodes", {"metadata": {"name": "node1", "labels": labels}})
    addresses = [{"type": "InternalIP", "address": "10.1.1.5"}]
    cluster.patch("/api/v1/nodes/node1/status", {"status": {"addresses": addresses}})
    yield
    cluster.delete(f"{path}/{name}")
    cluster.delete("/api/v1/namespaces/telecom")
    cluster.delete("/api/v1/nodes/node1")


@pytest.mark.usefixtures("networks")
def test_there_and_back(cluster, tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "kubeconfig").write_text(cluster.kubeconfig)
    output = tmp_path / "Pulumi.dallas.yaml"
    args = ["adopt", "--kubeconfig", str(tmp_path / "kubeconfig"), "--name", "dallas", "-o", str(output)]
    result = CliRunner().invoke(app, args)
    assert result.exit_code == 0, result.output
    # Our own folder ends with this process.
    assert [path.name for path in (tmp_path / "temporary").glob("tmp*")] == []
    assert "THIRD_PARTY_PLUGIN" in result.stderr

    data = yaml.safe_load(output.read_text())
    assert data["config"]["multus-site:site"]["nodes"]["hosts"]["node1"]["address"] == "10.1.1.5"
    data["config"]["multus-site:site"]["nodes"]["hosts"]["node1"]["hostKey"] = KEY
    site = parse_stack_text(yaml.safe_dump(data), source=output.name)
    assert {name: network.type for name, network in site.networks.items()} == {
        "internal": "macvlan", "plain": "macvlan", "chained": "macvlan", "other": "raw",
    }  # fmt: skip
    for name, network in site.networks.items():
        made = nad_manifest(name, network)
        there = cluster.get(f"{NADS.format(network.namespace)}/{name}")
        assert json.loads(made["spec"]["config"]) == json.loads(there["spec"]["config"])
        assert made["metadata"]["namespace"] == there["metadata"]["namespace"]
