"""What Ansible's events say to a person: short lines, few enough to read, and one failure that says it all."""

import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubespray.ssh import explained

EVERY_SECONDS = 10.0
LONGEST = 160
"""Characters of a line. The provider hangs at lines over 64 KiB."""

COLOURS = re.compile(r"\x1b\[[0-9;]*m")

SECRET_NAMES = ("password", "secret", "token", "passwd", "private", "_key", "credential", "_auth")


@dataclass
class Progress:
    """Follows the events of one run."""

    say: Callable[[str], None]
    secrets: frozenset[str] = frozenset()
    """Texts that must not be said."""
    plays: int = 0
    play: int = 0
    tasks: int = 0
    changed: int = 0
    name: str = ""
    failures: list[tuple[str, str, str]] = field(default_factory=list)
    """Host, task, message."""
    hosts: set[str] = field(default_factory=set)
    _started: float = field(default_factory=time.monotonic)
    _said: float = field(default_factory=time.monotonic)

    def take(self, event: dict[str, Any]) -> None:
        """One event of callback/site_events.py."""
        kind = event["event"]
        if kind == "start":
            self.plays = event["plays"]
        elif kind == "play":
            self.play += 1
        elif kind == "task":
            self.tasks += 1
            self.name = event["name"]
            self.hosts = set()
            self._now_and_then()
        elif kind == "ok":
            self.hosts.add(event["host"])
            self.changed += event["changed"]
        elif kind in {"failed", "unreachable"}:
            self.failures.append((event["host"], event["task"], self._masked(event["message"])))

    def tick(self) -> None:
        """Called while nothing happens: a long task must not look like a hang."""
        if time.monotonic() - self._said > 3 * EVERY_SECONDS:
            self._now_and_then(force=True)

    def _now_and_then(self, *, force: bool = False) -> None:
        now = time.monotonic()
        if not force and now - self._said < EVERY_SECONDS:
            return
        self._said = now
        done = f", done on {', '.join(sorted(self.hosts))}" if self.hosts and len(self.hosts) <= 5 else ""
        line = f"{elapsed(now - self._started)}  play {min(self.play, self.plays)} of {self.plays}, task {self.tasks}: {self.name}{done}"
        self.say(line if len(line) <= LONGEST else line[: LONGEST - 1] + "…")

    def failure(self, most: int = 3) -> str:
        """The first failures: task, host, message. Empty if there is none."""
        lines = []
        for host, task, message in self.failures[:most]:
            text = "\n".join("    " + part[:400] for part in message.strip().splitlines()[-12:])
            lines.append(f"  task “{task}” on {host}:\n{text}")
        if len(self.failures) > most:
            lines.append(f"  and {len(self.failures) - most} more")
        return "\n".join(lines)

    def _masked(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, "[secret]")
        return explained(COLOURS.sub("", text))


def secrets_of(variables: dict[str, Any]) -> frozenset[str]:
    """Values of variables whose names say that they are secret."""
    return frozenset(_texts(variables, hidden=False))


def _texts(value: Any, *, hidden: bool) -> Iterable[str]:  # noqa: ANN401 # any JSON
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, hidden=hidden or any(name in key.lower() for name in SECRET_NAMES))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, hidden=hidden)
    elif hidden and isinstance(value, str) and len(value) >= 6:
        yield value


def elapsed(seconds: float) -> str:
    """Such as 3:07."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


@dataclass
class Tail:
    """Reads what was added to a file of JSON lines."""

    path: Path
    _position: int = 0
    _rest: bytes = b""

    def read(self) -> list[dict[str, Any]]:
        """Events since the last call; a half-written line waits."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self._position)
            data = file.read()
        self._position += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [json.loads(line) for line in lines if line]
