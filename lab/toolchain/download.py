"""Official releases, taken only when every byte is the one expected."""

from __future__ import annotations

import http.client
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from lab.cache import Cache, LabError, sha256

LIMIT = 60.0
"""Seconds without a byte after which a server counts as gone."""

CHUNK = 1 << 20

# an HTTP error status is a URLError too
FAILURES = (urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException)


class UnreachableError(Exception):
    """The server did not give the file. Whoever asked builds it instead."""


def fetch(cache: Cache, url: str, digest: str) -> Path:
    """The file at `url`, whose sha256 is `digest` (hex), in the cache; from there if it was fetched before.

    Raises UnreachableError when the server fails, LabError when the file is another one than expected.
    """
    target = cache.downloads / f"{digest}-{url.rsplit('/', 1)[1]}"
    if target.exists():
        return target
    with cache.publish(target) as scratch:
        try:
            with urllib.request.urlopen(url, timeout=LIMIT) as answer, scratch.open("wb") as file:  # noqa: S310 - ours
                while chunk := answer.read(CHUNK):
                    file.write(chunk)
        except FAILURES as error:
            msg = f"{url}: {error}"
            raise UnreachableError(msg) from error
        found = sha256(scratch)
        if found != digest:
            msg = (
                f"{url}: sha256 {found} where {digest} is pinned: the file was changed on its way or at its source. "
                "Run with OFFLINE=1 to build it instead."
            )
            raise LabError(msg)
    return target


def unpack(archive: Path, folder: Path, wanted: Callable[[tarfile.TarInfo], bool] = lambda _: True) -> None:
    """Put the members of a release's archive that are `wanted` into a folder."""
    with tarfile.open(archive) as tar:
        # Debian 12's Python 3.11.2 takes no `filter`; this has newer ones refuse what leaves the folder.
        tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        tar.extractall(folder, [member for member in tar if wanted(member)])  # noqa: S202 - sha256 checked, and filtered


def published_digest(url: str, name: str) -> str:
    """The sha256 of the file `name` in the publisher's checksum list at `url`.

    For releases of which no digest is pinned here. Raises UnreachableError.
    """
    try:
        with urllib.request.urlopen(url, timeout=LIMIT) as answer:  # noqa: S310 - ours, https
            text: bytes = answer.read(CHUNK)
    except FAILURES as error:
        msg = f"{url}: {error}"
        raise UnreachableError(msg) from error
    for line in text.decode(errors="replace").splitlines():
        match line.split():
            case [digest, entry] if entry.lstrip("*") == name:
                return digest
            case _:
                continue
    msg = f"{url}: has no line for {name}"
    raise UnreachableError(msg)
