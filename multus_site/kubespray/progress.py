"""The events that Ansible writes while it runs: progress in short lines, one failure that says it all, and the slowest tasks."""

import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from multus_site.kubespray.folders import Workplace
from multus_site.ssh.openssh import explained

EVERY_SECONDS = 10.0
HOSTS_NAMED = 5
LONGEST = 160
"""Characters of a line. The provider hangs at lines over 64 KiB."""

TASKS = 10
"""How many of the slowest tasks are listed."""

COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def say(line: str) -> None:
    """One line of progress."""
    print(line, file=sys.stderr, flush=True)


@dataclass
class Progress:
    """Follows the events of one run."""

    say: Callable[[str], None]
    mask: Callable[[str], str]
    """Takes secrets out of a text."""
    hosts_in_all: int = 0
    plays: int = 0
    play: int = 0
    expected: int = 0
    """Tasks in all, as far as the playbook shows before it runs: included ones come on top."""
    tasks: int = 0
    changed: Counter[str] = field(default_factory=Counter)
    """Host → tasks that changed something there."""
    name: str = ""
    failures: list[tuple[str, str, str]] = field(default_factory=list)
    """Host, task, message."""
    hosts: set[str] = field(default_factory=set)
    """Those that are done with the task."""
    _started: float = field(default_factory=time.monotonic)
    _said: float = field(default_factory=time.monotonic)

    def take(self, event: dict[str, Any]) -> None:
        """One event of callback/site_events.py."""
        kind = event["event"]
        if kind == "start":
            self.plays, self.expected = event["plays"], event["tasks"]
        elif kind == "play":
            self.play += 1
        elif kind == "task":
            self.tasks += 1
            self.name = event["name"]
            self.hosts = set()
            self._now_and_then()
        elif kind == "ok":
            self.hosts.add(event["host"])
            self.changed[event["host"]] += event["changed"]
        elif kind in {"failed", "unreachable"}:
            self.failures.append(
                (event["host"], event["task"], explained(self.mask(COLOURS.sub("", event["message"]))))
            )

    def tick(self) -> None:
        """Called while nothing happens: a long task must not look like a hang."""
        if time.monotonic() - self._said > 3 * EVERY_SECONDS:
            self._now_and_then(force=True)

    def _now_and_then(self, *, force: bool = False) -> None:
        now = time.monotonic()
        if not force and now - self._said < EVERY_SECONDS:
            return
        self._said = now
        of = f" of about {self.expected}" if self.tasks <= self.expected else ""
        line = f"{elapsed(now - self._started)}  play {min(self.play, self.plays)} of {self.plays}, task {self.tasks}{of}: {self.name}{self._done()}"
        self.say(line if len(line) <= LONGEST else line[: LONGEST - 1] + "…")

    def _done(self) -> str:
        """Which hosts are done with the task; of many, how many."""
        if not self.hosts:
            return ""
        if len(self.hosts) <= HOSTS_NAMED:
            return f", done on {', '.join(sorted(self.hosts))}"
        return f", done on {len(self.hosts)} of {self.hosts_in_all} hosts"

    def summary(self) -> str:
        """What a run that ended well did, by host: a host that it did not concern has no change."""
        if not (changes := +self.changed):
            return f"{self.tasks} tasks, nothing changed"
        named = [f"{count} on {host}" for host, count in changes.most_common(HOSTS_NAMED)]
        more = len(changes) - len(named)
        return f"{self.tasks} tasks, changed: {', '.join(named)}{f' and others on {more} more hosts' if more else ''}"

    def failure(self, most: int = 3) -> str:
        """The first failures: task, host, message. Empty if there is none."""
        lines = []
        for host, task, message in self.failures[:most]:
            text = "\n".join("    " + part[:400] for part in message.strip().splitlines()[-12:])
            lines.append(f"  task “{task}” on {host}:\n{text}")
        if len(self.failures) > most:
            lines.append(f"  and {len(self.failures) - most} more")
        return "\n".join(lines)


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
        return [event for line in lines if (event := _event(line))]


def _event(line: bytes) -> dict[str, Any] | None:
    """An event; None for what is none, such as the last line of a run that was killed."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and isinstance(event.get("event"), str) else None


def slowest(site: str, since: float) -> list[tuple[str, float]]:
    """Task and seconds, longest first, of the runs that began at that time (seconds of the epoch) or later."""
    found: list[tuple[str, float]] = []
    for path in sorted((Workplace.for_site(site).folder / "log").glob("*.events")):
        found += _seconds_by_task(path, since)
    return sorted(found, key=lambda item: -item[1])[:TASKS]


def _seconds_by_task(path: Path, since: float) -> list[tuple[str, float]]:
    """A task lasts until the next event that begins something."""
    found: list[tuple[str, float]] = []
    task, begun, last = "", 0.0, 0.0
    for event in Tail(path).read():
        last = float(event.get("time", last))
        if event.get("event") == "start" and last < since:
            return []
        if event.get("event") in {"task", "play", "end"}:
            if task:
                found.append((task, round(last - begun, 2)))
            task, begun = (str(event.get("name", "")), last) if event["event"] == "task" else ("", last)
    if task:
        found.append((task, round(last - begun, 2)))
    return found
