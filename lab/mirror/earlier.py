"""The patch of Kubernetes before the lab's own: what a cluster is installed with that is to be upgraded. Built on demand, served beside the mirror."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import services
from lab.cache import Cache, Report, sha256, stamp
from lab.mirror import ADDRESS, REGISTRY_PORT, images, parts
from lab.place import Place
from lab.toolchain import modules
from lab.toolchain.go import find, needed
from multus_site.render.air_gap import REGISTRIES

FILES_PORT, IMAGES_PORT = 8081, 5001
PROGRAMS = ("kubeadm", "kubelet", "kubectl")
NAMES = ("kube_version", "dl_k8s_io_url", *(f"{name}_binary_checksum" for name in PROGRAMS))
"""Variables that say which version is installed: without them, it is the lab's own."""


@dataclass(frozen=True)
class Earlier:
    """The folder of both servers: files/ and registry/."""

    folder: Path

    def serve(self, place: Place) -> None:
        """Starts both servers on the management segment; `make lab-down` ends them. Raises LabError."""
        for kind, port in (("files", FILES_PORT), ("registry", IMAGES_PORT)):
            command = [
                sys.executable,
                "-m",
                "multus_site.mirror.serve",
                kind,
                str(self.folder / kind),
                ADDRESS,
                str(port),
            ]
            services.start(place, f"{kind}-earlier", command, {}, port, ADDRESS)

    def variables(self) -> dict[str, Any]:
        """What Kubespray is told to install this version."""
        there = self.folder / "files" / _path("")
        return {
            "kube_version": modules.KUBERNETES_EARLIER,
            "dl_k8s_io_url": f"http://{ADDRESS}:{FILES_PORT}",
            **{f"{name}_binary_checksum": f"sha256:{sha256(there / name)}" for name in PROGRAMS},
        }

    @staticmethod
    def mirrors() -> dict[str, Any]:
        """The registries that nodes ask, before and after the upgrade: the mirror's, then this one."""
        hosts = [
            {"host": f"http://{ADDRESS}:{port}", "capabilities": ["pull", "resolve"], "skip_verify": True}
            for port in (REGISTRY_PORT, IMAGES_PORT)
        ]
        return {"containerd_registries_mirrors": [{"prefix": prefix, "mirrors": hosts} for prefix in REGISTRIES]}


def build(cache: Cache, report: Report) -> Earlier:
    """Both folders, made where they aren't in the cache yet: six minutes of two cores the first time. Raises LabError."""
    go = find(cache, needed(modules.MODULES), report)
    base = parts.build(cache, report)
    made = modules.built_folder(cache, go, modules.EARLIER).name
    folder = cache.mirror / f"earlier-{stamp(made, base.folder.name, Path(__file__).read_bytes())}"
    if folder.exists():
        return Earlier(folder)
    programs = modules.build_one(cache, go, modules.EARLIER, report)
    with cache.publish(folder) as scratch:
        for name in PROGRAMS:
            target = scratch / "files" / _path(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.hardlink_to(programs / name)
        (scratch / "registry").mkdir()
        images.fill(scratch / "registry", images.of_kubernetes(programs, modules.KUBERNETES_EARLIER), base)
    cache.drop_older(folder, "earlier-")
    return Earlier(folder)


def _path(name: str) -> str:
    return f"release/v{modules.KUBERNETES_EARLIER}/bin/linux/amd64/{name}"
