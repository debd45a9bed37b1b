"""Tar files that come out the same, byte for byte, whenever and wherever they are made of the same files."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """One thing in an archive: a file's `content`, a symbolic `link`, or a folder when it has neither."""

    name: str
    content: Path | bytes | None = None
    link: str | None = None
    mode: int = 0o755

    def header(self) -> tarfile.TarInfo:
        """Its tar header: root's, without a time."""
        info = tarfile.TarInfo(self.name)
        info.mode = self.mode
        if self.link is not None:
            info.type, info.linkname, info.mode = tarfile.SYMTYPE, self.link, 0o777
        elif self.content is None:
            info.type = tarfile.DIRTYPE
        else:
            info.size = len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size
        return info


def write(target: Path, entries: Iterable[Entry], *, compressed: bool) -> None:
    """Write `entries` in their order to `target`. Fast compression: it is read over the local network."""
    with target.open("wb") as file:
        if compressed:
            with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=1, mtime=0) as zipped:
                _write(zipped, entries)
        else:
            _write(file, entries)


def _write(file: io.IOBase | gzip.GzipFile, entries: Iterable[Entry]) -> None:
    with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for entry in entries:
            if isinstance(entry.content, bytes):
                tar.addfile(entry.header(), io.BytesIO(entry.content))
            elif entry.content is not None:
                with entry.content.open("rb") as content:
                    tar.addfile(entry.header(), content)
            else:
                tar.addfile(entry.header())
