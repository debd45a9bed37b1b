"""Which of Ansible's tasks took longest, out of the events that its runs left."""

import json
from pathlib import Path

from multus_site.kubespray.work_folder import Workplace

COUNT = 10


def slowest(site: str, since: float) -> list[tuple[str, float]]:
    """Task and seconds, longest first, of the runs that began at that time (seconds of the epoch) or later."""
    found: list[tuple[str, float]] = []
    for path in sorted((Workplace.for_site(site).folder / "log").glob("*.events")):
        found += _tasks(path, since)
    return sorted(found, key=lambda item: -item[1])[:COUNT]


def _tasks(path: Path, since: float) -> list[tuple[str, float]]:
    """A task lasts until the next event that begins something."""
    found: list[tuple[str, float]] = []
    task, begun, last = "", 0.0, 0.0
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue  # a killed run's last line
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
