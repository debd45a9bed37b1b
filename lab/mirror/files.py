"""The files that a cluster installer downloads, in one tree: HOST/PATH as in https://HOST/PATH.

The CNI archive lacks macvlan, as the one did in the story that the lab tells; every plugin is served on its own too.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.cache import Cache, Report, sha256, stamp
from lab.mirror import archive
from lab.mirror.archive import Entry
from lab.mirror.parts import Parts
from lab.reach import Reach
from lab.toolchain import download, modules
from lab.toolchain.go import Go

ARCHITECTURE = "amd64"
TOOLS = ("kubernetes", "etcd", "etcdctl", "etcdutl", "containerd", "crictl", "cni-plugins")
LACKING = "macvlan"
INDEX = "index.json"

RUNC_RELEASE, CRICTL_RELEASE, NERDCTL_RELEASE = "1.4.2", "1.35.0", "2.2.2"
RUNC_DEBIAN = "1.1.5"
"""Debian 12's version of runc."""

# The plainest thing that lets Kubespray, which always installs nerdctl, go on where crictl is its image tool.
NERDCTL = b"""\
#!/bin/sh
# A stand-in for nerdctl, made by the lab of multus-site: it has no shell completion, and hands the rest to ctr.
[ "${1-}" = completion ] && { echo '# nerdctl is a stand-in here: no completion'; exit 0; }
exec ctr "$@"
"""

Tool = Callable[[str], Path]
"""Gives the folder of executables of a tool by its name, built when it is asked for."""


@dataclass(frozen=True)
class File:
    """A release's file: its address without https://, its sha256, Kubespray's name for that sha256.

    `make` builds our own at the path that it is given, and gives the address at which that is served: the version
    in it may be another one. `settings` are Kubespray's variables that go with the one or the other.
    """

    address: str
    digest: str
    variable: str
    make: Callable[[Tool, Parts, Path], None]
    own_address: str = ""
    settings: tuple[tuple[str, str], ...] = ()
    own_settings: tuple[tuple[str, str], ...] = ()


def _program(tool: str, name: str) -> Callable[[Tool, Parts, Path], None]:
    def make(tools: Tool, _: Parts, target: Path) -> None:
        target.hardlink_to(tools(tool) / name)

    return make


def _archive(inside: str, *programs: tuple[str, str]) -> Callable[[Tool, Parts, Path], None]:
    def make(tools: Tool, _: Parts, target: Path) -> None:
        entries = [Entry(f"{inside}{name}", tools(tool) / name) for tool, name in programs]
        archive.write(target, entries, compressed=True)

    return make


def _runc(_: Tool, parts: Parts, target: Path) -> None:
    shutil.copyfile(parts.runc, target)


def _nerdctl(_: Tool, __: Parts, target: Path) -> None:
    archive.write(target, [Entry("nerdctl", NERDCTL)], compressed=True)


_KUBE = f"dl.k8s.io/release/v{modules.KUBERNETES}/bin/linux/{ARCHITECTURE}"
_ETCD = f"etcd-v{modules.ETCD}-linux-{ARCHITECTURE}"
_CRI = "github.com/kubernetes-sigs/cri-tools/releases/download"
_RUNC = "github.com/opencontainers/runc/releases/download"
CNI_ARCHIVE = (
    f"github.com/containernetworking/plugins/releases/download/v{modules.CNI_PLUGINS}/"
    f"cni-plugins-linux-{ARCHITECTURE}-v{modules.CNI_PLUGINS}.tgz"
)
CNI_DIGEST = "b98f74a0f8522f0a83867178729c1aa70f2158f90c45a2ca8fa791db1c76b303"

FILES = (
    File(
        f"{_KUBE}/kubeadm",
        "0c0497da793f8897c14e45340da919534b615294a1aab69dc1998896c0f11145",
        "kubeadm_binary_checksum",
        _program("kubernetes", "kubeadm"),
    ),
    File(
        f"{_KUBE}/kubelet",
        "983a6ba5a49823dcdd745c674e5e2416377dd27d6ad1b42d2befa0fb961a19f6",
        "kubelet_binary_checksum",
        _program("kubernetes", "kubelet"),
    ),
    File(
        f"{_KUBE}/kubectl",
        "b529430df69a688fd61b64ad2299edb5fd71cb58be2a4779dba624c7d3510efd",
        "kubectl_binary_checksum",
        _program("kubernetes", "kubectl"),
    ),
    File(
        f"github.com/etcd-io/etcd/releases/download/v{modules.ETCD}/{_ETCD}.tar.gz",
        "ed579fafab5701e3aaa95509969e7bc74776a4ae5269d32e3928408b406456ec",
        "etcd_binary_checksum",
        _archive(f"{_ETCD}/", ("etcd", "etcd"), ("etcdctl", "etcdctl"), ("etcdutl", "etcdutl")),
        settings=(("etcd_version", modules.ETCD),),
        own_settings=(("etcd_version", modules.ETCD),),
    ),
    File(
        f"github.com/containerd/containerd/releases/download/v{modules.CONTAINERD}/"
        f"containerd-{modules.CONTAINERD}-linux-{ARCHITECTURE}.tar.gz",
        "ca26ef5138f17b847bbeeec36d4bf5e002b54d25858197a870c125d57f44d32f",
        "containerd_archive_checksum",
        _archive("bin/", *(("containerd", name) for name in ("containerd", "containerd-shim-runc-v2", "ctr"))),
        settings=(("containerd_version", modules.CONTAINERD),),
        own_settings=(("containerd_version", modules.CONTAINERD),),
    ),
    File(
        f"{_CRI}/v{CRICTL_RELEASE}/crictl-v{CRICTL_RELEASE}-linux-{ARCHITECTURE}.tar.gz",
        "2e141e5b22cb189c40365a11807d69b76b9b3caced89fac2f4ec879408ce2177",
        "crictl_binary_checksum",
        _archive("", ("crictl", "crictl")),
        f"{_CRI}/v{modules.CRICTL}/crictl-v{modules.CRICTL}-linux-{ARCHITECTURE}.tar.gz",
        (("crictl_version", CRICTL_RELEASE),),
        (("crictl_version", modules.CRICTL),),
    ),
    File(
        f"{_RUNC}/v{RUNC_RELEASE}/runc.{ARCHITECTURE}",
        "ac8a90f9e225bb9322189937b230cdc5478d5753f0e31e1bda98a5cf06bd9539",
        "runc_binary_checksum",
        _runc,
        f"{_RUNC}/v{RUNC_DEBIAN}/runc.{ARCHITECTURE}",
        (("runc_version", RUNC_RELEASE),),
        (("runc_version", RUNC_DEBIAN),),
    ),
    File(
        f"github.com/containerd/nerdctl/releases/download/v{NERDCTL_RELEASE}/"
        f"nerdctl-{NERDCTL_RELEASE}-linux-{ARCHITECTURE}.tar.gz",
        "6f637760fb2875e3454e97c3de7438fd17281b5996908cbd8ee1c872b0653cc8",
        "nerdctl_archive_checksum",
        _nerdctl,
        settings=(("nerdctl_version", NERDCTL_RELEASE),),
        own_settings=(("nerdctl_version", NERDCTL_RELEASE),),
    ),
)


