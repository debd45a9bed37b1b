"""What a site downloads: each item with its origin, its digest and its purpose."""

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

PROVIDERS = {"command": "pulumi-command", "kubernetes": "pulumi-kubernetes"}
"""Pulumi provider → Python package of the same version."""


class MirrorError(Exception):
    """A mistake or failure that a person can fix; the message says how."""


@dataclass(frozen=True)
class File:
    """A file that nodes, or the machine that runs Pulumi, download by URL."""

    url: str
    sha256: str | None
    """None if none is published: the digest of the first download is kept."""
    why: str


@dataclass(frozen=True)
class Image:
    """An image, by its full name with a tag or a digest."""

    name: str
    digest: str | None
    """Digest of the image's manifest; None if the registry was unreachable."""
    why: str


@dataclass(frozen=True)
class Package:
    """A package of the nodes' operating system."""

    name: str
    version: str
    architecture: str
    """Architecture of the nodes that install it."""
    url: str
    sha256: str
    size: int
    """Bytes."""
    record: str
    """Its stanza in the index of the archive (deb-control(5)), for the index of the mirror."""


@dataclass(frozen=True)
class Wheel:
    """A Python package for the machine that runs Pulumi."""

    url: str
    sha256: str
    why: str

    @property
    def name(self) -> str:
        """File name."""
        return self.url.rsplit("/", 1)[1]


@dataclass(frozen=True)
class Contents:
    """Everything that one site downloads."""

    site: str
    kubespray: str
    """Kubespray release. Its playbooks are packed from the local folder."""
    architectures: tuple[str, ...]
    files: tuple[File, ...]
    images: tuple[Image, ...]
    wheels: tuple[Wheel, ...]
    packages: tuple[Package, ...] = ()
    os: str | None = None
    notes: tuple[str, ...] = field(default=())
    """One line for each thing that is unknown, with what to do."""

    def as_json(self) -> str:
        """JSON for `from_json`."""
        return json.dumps(dataclasses.asdict(self), indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Contents":
        """Parses the output of `as_json`."""
        data: dict[str, Any] = json.loads(text)
        kinds: dict[str, Any] = {"files": File, "images": Image, "wheels": Wheel, "packages": Package}
        data |= {name: tuple(kind(**one) for one in data[name]) for name, kind in kinds.items()}
        data |= {name: tuple(data[name]) for name in ("architectures", "notes")}
        return cls(**data)
