"""The tools that the lab runs on this machine: pulumi, its providers, kubectl, etcd and an API server.

Each comes from where it is soonest had: PATH, the official release, or a build from its Go module.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from lab.cache import Cache, Report
from lab.reach import Reach
from lab.toolchain import download, go, modules, pulumi

ON_HOST = {"kubernetes": ("kubectl", "kube-apiserver"), "etcd": ("etcd",), "etcdctl": ("etcdctl",)}
"""What is run here, beside pulumi: kubectl for people, the others for tests that need an API server."""


@dataclass(frozen=True)
class Toolchain:
    """What was found or made. `pulumi` and each of `providers` say where it is from, in words."""

    cache: Cache
    go: go.Go
    pulumi: str
    providers: dict[str, str]
    provider_folders: list[Path] = field(default_factory=list)

    @property
    def home(self) -> Path:
        """PULUMI_HOME: plugins are kept there, and nothing of the person's own pulumi is touched."""
        return pulumi.home(self.cache)

    def environment(self) -> dict[str, str]:
        """The variables that the lab's own commands need beside the person's."""
        venv = Path(sys.prefix) / "bin"
        first = [venv, *self.provider_folders, self.cache.bin]
        variables = {
            # `python -m …`, of a person and of what the program runs, is the project's own
            "PATH": os.pathsep.join([*map(str, first), os.environ.get("PATH", os.defpath)]),
            "PULUMI_HOME": str(self.home),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        if self.provider_folders:
            variables["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
        return variables

    def lines(self) -> list[str]:
        """What is used, a line each."""
        return [f"pulumi {self.pulumi}", *(f"pulumi-{name}: {source}" for name, source in self.providers.items())]


def build(cache: Cache, reach: Reach, report: Report) -> Toolchain:
    """Find, fetch or build every tool. Instant when all is there. Raises LabError."""
    compiler = go.find(cache, go.needed(modules.MODULES), report)
    cli = _pulumi(cache, compiler, reach, report)
    folders = modules.build(cache, compiler, list(ON_HOST), report)
    for tool, programs in ON_HOST.items():
        for program in programs:
            cache.link(folders[tool] / program, program)
    made = cache.bin / "pulumi"
    chosen, provider_folders = pulumi.providers(cache, made if made.exists() else Path("pulumi"), reach, report)
    report("toolchain: ready", 1.0)
    return Toolchain(cache, compiler, cli, chosen, provider_folders)


def _pulumi(cache: Cache, compiler: go.Go, reach: Reach, report: Report) -> str:
    names = ("pulumi", pulumi.HOST, f"{pulumi.HOST}-exec")
    version = pulumi.on_path(cache.bin)
    if version:
        for name in names:
            (cache.bin / name).unlink(missing_ok=True)
        return f"{version}, from PATH"
    if reach.github:
        try:
            return f"{pulumi.official(cache, report)}, the official release"
        except download.UnreachableError as error:
            report(f"pulumi: {error}; building it instead", None)
    return f"{pulumi.built(cache, compiler, report)}, built from its Go module"
