"""`command:remote:CopyToRemote`: a file, a text or a directory written to a host over SFTP.

Like the real provider's 1.2.1: no mode, no owner, nothing removed, no delete. `dir` goes to `dest/dir`, `dir/` to `dest`.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import asyncssh

from ..plugin import EngineLog, StandInError
from ..values import ARCHIVE, ASSET_KIND, UNKNOWN, Plain
from .connection import connected

_CHUNK = 1 << 20


def refusal(source: Plain) -> str | None:
    """Why `source` can't be copied, or None. A source unknown at preview is refused, as by the real provider."""
    if source is None or source == UNKNOWN or not isinstance(source, dict) or ASSET_KIND not in source:
        return "either asset or archive must be set"
    if source[ASSET_KIND] == ARCHIVE and "path" not in source:
        return "archive must be a path to a file or directory"
    if "path" not in source and "text" not in source:
        return "asset must be a path-based file asset or a text asset"
    return None


async def copy(properties: dict[str, Any], log: EngineLog, urn: str) -> None:
    """Write `source` to `remotePath` on the host."""
    source, target = properties["source"], str(properties["remotePath"])
    async with connected(properties["connection"], log, urn) as client, client.start_sftp_client() as sftp:
        try:
            if "text" in source:
                await _text(sftp, str(source["text"]), target)
            else:
                await _tree(sftp, str(source["path"]), target)
        except asyncssh.SFTPError as error:
            msg = f"failed to copy to remote path {target}: {error.reason}"
            raise StandInError(msg) from error
        except OSError as error:
            msg = f"open {error.filename}: {(error.strerror or str(error)).lower()}"
            raise StandInError(msg) from error


async def _text(sftp: asyncssh.SFTPClient, text: str, target: str) -> None:
    if await sftp.isdir(target):
        msg = f"remote path {target} is a directory; when using a text asset, remotePath must be a file path"
        raise StandInError(msg)
    await sftp.makedirs(str(PurePosixPath(target).parent), exist_ok=True)
    async with sftp.open(target, "wb") as remote:
        await remote.write(text.encode())


async def _tree(sftp: asyncssh.SFTPClient, path: str, target: str) -> None:
    source = Path(path)
    if not source.is_dir():
        place = PurePosixPath(target)
        if await sftp.isdir(target):
            place /= source.name
        await sftp.makedirs(str(place.parent), exist_ok=True)
        await _file(sftp, source, place)
        return
    top = PurePosixPath(target) if path.endswith("/") else PurePosixPath(target) / source.name
    await _directory(sftp, top)
    for item in sorted(source.rglob("*")):
        place = top / item.relative_to(source).as_posix()
        if item.is_dir():
            await _directory(sftp, place)
        else:
            await _file(sftp, item, place)


async def _directory(sftp: asyncssh.SFTPClient, place: PurePosixPath) -> None:
    if await sftp.exists(str(place)) and not await sftp.isdir(str(place)):
        msg = f"remote path {place} exists but is not a directory"
        raise StandInError(msg)
    await sftp.makedirs(str(place), exist_ok=True)


async def _file(sftp: asyncssh.SFTPClient, source: Path, place: PurePosixPath) -> None:
    async with sftp.open(str(place), "wb") as remote:
        with source.open("rb") as local:
            while chunk := local.read(_CHUNK):
                await remote.write(chunk)
