"""A mirror made of small stand-ins for the real programs."""

import tarfile

import pytest

from lab.mirror import files, images
from lab.mirror.parts import Parts
from lab.reach import Reach
from lab.toolchain import modules
from lab.toolchain.go import Go

PROGRAMS = {
    "kubernetes": (
        *("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"),
        *("kubeadm", "kubelet", "kubectl"),
    ),
    "etcd": ("etcd",),
    "etcdctl": ("etcdctl",),
    "etcdutl": ("etcdutl",),
    "containerd": ("containerd", "containerd-shim-runc-v2", "ctr"),
    "crictl": ("crictl",),
    "cni-plugins": ("bridge", "host-local", "loopback", "macvlan"),
    "coredns": ("coredns",),
    "multus": ("multus-daemon", "multus-shim", "install_multus", "cert-approver"),
    "flannel": ("flannel",),
    "whereabouts": ("whereabouts", "ip-control-loop"),
}


@pytest.fixture
def go(cache, tmp_path):
    return Go(tmp_path / "no-go", "go version go1.26.8 linux/amd64", cache)


@pytest.fixture
def built(cache, go):
    """Every tool as if it had been built: its executables say their own names."""
    for name, programs in PROGRAMS.items():
        folder = modules.built_folder(cache, go, modules.TOOLS[name])
        folder.mkdir(parents=True)
        for program in programs:
            (folder / program).write_text(f"#!/bin/sh\necho {program}\n")
            (folder / program).chmod(0o755)


@pytest.fixture
def parts(tmp_path):
    folder = tmp_path / "base-0123456789ab"
    folder.mkdir()
    with tarfile.open(folder / "base.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("./sbin/iptables"))
    with tarfile.open(folder / "python.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("./usr/bin/python3"))
    (folder / "runc").write_text("runc")
    (folder / "busybox").write_text("#!/bin/sh\nprintf '%s\\n' busybox sh ip ping tail\n")
    (folder / "busybox").chmod(0o755)
    (folder / "simple.script").write_text("#!/bin/sh\n")
    return Parts(folder)


@pytest.fixture
def tree(cache, go, built, parts, said):  # noqa: ARG001 - a fixture can ask for another in no other way
    return files.build(cache, go, parts, Reach(), said)


@pytest.fixture
def registry(cache, go, built, parts, said, monkeypatch, tmp_path):  # noqa: ARG001 - as above
    monkeypatch.setattr(images, "_compile_pause", lambda _, __, target: target.write_text("pause"))
    scripts = tmp_path / "script"
    scripts.mkdir()
    for name in ("install-cni.sh", "lib.sh", "token-watcher.sh"):
        (scripts / name).write_text("#!/bin/sh\n")
    monkeypatch.setattr(images, "_whereabouts_scripts", lambda _, __: scripts)
    return images.build(cache, go, parts, said)
