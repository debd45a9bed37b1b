"""The cluster as its operator meets it: the kubeconfig that the stack gives, and what somebody else may have put in."""

import json

import pytest
import yaml

pytestmark = pytest.mark.lab

LOOK = """
import sys
from pathlib import Path
from multus_site.kubespray.document import KubesprayError
from multus_site.kubespray.cluster import refuse_other_multus
from multus_site.ssh.openssh import shell
from multus_site.ssh.ssh_route import Login, SshRoute
way = SshRoute(Login("root", Path(".lab/ssh/id_ed25519").read_text()))
try:
    with shell(way, Path(".work/lab/kubespray/known_hosts").read_text()) as reached:
        refuse_other_multus(reached, {"ansible_host": "10.1.1.5", "ansible_port": 22, "ansible_user": "root"})
except KubesprayError as error:
    sys.exit(str(error))
"""


def test_the_stack_s_kubeconfig_works_with_kubectl(lab, tmp_path):
    file = tmp_path / "lab.kubeconfig"
    file.write_text(lab.pulumi("stack", "output", "kubeconfig", "--show-secrets").stdout)
    nodes = lab.run("kubectl", "--kubeconfig", str(file), "--context", "lab", "get", "nodes", "-o", "name").stdout
    assert nodes.split() == ["node/node1", "node/node2", "node/node3"]
    content = yaml.safe_load(file.read_text())
    assert content["clusters"][0]["cluster"]["server"] == "https://10.1.1.5:6443"
    assert "kubeconfig" not in json.loads(lab.pulumi("stack", "output", "--json").stdout) or "[secret]" in (
        lab.pulumi("stack", "output", "kubeconfig").stdout
    )


def test_multus_of_kubespray_is_found(lab):
    """Nothing of it need run: the DaemonSet alone says that somebody turned it on."""
    assert lab.run(".venv/bin/python", "-c", LOOK).stderr == ""
    container = {"name": "kube-multus", "image": "ghcr.io/k8snetworkplumbingwg/multus-cni:v4.2.2"}
    template = {
        "metadata": {"labels": {"app": "multus"}},
        "spec": {"nodeSelector": {"kubernetes.io/arch": "none"}, "containers": [container]},
    }
    daemon = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "kube-multus-ds-amd64", "namespace": "kube-system"},
        "spec": {"selector": {"matchLabels": {"app": "multus"}}, "template": template},
    }
    lab.kubectl("apply", "-f", "-", given=json.dumps(daemon))
    try:
        found = lab.run(".venv/bin/python", "-c", LOOK, check=False)
    finally:
        lab.kubectl("-n", "kube-system", "delete", "daemonset", "kube-multus-ds-amd64")
    assert found.returncode == 1
    assert "kubectl -n kube-system delete daemonset.apps/kube-multus-ds-amd64; pulumi up" in found.stderr
    assert "Traceback" not in found.stderr
