"""Images: what is in them, how they start, and that their digests are true."""

import hashlib
import json
import tarfile

import pytest

from lab.mirror import images
from lab.toolchain import modules
from multus_site.mirror.registry import blob, names

MULTUS = f"ghcr.io/k8snetworkplumbingwg/multus-cni:v{modules.MULTUS}-thick"
WHEREABOUTS = f"ghcr.io/k8snetworkplumbingwg/whereabouts:v{modules.WHEREABOUTS}"
BUSYBOX = "docker.io/library/busybox:1.36"
PYTHON = "docker.io/library/python:3.13-alpine"


def manifest(registry, name):
    return json.loads(blob(registry, names(registry)[name]).read_text())


def config(registry, name):
    return json.loads(blob(registry, manifest(registry, name)["config"]["digest"]).read_text())


def contents(registry, name):
    found = {}
    for layer in manifest(registry, name)["layers"]:
        with tarfile.open(blob(registry, layer["digest"])) as tar:
            found |= {member.name: member for member in tar}
    return found


def test_every_blob_is_what_its_digest_says(registry):
    for path in (registry / "blobs" / "sha256").iterdir():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name


def test_what_a_manifest_names_is_there_in_its_size(registry):
    for name in names(registry):
        content = manifest(registry, name)
        for part in (content["config"], *content["layers"]):
            assert blob(registry, part["digest"]).stat().st_size == part["size"]
        assert config(registry, name)["rootfs"]["diff_ids"] == [layer["digest"] for layer in content["layers"]]


def test_what_kubeadm_and_the_site_pull_is_there(registry):
    assert set(names(registry)) == {
        *(
            f"registry.k8s.io/kube-{part}:v{modules.KUBERNETES}"
            for part in ("apiserver", "controller-manager", "scheduler", "proxy")
        ),
        "registry.k8s.io/pause:3.10.1",
        f"registry.k8s.io/coredns/coredns:v{modules.COREDNS}",
        f"docker.io/flannel/flannel:v{modules.FLANNEL}",
        MULTUS,
        "docker.io/nicolaka/netshoot:v0.13",
        WHEREABOUTS,
        BUSYBOX,
        PYTHON,
    }


def test_multus_is_where_its_manifest_calls_it(registry):
    there = contents(registry, MULTUS)
    for program in ("multus-daemon", "install_multus", "multus-shim"):
        assert there[f"usr/src/multus-cni/bin/{program}"].mode == 0o755
    assert config(registry, MULTUS)["config"]["Entrypoint"] == ["/usr/src/multus-cni/bin/multus-daemon"]


def test_whereabouts_has_the_shell_and_the_scripts_that_its_daemon_starts_with(registry):
    there = contents(registry, WHEREABOUTS)
    for name in ("whereabouts", "ip-control-loop", "install-cni.sh", "lib.sh", "token-watcher.sh"):
        assert there[name].mode == 0o755
    assert there["bin/sh"].linkname == "busybox"


@pytest.mark.parametrize("part", ["kube-proxy", "flannel", "multus"])
def test_what_sets_up_networks_has_iptables(registry, part):
    [name] = [name for name in names(registry) if part in name]
    assert "./sbin/iptables" in contents(registry, name)


def test_busybox_has_its_applets_and_starts_a_shell(registry):
    there = contents(registry, BUSYBOX)
    for applet in ("sh", "ip", "ping", "tail"):
        assert there[f"bin/{applet}"].linkname == "busybox"
    assert there["bin/busybox"].isfile()
    settings = config(registry, BUSYBOX)["config"]
    assert settings["Cmd"] == ["sh"]
    assert "Entrypoint" not in settings


def test_what_repairs_interfaces_has_python_and_no_other_image_has(registry):
    assert [name for name in names(registry) if "./usr/bin/python3" in contents(registry, name)] == [PYTHON]


def test_anyone_may_write_to_tmp(registry):
    for name in (BUSYBOX, f"registry.k8s.io/kube-apiserver:v{modules.KUBERNETES}"):
        assert contents(registry, name)["tmp"].mode == 0o1777


def test_they_are_made_once_and_come_out_the_same(registry, cache, go, parts, said):
    assert images.build(cache, go, parts, said) == registry
    before = names(registry)
    registry.rename(registry.with_name("moved"))
    assert names(images.build(cache, go, parts, said)) == before


def test_nothing_but_what_is_served_stays(registry):
    assert sorted(path.name for path in registry.iterdir()) == ["blobs", "index.json", "oci-layout"]
