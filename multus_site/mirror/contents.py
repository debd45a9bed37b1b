"""What a site needs from elsewhere: each thing with where it comes from, its digest, and what it is for."""

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

PROVIDERS = {"command": "pulumi-command", "kubernetes": "pulumi-kubernetes"}
"""Pulumi provider → its Python package; both have the same version."""


class MirrorError(Exception):
    """A mistake or failure that a person can do something about; its text says what."""


@dataclass(frozen=True)
class File:
    """A file that nodes, or the machine where Pulumi runs, fetch by its URL."""

    url: str
    sha256: str | None
    """None: nobody published one; that of the first fetch is kept."""
    why: str


@dataclass(frozen=True)
class Image:
    """An image by its full name, with a tag or a digest."""

    name: str
    digest: str | None
    """Of the manifest that the name leads to; None: the registry could not be asked."""
    why: str


@dataclass(frozen=True)
class Package:
    """A package of the nodes' operating system."""

    name: str
    version: str
    architecture: str
    """Of the nodes that it is for."""
    url: str
    sha256: str
    size: int
    """Bytes."""
    record: str
    """What the archive's list says of it (deb-control(5) fields), for the mirror's own list."""


@dataclass(frozen=True)
class Wheel:
    """A Python package for the machine where Pulumi runs."""

    url: str
    sha256: str
    why: str

    @property
    def name(self) -> str:
        """File name."""
        return self.url.rsplit("/", 1)[1]


@dataclass(frozen=True)
class Contents:
    """All that one site needs."""

    site: str
    kubespray: str
    """Its release. The playbooks themselves are packed from where they were found."""
    architectures: tuple[str, ...]
    files: tuple[File, ...]
    images: tuple[Image, ...]
    wheels: tuple[Wheel, ...]
    packages: tuple[Package, ...] = ()
    os: str | None = None
    notes: tuple[str, ...] = field(default=())
    """What is not known, a line each, with what to do about it."""

    def as_json(self) -> str:
        """For a file, and for `from_json`."""
        return json.dumps(dataclasses.asdict(self), indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Contents":
        """What `as_json` gave."""
        data: dict[str, Any] = json.loads(text)
        kinds: dict[str, Any] = {"files": File, "images": Image, "wheels": Wheel, "packages": Package}
        data |= {name: tuple(kind(**one) for one in data[name]) for name, kind in kinds.items()}
        data |= {name: tuple(data[name]) for name in ("architectures", "notes")}
        return cls(**data)
