"""Images as a registry serves them: content by digest, and an index of names. OCI image specification 1.1.

Layers are not compressed: they go over a bridge of one machine, and unpacking would take the cores that a cluster
needs to start.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from lab.cache import sha256
from lab.mirror import archive
from lab.mirror.archive import Entry
from multus_site.mirror.registry import OCI_MANIFEST, write_names

CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

Descriptor = dict[str, Any]


class Registry:
    """A folder that is being filled: blobs by digest, and the index of names at the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._blobs = folder / "blobs" / "sha256"
        self._blobs.mkdir(parents=True)
        self._names: dict[str, str] = {}

    def add_layer(self, entries: Iterable[Entry]) -> Descriptor:
        """A layer of these entries."""
        scratch = self._folder / "layer.tar"
        archive.write(scratch, entries, compressed=False)
        layer = self.add_layer_file(scratch)
        scratch.unlink()
        return layer

    def add_layer_file(self, tar: Path) -> Descriptor:
        """A layer that is a tar file already."""
        digest = sha256(tar)
        blob = self._blobs / digest
        if not blob.exists():
            blob.hardlink_to(tar)
        return {"mediaType": LAYER, "digest": f"sha256:{digest}", "size": blob.stat().st_size}

    def add_image(
        self, name: str, layers: Sequence[Descriptor], entrypoint: Sequence[str], command: Sequence[str]
    ) -> None:
        """An image of these layers, the lowest first."""
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": {
                "Env": [f"PATH={PATH}"],
                **({"Entrypoint": list(entrypoint)} if entrypoint else {}),
                **({"Cmd": list(command)} if command else {}),
                "WorkingDir": "/",
            },
            # a layer's digest is its diff_id too, since it isn't compressed
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": CONFIG, **self._add_json(config)},
            "layers": list(layers),
        }
        self._names[name] = self._add_json(manifest)["digest"]

    def write_index(self) -> None:
        """The last step: name -> digest of the manifest."""
        write_names(self._folder, self._names)

    def _add_json(self, content: dict[str, Any]) -> Descriptor:
        scratch = self._folder / "json"
        scratch.write_text(json.dumps(content, sort_keys=True, separators=(",", ":")))
        digest = sha256(scratch)
        size = scratch.stat().st_size
        scratch.rename(self._blobs / digest)
        return {"digest": f"sha256:{digest}", "size": size}
