"""Plugins that a node needs, whoever installed them: their files as the probe finds them, and what the check says."""

import json
import os

import pytest

from multus_site.model.load import parse_site
from multus_site.render.attachment import called_plugins
from multus_site.verify import probe
from multus_site.verify.expectation import ExpectedNode
from multus_site.verify.nodes import judge_node
from multus_site.verify.observed import NodeSeen
from tests.graph.recording import lab_site
from tests.verify.seen import CONF

PLUGIN = """#!/bin/sh
[ "$CNI_COMMAND" = VERSION ] && cat >/dev/null && echo '{"cniVersion": "1.0.0", "supportedVersions": ["0.4.0", "1.0.0"]}'
"""
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="plugins belong to root")


@pytest.fixture
def plugin(tmp_path):
    def write(text=PLUGIN, mode=0o755):
        path = tmp_path / "host-local"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        return path

    return write


def test_a_plugin_that_works(plugin):
    assert probe.program(plugin()) == {"fault": ""}


@pytest.mark.parametrize(
    ("text", "mode", "fault"),
    [
        (PLUGIN, 0o644, "it cannot be executed: mode 644"),
        (PLUGIN, 0o757, "others than root may change it: mode 757, owner 0:0"),
        (
            b"\x7fELF\x02\x01\x01" + b"\0" * 9 + b"\x02\0\xb7\0" + b"\0" * 44,
            0o755,
            "it does not run: Exec format error",
        ),
        (b"", 0o755, "it does not run: Exec format error"),
        ("#!/no/such/shell\n", 0o755, "it does not run: No such file or directory"),
        ("#!/bin/sh\necho hello\n", 0o755, "it does not answer CNI_COMMAND=VERSION"),
        ("#!/bin/sh\nexit 1\n", 0o755, "it does not answer CNI_COMMAND=VERSION"),
        ("#!/bin/sh\necho '[1]'\n", 0o755, "it does not answer CNI_COMMAND=VERSION"),
    ],
)
def test_a_plugin_that_does_not(text, mode, fault, plugin):
    assert probe.program(plugin(text, mode)) == {"fault": fault}


def test_a_plugin_that_hangs(plugin, monkeypatch):
    monkeypatch.setattr(probe, "VERSION_SECONDS", 0.3)
    assert probe.program(plugin("#!/bin/sh\nexec sleep 60\n")) == {"fault": "it does not answer within 0.3 s"}


def test_a_plugin_of_somebody_else_or_gone(plugin, tmp_path):
    path = plugin()
    os.chown(path, 1000, 1000)
    assert probe.program(path) == {"fault": "others than root may change it: mode 755, owner 1000:1000"}
    path.unlink()
    assert probe.program(path) == {"fault": "there is no such file"}
    path.symlink_to(tmp_path / "moved-away")
    assert probe.program(path)["fault"].startswith("it cannot be read: ")
    path.unlink()
    path.mkdir()
    assert probe.program(path) == {"fault": "it is no regular file"}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('{"type": "bridge", "ipam": {"type": "host-local"}}', ["bridge", "host-local"]),
        ('{"plugins": [{"type": "calico", "ipam": {"type": "calico-ipam"}}, {"type": "portmap"}]}', ["calico", "portmap", "calico-ipam"]),
        ('{"plugins": [{"type": "../../bin/sh"}, {"type": 3}, {"type": "loopback"}]}', ["loopback"]),
        ('{"plugins": 3}', []),
        ('{"plugins": [3]}', []),
        ("[]", []),
        ("{", []),
    ],
)  # fmt: skip
def test_the_plugins_of_the_clusters_network(text, names, tmp_path):
    (tmp_path / "10-cluster.conflist").write_text(text)
    assert probe.called_by(tmp_path / "10-cluster.conflist") == names


def failures(expected, **seen):
    whole = {"files": ("00-multus.conf",), "multus_conf": CONF, "daemon": "multus-1", "daemon_ready": True, **seen}
    checks = judge_node(expected, NodeSeen.model_validate(whole))
    return [check.detail for check in checks if check.check == "plugin-binary" and not check.ok]


def test_every_plugin_is_checked_whoever_installed_it():
    node = ExpectedNode(name="node1", plugins={"macvlan": "a" * 64}, needed=("macvlan", "whereabouts"))
    good = {"macvlan": {}, "whereabouts": {}, "bridge": {}, "host-local": {}}
    cluster = ("bridge", "host-local")
    assert failures(node, binaries={"macvlan": "a" * 64}, programs=good, cluster=cluster) == []
    for name, users in (
        ("macvlan", "networks of the site"),
        ("whereabouts", "networks of the site"),
        ("host-local", "the cluster's own network"),
    ):
        programs = {**good, name: {"fault": "there is no such file"}}
        assert failures(node, binaries={"macvlan": "a" * 64}, programs=programs, cluster=cluster) == [
            f"/opt/cni/bin/{name}: there is no such file; needed by {users}"
        ]
    assert failures(node, binaries={"macvlan": "b" * 64}, programs=good, cluster=cluster) == [
        f"/opt/cni/bin/macvlan has sha256 {'b' * 64}; expected: {'a' * 64}"
    ]


def test_the_plugins_of_a_sites_networks():
    site = parse_site(
        lab_site(
            networks={
                "one": {"type": "macvlan", "master": "ens6", "ipam": {"type": "whereabouts", "range": "10.1.10.0/24"}, "chain": [{"type": "tuning", "allmulti": True}]},
                "two": {"type": "raw", "config": {"cniVersion": "1.0.0", "name": "two", "plugins": [{"type": "bridge", "ipam": {"type": "static"}}]}},
            },
            workloads={},
        ),
        source="x",
    )  # fmt: skip
    assert called_plugins(site, "node2") == ("bridge", "macvlan", "static", "tuning", "whereabouts")


def test_what_the_probe_prints_is_read(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    monkeypatch.setattr(probe, "BIN", tmp_path / "bin")
    answer = probe.look_at_node({"binaries": [], "needed": ["sbr"], "uplinks": []})
    assert answer["names"]
    seen = NodeSeen.model_validate(json.loads(json.dumps(answer)))
    assert seen.programs["sbr"].fault == "there is no such file"
