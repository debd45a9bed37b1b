"""Tools built from Go modules. Each has its own go.mod and go.sum, which pin every byte that goes in."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from lab.cache import Cache, Report, stamp
from lab.toolchain.go import Go
from multus_site.model.cni_plugins import CniPlugins
from multus_site.model.daemons import Multus, WhereaboutsDaemon

MODULES = Path(__file__).with_name("modules")


@dataclass(frozen=True)
class Tool:
    """One module of ours under modules/`name`, and how it is linked: other people's programs, or a program of ours.

    `stamps` are -X settings: without them a tool doesn't know its version, and some refuse to work then. `names`
    are the executables whose name is not the last part of their package. `seconds` is what a cold build took on two
    cores: the share of the progress bar.
    """

    name: str
    seconds: int
    stamps: tuple[str, ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    cgo: bool = False

    @property
    def folder(self) -> Path:
        """Where its go.mod is."""
        return MODULES / self.name

    def packages(self) -> list[str]:
        """The packages of its `tool` lines; without any, the one that is in its folder."""
        text = (self.folder / "go.mod").read_text()
        block = re.search(r"^tool \((.*?)^\)", text, re.MULTILINE | re.DOTALL)
        return (block[1].split() if block else re.findall(r"^tool (\S+)$", text, re.MULTILINE)) or ["."]

    def sources(self) -> list[Path]:
        """All that is built from: the pins, and what is written here."""
        return [self.folder / "go.mod", self.folder / "go.sum", *sorted(self.folder.glob("*.go"))]

    def flags(self) -> list[str]:
        """All of `go build`'s flags; part of the stamp of what is built."""
        link = ["-s", "-w", *(f"-X={setting}" for setting in self.stamps)]
        if self.cgo:
            link.append("-extldflags=-static")
        # a static executable must not ask the C library for names: it would load shared objects for that
        tags = ["-tags=netgo,osusergo"] if self.cgo else []
        return ["-trimpath", "-mod=readonly", *tags, f"-ldflags={' '.join(link)}"]


KUBERNETES = "1.35.4"
KUBERNETES_EARLIER = "1.35.3"
"""What a cluster is upgraded from, in the lab's day two only."""
PULUMI = "3.259.0"
ETCD = "3.6.10"
CONTAINERD = "2.2.3"
CNI_PLUGINS = CniPlugins().version
CRICTL = "1.34.0"
COREDNS = "1.12.4"
FLANNEL = "0.26.7"
MULTUS = Multus().version
WHEREABOUTS = WhereaboutsDaemon().version
ACTIONLINT = "1.7.12"
"""For the tests of our own workflows."""
VERSITYGW = "1.0.14"
"""An S3 server, for the tests of backends."""

_PULUMI = "github.com/pulumi/pulumi/sdk/v3/go/common/version"
_KUBE = "k8s.io/component-base/version"
_WHEREABOUTS = "github.com/k8snetworkplumbingwg/whereabouts/pkg/version"
_MULTUS = "gopkg.in/k8snetworkplumbingwg/multus-cni.v4/pkg/multus"


def _kubernetes(name: str, version: str) -> Tool:
    major, minor, _ = version.split(".")
    stamps = (f"gitVersion=v{version}", f"gitMajor={major}", f"gitMinor={minor}", "gitTreeState=clean")
    return Tool(name, 350, tuple(f"{_KUBE}.{stamp}" for stamp in stamps))


TOOLS = {
    tool.name: tool
    for tool in (
        Tool("pulumi", 210, (f"{_PULUMI}.Version=v{PULUMI}",)),
        Tool("pulumi-language-python", 15, (f"{_PULUMI}.Version=v{PULUMI}",)),
        _kubernetes("kubernetes", KUBERNETES),
        Tool("etcd", 25, names=(("server", "etcd"),)),
        Tool("etcdctl", 5),
        Tool("etcdutl", 20),
        Tool("coredns", 100),
        Tool("multus", 95, (f"{_MULTUS}.version=v{MULTUS}",)),
        Tool(
            "whereabouts",
            70,
            (f"{_WHEREABOUTS}.Version=v{WHEREABOUTS}", f"{_WHEREABOUTS}.ReleaseStatus=released"),
            names=(("cmd", "whereabouts"), ("controlloop", "ip-control-loop")),
        ),
        Tool("flannel", 80, (f"github.com/flannel-io/flannel/pkg/version.Version=v{FLANNEL}",), cgo=True),
        Tool("containerd", 70, (f"github.com/containerd/containerd/v2/version.Version=v{CONTAINERD}",)),
        Tool("actionlint", 10),
        Tool("versitygw", 45),
        Tool("crictl", 30, (f"sigs.k8s.io/cri-tools/pkg/version.Version=v{CRICTL}",)),
        Tool(
            "cni-plugins",
            15,
            (f"github.com/containernetworking/plugins/pkg/utils/buildversion.BuildVersion=v{CNI_PLUGINS}",),
        ),
    )
}
EARLIER = _kubernetes("kubernetes-earlier", KUBERNETES_EARLIER)


def build(cache: Cache, go: Go, names: Collection[str], report: Report) -> dict[str, Path]:
    """The folder of executables of each tool in `names`, built where it isn't yet. Raises LabError.

    One after another: each `go build` fills all cores by itself. What is reported as done is the share of the time
    that all of TOOLS takes, in their order.
    """
    total = sum(tool.seconds for tool in TOOLS.values())
    folders = {}
    done = 0
    for name, tool in TOOLS.items():
        if name in names:
            folders[name] = build_one(cache, go, tool, report, done / total)
        done += tool.seconds
    return folders


def source(cache: Cache, go: Go, tool: Tool, module: str) -> Path:
    """The unpacked source of a `module` that `tool` requires, as checked by its go.sum."""
    answer = cache.run(
        f"source-{tool.name}",
        [go.program, "mod", "download", "-json", module],
        environment=go.environment(),
        folder=tool.folder,
    )
    return Path(json.loads(answer)["Dir"])


def built_folder(cache: Cache, go: Go, tool: Tool) -> Path:
    """Where `tool` is once it is built: its name says all that goes into it."""
    sources = [file.read_bytes() for file in tool.sources()]
    return cache.built / f"{tool.name}-{stamp(*sources, *tool.flags(), str(tool.names), go.version)}"


def build_one(cache: Cache, go: Go, tool: Tool, report: Report, fraction: float = 0.0) -> Path:
    """The folder of executables of one tool, built if it isn't yet. Raises LabError."""
    folder = built_folder(cache, go, tool)
    if folder.exists():
        return folder
    report(f"{tool.name}: building from its Go module", fraction)
    started = time.monotonic()
    with cache.publish(folder) as scratch:
        scratch.mkdir()
        cache.run(
            tool.name,
            [go.program, "build", *tool.flags(), "-o", f"{scratch}/", *tool.packages()],
            environment=go.environment(cgo=tool.cgo),
            folder=tool.folder,
        )
        for made, wanted in tool.names:
            (scratch / made).rename(scratch / wanted)
    cache.drop_older(folder, f"{tool.name}-")
    report(f"{tool.name}: built in {time.monotonic() - started:.0f} s", fraction)
    return folder
