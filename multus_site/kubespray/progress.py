"""Read the events that Ansible writes during a run: progress in short lines, failures, and the slowest tasks."""

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
"""Characters per line. The provider hangs at lines over 64 KiB."""

TASKS = 10
"""Number of slowest tasks in the list."""

COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def say(line: str) -> None:
    """Prints one line of progress."""
    print(line, file=sys.stderr, flush=True)


@dataclass
class Progress:
    """Follows the events of one run."""

    say: Callable[[str], None]
    mask: Callable[[str], str]
    """Removes secrets from text."""
    hosts_in_all: int = 0
    plays: int = 0
    play: int = 0
    expected: int = 0
    """Number of tasks known at the start; included tasks are added during the run."""
    tasks: int = 0
    changed: Counter[str] = field(default_factory=Counter)
    """Host → number of tasks that changed it."""
    name: str = ""
    failures: list[tuple[str, str, str]] = field(default_factory=list)
    """Host, task, message."""
    hosts: set[str] = field(default_factory=set)
    """Hosts that finished the current task."""
    _started: float = field(default_factory=time.monotonic)
    _said: float = field(default_factory=time.monotonic)

    def take(self, event: dict[str, Any]) -> None:
        """Processes one event of callback/site_events.py."""
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
        """Call it between events: a long task must not look like a hang."""
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
        """The hosts that finished the task; only their number if there are many."""
        if not self.hosts:
            return ""
        if len(self.hosts) <= HOSTS_NAMED:
            return f", done on {', '.join(sorted(self.hosts))}"
        return f", done on {len(self.hosts)} of {self.hosts_in_all} hosts"

    def summary(self) -> str:
        """What a successful run changed, by host."""
        if not (changes := +self.changed):
            return f"{self.tasks} tasks, nothing changed"
        named = [f"{count} on {host}" for host, count in changes.most_common(HOSTS_NAMED)]
        more = len(changes) - len(named)
        return f"{self.tasks} tasks, changed: {', '.join(named)}{f' and others on {more} more hosts' if more else ''}"

    def failure(self, most: int = 3) -> str:
        """The first failures: task, host, message. Empty without failures."""
        lines = []
        for host, task, message in self.failures[:most]:
            text = "\n".join("    " + part[:400] for part in message.strip().splitlines()[-12:])
            lines.append(f"  task “{task}” on {host}:\n{text}")
        if len(self.failures) > most:
            lines.append(f"  and {len(self.failures) - most} more")
        return "\n".join(lines)


def elapsed(seconds: float) -> str:
    """Minutes and seconds, such as 3:07."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


@dataclass
class Tail:
    """Reads new lines of a growing file of JSON lines."""

    path: Path
    _position: int = 0
    _rest: bytes = b""

    def read(self) -> list[dict[str, Any]]:
        """Events since the last call, without an incomplete last line."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self._position)
            data = file.read()
        self._position += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [event for line in lines if (event := _event(line))]


def _event(line: bytes) -> dict[str, Any] | None:
    """An event; None for anything else, such as the last line of a killed run."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and isinstance(event.get("event"), str) else None


def slowest(site: str, since: float) -> list[tuple[str, float]]:
    """Task and seconds, longest first, of the runs that started at `since` (seconds of the epoch) or later."""
    tasks: list[tuple[str, float]] = []
    for path in sorted((Workplace.for_site(site).folder / "log").glob("*.events")):
        tasks += _seconds_by_task(path, since)
    return sorted(tasks, key=lambda item: -item[1])[:TASKS]


def _seconds_by_task(path: Path, since: float) -> list[tuple[str, float]]:
    """A task lasts until the next task or play starts, or the run ends."""
    tasks: list[tuple[str, float]] = []
    task, begun, last = "", 0.0, 0.0
    for event in Tail(path).read():
        last = float(event.get("time", last))
        if event.get("event") == "start" and last < since:
            return []
        if event.get("event") in {"task", "play", "end"}:
            if task:
                tasks.append((task, round(last - begun, 2)))
            task, begun = (str(event.get("name", "")), last) if event["event"] == "task" else ("", last)
    if task:
        tasks.append((task, round(last - begun, 2)))
    return tasks
