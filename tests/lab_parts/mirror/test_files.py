"""The files that an installer downloads: at their releases' addresses, with their sha256 told, macvlan left out."""

import subprocess
import tarfile

import pytest

from lab.cache import sha256
from lab.mirror import files
from lab.reach import Reach
from lab.toolchain import download, modules


def members(path):
    with tarfile.open(path) as tar:
        return {member.name: member for member in tar}


def test_each_file_is_at_its_address_with_the_sha256_that_is_told(tree):
    variables = files.index(tree)["variables"]
    for file in files.FILES:
        served = tree / (file.own_address or file.address)
        assert variables[file.variable] == f"sha256:{sha256(served)}", file.address


def test_the_versions_told_are_those_in_the_addresses(tree):
    variables = files.index(tree)["variables"]
    assert variables["runc_version"] == files.RUNC_DEBIAN
    assert variables["crictl_version"] == modules.CRICTL
    assert variables["etcd_version"] == modules.ETCD


def test_the_cni_archive_lacks_macvlan_and_nothing_else(tree):
    there = members(tree / files.CNI_ARCHIVE)
    assert set(there) == {"./bridge", "./host-local", "./loopback"}
    assert all(member.mode == 0o755 for member in there.values())
    assert files.index(tree)["variables"]["cni_binary_checksum"] == f"sha256:{sha256(tree / files.CNI_ARCHIVE)}"


def test_every_plugin_is_served_alone(tree):
    plugins = files.index(tree)["plugins"]
    assert set(plugins) == {"bridge", "host-local", "loopback", "macvlan"}
    for name, digest in plugins.items():
        assert sha256(tree / files.plugin_path(name)) == digest


@pytest.mark.parametrize(
    ("part", "inside"),
    [
        ("etcd-io", {f"etcd-v{modules.ETCD}-linux-amd64/{name}" for name in ("etcd", "etcdctl", "etcdutl")}),
        ("containerd/containerd/", {f"bin/{name}" for name in ("containerd", "containerd-shim-runc-v2", "ctr")}),
        ("cri-tools", {"crictl"}),
        ("nerdctl", {"nerdctl"}),
    ],
)
def test_an_archive_holds_what_the_release_would(tree, part, inside):
    [file] = [file for file in files.FILES if part in file.address]
    assert set(members(tree / (file.own_address or file.address))) == inside


def test_the_nerdctl_stand_in_completes_and_hands_on(tmp_path, monkeypatch):
    nerdctl = tmp_path / "nerdctl"
    nerdctl.write_bytes(files.NERDCTL)
    nerdctl.chmod(0o755)
    (tmp_path / "ctr").write_text('#!/bin/sh\necho "ctr $*"\n')
    (tmp_path / "ctr").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def run(*arguments):
        return subprocess.run([nerdctl, *arguments], capture_output=True, text=True, check=True).stdout

    assert run("completion", "bash").startswith("#")
    assert run("-n", "k8s.io", "images") == "ctr -n k8s.io images\n"


def test_the_same_tools_give_the_same_bytes(tree, cache, go, parts, said):
    before = files.index(tree)
    tree.rename(tree.with_name("moved"))
    assert files.index(files.build(cache, go, parts, Reach(), said)) == before


def test_it_is_not_made_again_when_the_network_comes(tree, cache, go, parts, said):
    assert files.build(cache, go, parts, Reach(kubernetes=True, github=True), said) == tree


@pytest.fixture
def releases(tmp_path, monkeypatch):
    """Upstream, reachable: gives a file with its own address in it, or a CNI archive."""
    asked = []

    def fetch(_, url, digest):
        asked.append((url, digest))
        path = tmp_path / f"release-{len(asked)}"
        if url.endswith(".tgz"):
            with tarfile.open(path, "w:gz") as tar:
                for name in ("./bridge", "./macvlan", "./LICENSE"):
                    info = tarfile.TarInfo(name)
                    info.mode = 0o644 if name == "./LICENSE" else 0o755
                    tar.addfile(info)
        else:
            path.write_text(url)
        return path

    monkeypatch.setattr(download, "fetch", fetch)
    return asked


@pytest.mark.usefixtures("built")
def test_within_reach_releases_are_taken_by_their_sha256(cache, go, parts, said, releases):
    tree = files.build(cache, go, parts, Reach(kubernetes=True, github=True), said)
    for file in files.FILES:
        assert (f"https://{file.address}", file.digest) in releases
        assert (tree / file.address).read_text() == f"https://{file.address}"
    index = files.index(tree)
    assert index["variables"]["runc_version"] == files.RUNC_RELEASE
    assert set(index["plugins"]) == {"bridge", "macvlan"}
    assert set(members(tree / files.CNI_ARCHIVE)) == {"./bridge"}


@pytest.mark.usefixtures("built")
def test_a_release_that_cannot_be_had_is_built(cache, go, parts, said, monkeypatch):
    def fetch(_, url, __):
        raise download.UnreachableError(f"{url}: HTTP Error 503")

    monkeypatch.setattr(download, "fetch", fetch)
    tree = files.build(cache, go, parts, Reach(kubernetes=True, github=True), said)
    assert files.index(tree)["variables"]["runc_version"] == files.RUNC_DEBIAN
    assert any("503; building it instead" in step for step in said.steps)
