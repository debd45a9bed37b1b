"""`command:remote:Command`: a command on a host reached over SSH."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
from typing import Any

import asyncssh

from ..plugin import EngineLog, StandInError
from .connection import connected
from .process import Output, previous_output


async def run(command: str, properties: dict[str, Any], log: EngineLog, urn: str) -> dict[str, str]:
    """Run `command` on the host to its end; its stdout and stderr."""
    async with connected(properties["connection"], log, urn) as client:
        environment = await _environment(client, properties, log, urn)
        output = Output()
        async with client.create_process(command, env=environment, encoding=None) as process:
            try:
                # A command that reads nothing may have ended by now.
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.write((properties.get("stdin") or "").encode())
                    process.stdin.write_eof()
                await output.collect(process.stdout, process.stderr, properties.get("logging"), log, urn)
                ended = await process.wait()
            except asyncio.CancelledError:
                process.terminate()
                raise
    why = _failure(ended)
    if why:
        raise output.failed(why, command)
    return output.properties()


def _failure(ended: asyncssh.SSHCompletedProcess) -> str | None:
    if ended.exit_signal:
        return f"Process exited with status 128 from signal {ended.exit_signal[0]}"
    if ended.exit_status is None:
        return "wait: remote command exited without exit status or exit signal"
    return f"Process exited with status {ended.exit_status}" if ended.exit_status else None


async def _environment(
    client: asyncssh.SSHClientConnection, properties: dict[str, Any], log: EngineLog, urn: str
) -> dict[str, str]:
    """What the session may carry. sshd drops variables that AcceptEnv does not name, silently: so ask it first."""
    wanted = dict(properties.get("environment") or {})
    previous = previous_output(properties)
    if not wanted and not previous:
        return {}
    probe = "; ".join(f'[ "${{{name}+set}}" ] || echo {shlex.quote(name)}' for name in [*wanted, *previous])
    answer = await client.run(probe, env={**wanted, **previous}, check=False)
    refused = set(str(answer.stdout or "").split())
    for name in [*wanted, *previous]:
        if name not in refused:
            continue
        text = (
            f"Unable to set '{name}'. This only works if your SSH server is configured to accept these variables via "
            "AcceptEnv. Alternatively, prefix the command itself: 'VAR=value command'"
        )
        if name in wanted:
            await log.error(text, urn)
            msg = f'could not set environment variable "{name}": ssh: setenv failed'
            raise StandInError(msg)
        await log.warning(text, urn)
    return {name: value for name, value in {**wanted, **previous}.items() if name not in refused}
