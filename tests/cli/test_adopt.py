"""`multus-site adopt`: what is there becomes a site that would make it."""

import json

import pytest
import yaml
from typer.testing import CliRunner

from multus_site.__main__ import app
from multus_site.cli import cluster
from multus_site.cli.adoption import Adopted
from multus_site.cni.uplinks import nics
from multus_site.model.load import parse_stack_text
from multus_site.render.attachment import nad_manifest

MACVLAN = {"cniVersion": "1.0.0", "name": "a", "type": "macvlan", "master": "ens6"}
LEASE = {"type": "dhcp", "request": [{"skipDefault": True, "option": "subnet-mask"}], "priority": 1000}
RANGE = {"subnet": "10.1.10.0/24", "rangeStart": "10.1.10.200", "rangeEnd": "10.1.10.250", "gateway": "10.1.10.1"}
NODE = {
    "kind": "Node",
    "metadata": {"name": "node1", "labels": {"node-role.kubernetes.io/control-plane": ""}},
    "status": {
        "addresses": [{"type": "Hostname", "address": "node1"}, {"type": "InternalIP", "address": "10.1.1.5"}],
        "nodeInfo": {"architecture": "amd64"},
    },
}


def nad(config, name="a", **metadata):
    text = config if isinstance(config, str) else json.dumps(config)
    return {
        "apiVersion": "k8s.cni.cncf.io/v1",
        "kind": "NetworkAttachmentDefinition",
        "metadata": {"name": name, **metadata},
        "spec": {"config": text},
    }


def adopted(*manifests):
    made = Adopted("dallas")
    made.add(manifests)
    return made


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        (MACVLAN, "macvlan"),
        ({**MACVLAN, "ipam": {}}, "macvlan"),
        ({**MACVLAN, "mode": "vepa", "mtu": 9000, "cniVersion": "0.3.1"}, "macvlan"),
        ({**MACVLAN, "ipam": {"type": "host-local", **RANGE}}, "macvlan"),
        (
            {**MACVLAN, "ipam": {"type": "host-local", "ranges": [[RANGE]], "routes": [{"dst": "10.2.0.0/16"}]}},
            "macvlan",
        ),
        (
            {
                "cniVersion": "1.0.0",
                "name": "a",
                "plugins": [{"type": "macvlan", "master": "ens6", "ipam": {"type": "host-local", "ranges": [[RANGE]]}}],
            },
            "macvlan",
        ),
        ({key: value for key, value in MACVLAN.items() if key != "name"}, "macvlan"),
        ({**MACVLAN, "name": "other"}, "raw"),
        ({**MACVLAN, "bcqueuelen": 100}, "macvlan"),
        ({**MACVLAN, "mac": "02:00:00:00:00:01"}, "raw"),
        ({**MACVLAN, "capabilities": {"mac": True}, "ipam": LEASE}, "macvlan"),
        # Which lets a DHCP server take the pod's default route.
        ({**MACVLAN, "ipam": {"type": "dhcp"}}, "raw"),
        ({**MACVLAN, "ipam": {"type": "whereabouts", "range": "10.1.10.0/24", "network_name": "a"}}, "macvlan"),
        ({**MACVLAN, "ipam": {"type": "whereabouts", "range": "10.1.10.0/24", "log_level": "debug"}}, "raw"),
        ({**MACVLAN, "ipam": {"type": "host-local", "ranges": [[RANGE, {"subnet": "10.1.20.0/24"}]]}}, "raw"),
        (
            {
                "cniVersion": "1.0.0",
                "name": "a",
                "plugins": [{"type": "macvlan", "master": "ens6"}, {"type": "tuning"}],
            },
            "macvlan",
        ),
        ({"cniVersion": "1.0.0", "name": "a", "type": "bridge"}, "bridge"),
        ({"cniVersion": "1.0.0", "name": "a", "type": "ipvlan", "master": "ens6"}, "raw"),
        ({"name": "a", "type": "bridge"}, "raw"),
    ],
)
def test_typed_where_it_renders_to_the_same(config, kind):
    made = adopted(nad(config), NODE)
    assert made.networks["a"]["type"] == kind
    assert made.left_out == []
    text = made.stack_file().replace("address: 10.1.1.5", "address: 10.1.1.5\n          hostKey: ssh-ed25519 " + KEY)
    network = parse_stack_text(text, source="x").networks["a"]
    rendered = json.loads(nad_manifest("a", network)["spec"]["config"])
    assert rendered == config if kind == "raw" else rendered["plugins"][0]["type"] == kind


KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIE6UjHoFP2mV0r7K9pMZ2EEq4xJd6JvLqdTXCI2jX1rI"


def test_annotations_make_it_raw():
    made = adopted(
        nad(
            MACVLAN,
            annotations={
                "k8s.v1.cni.cncf.io/resourceName": "r",
                "kubectl.kubernetes.io/last-applied-configuration": "{}",
            },
        )
    )
    assert made.networks["a"] == {
        "type": "raw",
        "config": MACVLAN,
        "annotations": {"k8s.v1.cni.cncf.io/resourceName": "r"},
    }


@pytest.mark.parametrize(
    ("manifests", "words"),
    [
        ([nad("{")], "not a JSON object"),
        ([nad("")], "not a JSON object"),
        ([nad("[]")], "not a JSON object"),
        ([nad(MACVLAN), nad(MACVLAN, namespace="telecom")], "names of networks are unique"),
        ([nad(MACVLAN, namespace="Telecom")], "dots or capitals"),
        ([nad(MACVLAN, name="a.b")], "default/a.b: its name or namespace has dots or capitals"),
        ([nad('{"type": "macvlan", "mtu": 1e400}')], "default/a: its config has a number that is too large"),
        ([nad(MACVLAN), nad(MACVLAN)], "it is defined twice"),
        ([{"kind": "Node", "metadata": {"name": "n"}}], "no InternalIP"),
        ([{**NODE, "metadata": {"name": "node1.example.org"}}], "DNS labels without dots"),
        ([{**NODE, "status": {**NODE["status"], "nodeInfo": {"architecture": "s390x"}}}], "is amd64 or arm64"),
    ],
)
def test_what_cannot_be_taken_over_is_told(manifests, words):
    assert words in adopted(*manifests).left_out[0]


def test_nodes_and_where_to_get_their_host_keys():
    text = adopted(NODE, nad(MACVLAN)).stack_file()
    assert "node1:  # add hostKey, printed by: ssh-keyscan -t ed25519 10.1.1.5" in text
    assert yaml.safe_load(text)["config"]["multus-site:site"]["nodes"]["hosts"] == {
        "node1": {"address": "10.1.1.5", "roles": ["control-plane", "etcd", "worker"]}
    }


