"""The last or running update of a stack as a timeline, from the pulumi CLI."""

import json
import shutil
import subprocess
from datetime import timedelta
from typing import Any

from multus_site.render.timeline import Timeline, moment, timeline

SECONDS = 60


def last_update(stack: str) -> Timeline | None:
    """Return the last update that changed something; None if none, or if pulumi fails."""
    if shutil.which("pulumi") is None:
        return None
    state = _pulumi("stack", "export", "--stack", stack)
    history = _pulumi("stack", "history", "--json", "--stack", stack)
    if not isinstance(state, dict) or not isinstance(history, list):
        return None
    resources = state.get("deployment", {}).get("resources") or []
    updates = [u for u in history if u.get("kind") in {"update", "resource-import"} and u.get("startTime")]
    for number, update in enumerate(updates):
        if number == 0 and (running := _under_way(resources, update)):
            return running
        found = timeline(resources, update["startTime"], update.get("endTime"))
        if found:
            return found
    return timeline(resources, min(_modified(resources)), None) if not updates and _modified(resources) else None


def _under_way(resources: list[dict[str, Any]], last: dict[str, Any]) -> Timeline | None:
    """Return an update that the history lacks yet: it changed something after the end of the last one, which has whole seconds."""
    end = moment(str(last.get("endTime") or last["startTime"])) + timedelta(seconds=1)
    later = [m for m in _modified(resources) if moment(m) > end]
    return timeline(resources, min(later), None) if later else None


def _modified(resources: list[dict[str, Any]]) -> list[str]:
    return sorted((str(r["modified"]) for r in resources if r.get("modified")), key=moment)


def _pulumi(*arguments: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        return json.loads(done.stdout) if done.returncode == 0 else None
    except (subprocess.TimeoutExpired, ValueError):
        return None
