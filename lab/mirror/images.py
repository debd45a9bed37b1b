"""The container images that a cluster of the lab pulls: what is in each, out of tools that we built."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.cache import Cache, Report, stamp
from lab.mirror import oci
from lab.mirror.archive import Entry
from lab.mirror.parts import Parts
from lab.toolchain import modules
from lab.toolchain.go import Go

TOOLS = ("kubernetes", "coredns", "multus", "flannel", "whereabouts")
PAUSE = "3.10.1"
MULTUS_BIN = "usr/src/multus-cni/bin"

FOLDERS = (
    *(Entry(name) for name in ("etc", "root", "usr", "usr/local", "usr/local/bin")),
    Entry("tmp", mode=0o1777),
    Entry("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n", mode=0o644),
    Entry("etc/group", b"root:x:0:\nnogroup:x:65534:\n", mode=0o644),
)
"""What a program alone in its image still expects."""

Folders = dict[str, Path]


@dataclass(frozen=True)
class Image:
    """An image's name, what is put in, over the Debian base or over nothing, and how it starts."""

    name: str
    entries: tuple[Entry, ...]
    entrypoint: tuple[str, ...]
    base: bool = False
    python: bool = False
    """Over Debian's Python instead."""
    command: tuple[str, ...] = ()


def images(tools: Folders, parts: Parts, pause: Path, scripts: Path) -> list[Image]:
    """All of them. `tools` are the folders of TOOLS, `pause` is its executable, `scripts` is whereabouts' folder of them."""
    return [
        *of_kubernetes(tools["kubernetes"], modules.KUBERNETES),
        Image(f"registry.k8s.io/pause:{PAUSE}", (Entry("pause", pause),), ("/pause",)),
        Image(
            f"registry.k8s.io/coredns/coredns:v{modules.COREDNS}",
            (*FOLDERS, Entry("coredns", tools["coredns"] / "coredns")),
            ("/coredns",),
        ),
        Image(
            f"docker.io/flannel/flannel:v{modules.FLANNEL}",
            (Entry("opt"), Entry("opt/bin"), Entry("opt/bin/flanneld", tools["flannel"] / "flannel")),
            ("/opt/bin/flanneld",),
            base=True,
        ),
        Image(
            f"ghcr.io/k8snetworkplumbingwg/multus-cni:v{modules.MULTUS}-thick",
            (
                *(Entry(folder) for folder in ("usr/src", "usr/src/multus-cni", MULTUS_BIN)),
                # upstream's build calls passthru-cni passthru, and install_multus looks for that
                *(
                    Entry(f"{MULTUS_BIN}/{path.name.removesuffix('-cni')}", path)
                    for path in sorted(tools["multus"].iterdir())
                ),
                Entry("cert-approver", link=f"/{MULTUS_BIN}/cert-approver"),
            ),
            (f"/{MULTUS_BIN}/multus-daemon",),
            base=True,
        ),
        # its scripts are of busybox's shell, which upstream's base (Alpine) has too
        Image(
            f"ghcr.io/k8snetworkplumbingwg/whereabouts:v{modules.WHEREABOUTS}",
            (
                *FOLDERS,
                *busybox(parts),
                *(Entry(name, tools["whereabouts"] / name) for name in ("whereabouts", "ip-control-loop")),
                *(Entry(name, scripts / name) for name in ("install-cni.sh", "lib.sh", "token-watcher.sh")),
            ),
            (),
            command=("/install-cni.sh",),
        ),
        # Debian's iperf3 under the name of the image that measures by default
        Image(
            "docker.io/nicolaka/netshoot:v0.13",
            (Entry("etc/image", b"iperf3\n", mode=0o644),),
            (),
            base=True,
            command=("sh",),
        ),
        # Debian's Python under the name of the image that repairs interfaces by default
        Image("docker.io/library/python:3.13-alpine", (Entry("etc/image", b"python3\n", mode=0o644),), (), python=True),
        # Debian's busybox under the name that the story's Deployment gives
        Image("docker.io/library/busybox:1.36", (*FOLDERS, *busybox(parts)), (), command=("sh",)),
    ]


def of_kubernetes(programs: Path, version: str) -> list[Image]:
    """Those that kubeadm runs, of one version."""
    return [
        *(
            Image(
                f"registry.k8s.io/{name}:v{version}",
                (*FOLDERS, Entry(f"usr/local/bin/{name}", programs / name)),
                (f"/usr/local/bin/{name}",),
            )
            for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
        ),
        Image(
            f"registry.k8s.io/kube-proxy:v{version}",
            (Entry("usr/local/bin/kube-proxy", programs / "kube-proxy"),),
            ("/usr/local/bin/kube-proxy",),
            base=True,
        ),
    ]


def busybox(parts: Parts) -> list[Entry]:
    """The executable and a link for each of its applets."""
    asked = subprocess.run([parts.busybox, "--list"], capture_output=True, text=True, check=True)
    applets = [name for name in asked.stdout.split() if name != "busybox"]
    return [
        *(Entry(folder) for folder in ("bin", "sbin", "etc/udhcpc")),
        Entry("bin/busybox", parts.busybox),
        *(Entry(f"bin/{name}", link="busybox") for name in applets),
        Entry("etc/udhcpc/default.script", parts.dhcp_script),
    ]


def build(cache: Cache, go: Go, parts: Parts, report: Report) -> Path:
    """The registry's folder, made if it isn't in the cache yet. Raises LabError."""
    tools = [modules.built_folder(cache, go, modules.TOOLS[name]).name for name in TOOLS]
    folder = cache.mirror / f"registry-{stamp(*tools, parts.folder.name, PAUSE, *_sources())}"
    if folder.exists():
        return folder
    built = modules.build(cache, go, TOOLS, report)
    report("images: putting them together", None)
    with cache.publish(folder) as scratch:
        scratch.mkdir()
        pause = scratch / "pause"
        _compile_pause(cache, go, pause)
        fill(scratch, images(built, parts, pause, _whereabouts_scripts(cache, go)), parts)
        pause.unlink()
    cache.drop_older(folder, "registry-")
    return folder


def fill(folder: Path, wanted: Sequence[Image], parts: Parts) -> None:
    """Puts images into a registry's folder, with its index."""
    registry = oci.Registry(folder)
    base, python = registry.add_layer_file(parts.base), registry.add_layer_file(parts.python)
    for image in wanted:
        layers = [base] if image.base else [python] if image.python else []
        layers.append(registry.add_layer(image.entries))
        registry.add_image(image.name, layers, image.entrypoint, image.command)
    registry.write_index()


def _sources() -> list[bytes]:
    """This file and the one that writes images: what they say goes into every image."""
    return [Path(__file__).read_bytes(), Path(oci.__file__).read_bytes()]


def _whereabouts_scripts(cache: Cache, go: Go) -> Path:
    """The scripts that its image starts with: they are in its module, which go.sum pins."""
    module = "github.com/k8snetworkplumbingwg/whereabouts"
    return modules.source(cache, go, modules.TOOLS["whereabouts"], module) / "script"


def _compile_pause(cache: Cache, go: Go, target: Path) -> None:
    """Kubernetes' own pause: one C file of its module, which go.sum pins."""
    source = modules.source(cache, go, modules.TOOLS["kubernetes"], "k8s.io/kubernetes")
    code = source / "build" / "pause" / "linux" / "pause.c"
    cache.run("pause", ["gcc", "-Os", "-Wall", "-Werror", "-static", "-s", f"-DVERSION={PAUSE}", "-o", target, code])
