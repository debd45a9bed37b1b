"""`command:local:Command` and the invoke `command:local:run`: processes on this machine."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

from ..plugin import EngineLog, StandInError
from .process import Output, previous_output

_GRACE_SECONDS = 5.0
_LONGEST_LINE = 1 << 30


async def run(command: str, properties: dict[str, Any], log: EngineLog, urn: str) -> dict[str, str]:
    """Run `command` to its end; its stdout and stderr. Cancelled, it takes the whole process group along."""
    for name in ("assetPaths", "archivePaths"):
        if properties.get(name):
            msg = f"{name}: the stand-in for pulumi-command does not collect files. Read them in the program instead."
            raise StandInError(msg)
    output = Output()
    stdin = properties.get("stdin") or ""
    arguments = [*(properties.get("interpreter") or ["/bin/sh", "-c"]), command]
    try:
        process = await asyncio.create_subprocess_exec(
            *arguments,
            stdin=asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=properties.get("dir") or None,
            env={**os.environ, **(properties.get("environment") or {}), **previous_output(properties)},
            start_new_session=True,
            limit=_LONGEST_LINE,
        )
    except OSError as error:
        why = f"{error.filename}: {error.strerror}"
        raise output.failed(why, command) from error
    try:
        _, _, status = await asyncio.gather(
            _feed(process, stdin.encode()),
            output.collect(_reader(process.stdout), _reader(process.stderr), properties.get("logging"), log, urn),
            process.wait(),
        )
    except asyncio.CancelledError:
        await _end(process)
        raise
    if status < 0:
        why = f"signal: {signal.strsignal(-status) or -status}".lower()
        raise output.failed(why, command)
    if status > 0:
        why = f"exit status {status}"
        raise output.failed(why, command)
    return output.properties()


def _reader(stream: asyncio.StreamReader | None) -> asyncio.StreamReader:
    if stream is None:
        msg = "a process was started without pipes"
        raise RuntimeError(msg)
    return stream


async def _feed(process: asyncio.subprocess.Process, text: bytes) -> None:
    if process.stdin is None:
        return
    try:
        process.stdin.write(text)
        await process.stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        pass  # a command need not read all of its input
    finally:
        process.stdin.close()


async def _end(process: asyncio.subprocess.Process) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        try:
            await asyncio.wait_for(process.wait(), _GRACE_SECONDS)
        except TimeoutError:
            continue
