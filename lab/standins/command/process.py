"""What running a command means here and on a remote host alike: output, its log, and the words of a failure."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..plugin import EngineLog, StandInError

PREVIOUS_STDOUT = "PULUMI_COMMAND_STDOUT"
PREVIOUS_STDERR = "PULUMI_COMMAND_STDERR"


class ByteStream(Protocol):
    """The reading side of a pipe, asyncio's or asyncssh's."""

    def readline(self) -> Awaitable[bytes]:
        """The next line with its newline, or what is left, or nothing at the end."""


@dataclass
class Output:
    """Both streams of a command, apart and in the order they came."""

    stdout: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)
    both: bytearray = field(default_factory=bytearray)

    def properties(self) -> dict[str, str]:
        """`stdout` and `stderr` as the resource shows them: less one trailing newline."""
        return {"stdout": _text(self.stdout).removesuffix("\n"), "stderr": _text(self.stderr).removesuffix("\n")}

    async def collect(self, out: ByteStream, err: ByteStream, logging: str | None, log: EngineLog, urn: str) -> None:
        """Read both streams to their ends, passing lines on to the engine's log as `logging` allows."""
        show = logging or "stdoutAndStderr"
        await asyncio.gather(
            self._drain(out, self.stdout, log.status if show in ("stdout", "stdoutAndStderr") else None, urn),
            self._drain(err, self.stderr, log.status if show in ("stderr", "stdoutAndStderr") else None, urn),
        )

    async def _drain(
        self, stream: ByteStream, into: bytearray, show: Callable[[str, str], Awaitable[None]] | None, urn: str
    ) -> None:
        while line := await stream.readline():
            into += line
            self.both += line
            if show is not None:
                await show(_text(line).rstrip("\n"), urn)

    def failed(self, why: str, command: str) -> StandInError:
        """The failure of `command` with all that it printed, in the real provider's words."""
        return StandInError(f"{why}: running {json.dumps(command, ensure_ascii=False)}:\n{_text(self.both)}")


def previous_output(properties: dict[str, Any]) -> dict[str, str]:
    """The variables that carry the last run's output into the next one."""
    if properties.get("addPreviousOutputInEnv") is False:
        return {}
    pairs = {PREVIOUS_STDOUT: properties.get("stdout"), PREVIOUS_STDERR: properties.get("stderr")}
    return {name: value for name, value in pairs.items() if value}


def _text(data: bytes | bytearray) -> str:
    return data.decode("utf-8", errors="replace")
