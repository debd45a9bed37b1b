"""A folder of images as a registry serves them: blobs/HEX by digest, and an index of names. OCI image specification 1.1."""

import json
from pathlib import Path
from typing import Any

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
MANIFESTS = (OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST)

INDEX = "index.json"


def names(folder: Path) -> dict[str, str]:
    """The digest of each image, by its full name: registry/repository:tag. None where there is no index yet."""
    index = folder / INDEX
    content: dict[str, str] = json.loads(index.read_text()) if index.exists() else {}
    return content


def blob(folder: Path, digest: str) -> Path:
    """Where the content of a digest is."""
    return folder / "blobs" / digest.removeprefix("sha256:")


def media_type(manifest: dict[str, Any]) -> str:
    """What a manifest is; OCI's need not say so themselves."""
    said = manifest.get("mediaType")
    if isinstance(said, str):
        return said
    return OCI_INDEX if "manifests" in manifest else OCI_MANIFEST


def children(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Descriptors of the manifests of an index, one for each platform; none for an image's manifest."""
    found: list[dict[str, Any]] = manifest.get("manifests", [])
    return found


def parts(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Descriptors of the configuration and the layers of an image's manifest; none for an index."""
    return [manifest["config"], *manifest["layers"]] if "config" in manifest else []


def manifests(folder: Path) -> dict[str, str]:
    """Digest → media type of every manifest in the folder: those that have a name, and those of their platforms."""
    found: dict[str, str] = {}
    ahead = list(names(folder).values())
    while ahead:
        digest = ahead.pop()
        path = blob(folder, digest)
        if digest in found or not path.is_file():
            continue
        content = json.loads(path.read_bytes())
        found[digest] = media_type(content)
        ahead += [child["digest"] for child in children(content)]
    return found