def test_a_tainted_control_plane_is_no_worker():
    node = {**NODE, "spec": {"taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]}}
    assert adopted(node).hosts["node1"]["roles"] == ["control-plane", "etcd"]


def test_from_files(tmp_path):
    (tmp_path / "nads.yaml").write_text(
        yaml.safe_dump_all(
            [
                {"apiVersion": "v1", "kind": "List", "items": [nad(MACVLAN)]},
                nad({**MACVLAN, "name": "b", "mode": "l2"}, "b"),
            ]
        )
    )
    result = CliRunner().invoke(app, ["adopt", str(tmp_path), "--name", "dallas"])
    assert result.exit_code == 0
    site = yaml.safe_load(result.stdout)["config"]["multus-site:site"]
    assert {name: network["type"] for name, network in site["networks"].items()} == {"a": "macvlan", "b": "raw"}
    assert "ENUM" in result.stderr


def test_writes_a_stack_file(tmp_path):
    (tmp_path / "nads.yaml").write_text(yaml.safe_dump(nad(MACVLAN)))
    output = tmp_path / "Pulumi.dallas.yaml"
    result = CliRunner().invoke(app, ["adopt", str(tmp_path / "nads.yaml"), "-o", str(output)])
    assert f"multus-site lint {output}" in result.stdout
    assert output.read_text().startswith("# yaml-language-server: $schema=./site.schema.json\n")


@pytest.mark.parametrize("args", [["no-such-file"], ["."]])
def test_usage_errors(args, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["adopt", *args])
    assert result.exit_code == 2
    assert result.stderr


def test_a_file_that_cannot_be_written(tmp_path):
    (tmp_path / "nads.yaml").write_text(yaml.safe_dump(nad(MACVLAN)))
    result = CliRunner().invoke(app, ["adopt", str(tmp_path / "nads.yaml"), "-o", str(tmp_path / "no" / "x.yaml")])
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr


class _Answer(Exception):
    """What kr8s raises on an answer of the API server."""


def test_a_cluster_without_multus(monkeypatch):
    class Attachment:
        @staticmethod
        def list(**_):
            message = "Client error '404 Not Found' for url '/apis/k8s.cni.cncf.io/v1/network-attachment-definitions'"
            raise _Answer(message)

    monkeypatch.setattr(cluster.kr8s, "api", lambda **_: None)
    monkeypatch.setattr(cluster, "new_class", lambda *_, **__: Attachment)
    result = CliRunner().invoke(app, ["adopt"])
    assert result.exit_code == 2
    assert result.stderr.startswith("the cluster has no CRD for NetworkAttachmentDefinitions: Multus is not installed")


def test_a_cluster_that_does_not_answer(tmp_path):
    kubeconfig = tmp_path / "config"
    server = {"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}
    context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
    kubeconfig.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [server],
                "contexts": [context],
                "users": [{"name": "u", "user": {"token": "t"}}],
                "current-context": "c",
            }
        )
    )
    result = CliRunner().invoke(app, ["adopt", "--kubeconfig", str(kubeconfig)])
    assert result.exit_code == 2
    assert "the cluster cannot be read" in result.stderr


def test_interfaces_of_a_cluster_are_facts(monkeypatch):
    seen = cluster.Seen(
        [nad({**MACVLAN, "master": "ens9"}), NODE], {"node1": ["eth0", "ens6"]}, ["the NICs of node2 are not known: x"]
    )
    monkeypatch.setattr(cluster, "read", lambda *_: seen)
    result = CliRunner().invoke(app, ["adopt"])
    assert "MASTER_NOT_FOUND" in result.stderr
    assert "node2" in result.stderr
    assert yaml.safe_load(result.stdout)["config"]["multus-site:site"]["networks"]["a"]["master"] == "ens9"


def test_any_interface_but_those_of_pods_can_be_a_master():
    masters = ["bond0", "bond0.110", "br-ex", "cni0", "ens6", "vxlan100"]
    assert nics([*masters[::-1], "lo", "bonding_masters", "veth1a2b", "cali9f", "lxc_health"]) == masters


def test_what_manifests_have_besides_networks_is_named_and_no_failure(tmp_path):
    others = [{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "router"}}]
    others += [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"c{i}"}} for i in range(7)]
    listed = {"apiVersion": "v1", "kind": "List", "items": others}
    (tmp_path / "all.yaml").write_text(yaml.safe_dump_all([nad(MACVLAN), listed]))
    result = CliRunner().invoke(app, ["adopt", str(tmp_path / "all.yaml")])
    assert result.exit_code == 0, result.output
    assert "not taken, since only networks and nodes are: Deployment router\n" in result.stderr
    assert "ConfigMap c0, c1, c2, c3, c4 and 2 more" in result.stderr
    assert list(yaml.safe_load(result.stdout)["config"]["multus-site:site"]["networks"]) == ["a"]
