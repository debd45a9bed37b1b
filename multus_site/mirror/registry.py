"""Folders of images in the OCI image layout (image specification 1.1, image-layout.md), which skopeo, crane and ctr read too."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from multus_site.mirror.contents import MirrorError

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
MANIFESTS = (OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST)

INDEX = "index.json"
NAME = "org.opencontainers.image.ref.name"
"""The annotation with the full name of an image: registry/repository:tag."""


def names(folder: Path) -> dict[str, str]:
    """Full name of each image → digest. Empty without an index."""
    index = folder / INDEX
    content = json.loads(index.read_text()) if index.exists() else {"manifests": []}
    return {entry["annotations"][NAME]: entry["digest"] for entry in content["manifests"]}


def write_names(folder: Path, images: Mapping[str, str]) -> None:
    """Writes the index of the folder. `images`: full name → digest of a manifest that exists in the folder."""
    entries = []
    for name, digest in sorted(images.items()):
        content = blob(folder, digest).read_bytes()
        kind = media_type(json.loads(content))
        entry = {"mediaType": kind, "digest": digest, "size": len(content), "annotations": {NAME: name}}
        entries.append(entry)
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    scratch = folder / f"{INDEX}.new"
    scratch.write_text(json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}, indent=1))
    scratch.replace(folder / INDEX)


def blob(folder: Path, digest: str) -> Path:
    """The path of a blob."""
    return folder / "blobs" / "sha256" / digest.removeprefix("sha256:")


def media_type(manifest: dict[str, Any]) -> str:
    """The media type of a manifest, which OCI manifests may omit."""
    if isinstance(given := manifest.get("mediaType"), str):
        return given
    return OCI_INDEX if "manifests" in manifest else OCI_MANIFEST


def children(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Descriptors of the manifests of an index, one for each platform; none for an image's manifest."""
    found: list[dict[str, Any]] = manifest.get("manifests", [])
    return found


def parts(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Descriptors of the configuration and the layers of an image's manifest; none for an index."""
    return [manifest["config"], *manifest["layers"]] if "config" in manifest else []


def manifests(folder: Path) -> dict[str, str]:
    """Digest → media type of every manifest in the folder, those of platforms included."""
    found: dict[str, str] = {}
    queue = list(names(folder).values())
    while queue:
        digest = queue.pop()
        path = blob(folder, digest)
        if digest in found or not path.is_file():
            continue
        content = json.loads(path.read_bytes())
        found[digest] = media_type(content)
        queue += [child["digest"] for child in children(content)]
    return found


def wanted_children(manifest: dict[str, Any], architectures: Iterable[str]) -> list[dict[str, Any]]:
    """The manifests in an index for Linux on these architectures. Raises MirrorError if an architecture has none."""
    platforms = children(manifest)
    found = []
    for architecture in architectures if platforms else ():
        fitting = [
            child
            for child in platforms
            if (child.get("platform", {}).get("os"), child.get("platform", {}).get("architecture"))
            == ("linux", architecture)
        ]
        if not fitting:
            msg = f"it has no image for linux/{architecture}, the platform of some nodes of the site"
            raise MirrorError(msg)
        found += fitting
    return found


def missing(folder: Path, digest: str, architectures: Iterable[str]) -> list[str]:
    """Digests of the missing or damaged blobs of an image; empty if it is complete."""
    path = blob(folder, digest)
    if not path.is_file() or f"sha256:{sha256(path)}" != digest:
        return [digest]
    manifest = json.loads(path.read_bytes())
    lacking = [d for child in wanted_children(manifest, architectures) for d in missing(folder, child["digest"], ())]
    for part in parts(manifest):
        content = blob(folder, part["digest"])
        if not content.is_file() or f"sha256:{sha256(content)}" != part["digest"]:
            lacking.append(part["digest"])
    return lacking


def sha256(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
