"""What the nodes download: files over HTTP, images from a registry, both on the management segment."""

from __future__ import annotations

import concurrent.futures
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.cache import Cache, Report
from lab.mirror import files, images, parts
from lab.reach import Reach
from lab.toolchain import Toolchain, modules
from multus_site.mirror.registry import names

ADDRESS, FILES_PORT, REGISTRY_PORT = "10.1.1.1", 8080, 5000

Server = tuple[str, list[str], dict[str, str], int]


@dataclass(frozen=True)
class Mirror:
    """The two folders that are served, and where."""

    files: Path
    registry: Path
    address: str = ADDRESS
    files_port: int = FILES_PORT
    registry_port: int = REGISTRY_PORT

    def servers(self, address: str, files_port: int, registry_port: int) -> list[Server]:
        """Name, foreground command, its variables and port of each server. They end cleanly on SIGTERM."""
        return [
            (kind, [sys.executable, "-m", "multus_site.mirror.serve", kind, str(root), address, str(port)], {}, port)
            for kind, root, port in (("files", self.files, files_port), ("registry", self.registry, registry_port))
        ]

    def catalog(self) -> dict[str, Any]:
        """What a site of the lab may name: CNI plugins with their sha256, images with their digests, and Kubespray's
        variables for versions and sums of what is here. What sends everybody here is the site's `airGap`."""
        index = files.index(self.files)
        base = f"http://{self.address}:{self.files_port}"
        return {
            "cniPlugins": {
                modules.CNI_PLUGINS: {
                    files.ARCHITECTURE: {
                        name: {"url": f"{base}/{files.plugin_path(name)}", "sha256": digest}
                        for name, digest in index["plugins"].items()
                    }
                }
            },
            "images": names(self.registry),
            "kubespray": {
                "variables": {
                    "kube_version": modules.KUBERNETES,
                    "coredns_image_tag": f"v{modules.COREDNS}",
                    "pod_infra_image_tag": images.PAUSE,
                    **index["variables"],
                }
            },
        }


def build(cache: Cache, toolchain: Toolchain, reach: Reach, report: Report) -> Mirror:
    """Both folders, made where they aren't in the cache yet. Instant when they are. Raises LabError."""
    names = images.TOOLS if reach.official else {*files.TOOLS, *images.TOOLS}
    # Debian's packages meanwhile: they wait for the network and the disk more than for a core
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        debian = pool.submit(parts.build, cache, report)
        modules.build(cache, toolchain.go, names, report)
    found = debian.result()
    tree = files.build(cache, toolchain.go, found, reach, report)
    registry = images.build(cache, toolchain.go, found, report)
    report("mirror: ready", 1.0)
    return Mirror(tree, registry)