def find(cache: Cache, go: Go, parts: Parts) -> Path:
    """Where the tree is, or will be. What was reachable when it was made is no part of its name: a cluster that
    was installed from the one tree must not see another because the network came or went."""
    tools = [modules.built_folder(cache, go, modules.TOOLS[name]).name for name in TOOLS]
    return cache.mirror / f"files-{stamp(*tools, Path(__file__).read_bytes(), parts.folder.name)}"


def build(cache: Cache, go: Go, parts: Parts, reach: Reach, report: Report) -> Path:
    """The tree with its index, made if it isn't in the cache yet. Raises LabError."""
    tree = find(cache, go, parts)
    if tree.exists():
        return tree

    def tool(name: str) -> Path:
        return modules.build(cache, go, [name], report)[name]

    with cache.publish(tree) as scratch:
        scratch.mkdir()
        variables: dict[str, str] = {}
        for file in FILES:
            variables |= _add(cache, file, tool, parts, reach, report, scratch)
        plugins = _add_plugins(cache, tool, reach, report, scratch)
        variables["cni_version"] = modules.CNI_PLUGINS
        variables["cni_binary_checksum"] = f"sha256:{sha256(scratch / CNI_ARCHIVE)}"
        (scratch / INDEX).write_text(json.dumps({"variables": variables, "plugins": plugins}, indent=1))
    cache.drop_older(tree, "files-")
    return tree


def index(tree: Path) -> dict[str, Any]:
    """`variables`: Kubespray's, by name. `plugins`: the sha256 of each CNI plugin."""
    content: dict[str, Any] = json.loads((tree / INDEX).read_text())
    return content


def plugin_path(name: str) -> str:
    """Where in the tree one CNI plugin is."""
    return f"cni-plugins/{modules.CNI_PLUGINS}/{ARCHITECTURE}/{name}"


def _add(
    cache: Cache, file: File, tool: Tool, parts: Parts, reach: Reach, report: Report, tree: Path
) -> dict[str, str]:
    release = _release(cache, file.address, file.digest, reach, report)
    target = tree / (file.address if release else file.own_address or file.address)
    target.parent.mkdir(parents=True, exist_ok=True)
    if release:
        target.hardlink_to(release)
    else:
        file.make(tool, parts, target)
    return {**dict(file.settings if release else file.own_settings), file.variable: f"sha256:{sha256(target)}"}


def _add_plugins(cache: Cache, tool: Tool, reach: Reach, report: Report, tree: Path) -> dict[str, str]:
    folder = tree / plugin_path("")
    folder.mkdir(parents=True)
    release = _release(cache, CNI_ARCHIVE, CNI_DIGEST, reach, report)
    if release:
        download.unpack(release, folder, lambda member: member.isfile() and bool(member.mode & 0o100))
    else:
        for program in tool("cni-plugins").iterdir():
            (folder / program.name).hardlink_to(program)
    programs_there = sorted(path for path in folder.iterdir())
    (tree / CNI_ARCHIVE).parent.mkdir(parents=True, exist_ok=True)
    served = [Entry(f"./{path.name}", path) for path in programs_there if path.name != LACKING]
    archive.write(tree / CNI_ARCHIVE, served, compressed=True)
    return {path.name: sha256(path) for path in programs_there}


def _release(cache: Cache, address: str, digest: str, reach: Reach, report: Report) -> Path | None:
    reachable = reach.kubernetes if address.startswith("dl.k8s.io/") else reach.github
    if not reachable:
        return None
    report(f"downloading {address.rsplit('/', 1)[1]}", None)
    try:
        return download.fetch(cache, f"https://{address}", digest)
    except download.UnreachableError as error:
        report(f"{error}; building it instead", None)
        return None
