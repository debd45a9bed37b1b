"""Ansible callback that appends one JSON line per event to the file $SITE_EVENTS. Runs inside ansible-playbook, without this package."""

# ruff: noqa: ANN401 # Ansible ships no types
import json
import os
import time
from typing import Any

from ansible.plugins.callback import CallbackBase  # type: ignore[import-untyped]  # ansible ships no types

DOCUMENTATION = """
    name: site_events
    type: notification
    short_description: events as JSON lines for the program that runs Ansible
    description: plays, tasks and failures, one JSON object a line.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible ships no types
    """Writes events when they happen."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "site_events"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        """Opens the file, until Ansible ends."""
        super().__init__()
        self._file = open(os.environ["SITE_EVENTS"], "a", buffering=1)  # noqa: PTH123, SIM115 # line by line, for as long as Ansible runs
        self._task = ""

    def _event(self, event: str, **more: object) -> None:
        self._file.write(json.dumps({"event": event, "time": round(time.time(), 2), **more}) + "\n")

    def v2_playbook_on_start(self, playbook: Any) -> None:
        """Counts all plays, imported ones too, and their tasks without those that are included during the run."""
        plays = playbook.get_plays()
        self._event("start", plays=len(plays), tasks=sum(_count(play.compile()) for play in plays))

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """A play starts."""
        self._event("play", name=play.get_name().strip())

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:  # noqa: ARG002 # Ansible's signature
        """A task starts."""
        self._task = task.get_name().strip()
        self._event("task", name=self._task)

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        """A handler starts."""
        self.v2_playbook_on_task_start(task, False)

    def v2_runner_on_ok(self, result: Any) -> None:
        """A host finished a task."""
        self._event("ok", host=result._host.get_name(), changed=bool(result._result.get("changed")))

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:  # Ansible's signature
        """A task failed on a host."""
        if not ignore_errors:
            self._event("failed", host=result._host.get_name(), task=self._task, message=self._message(result._result))

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """A host does not answer."""
        self._event("unreachable", host=result._host.get_name(), task=self._task, message=self._message(result._result))

    def _message(self, result: dict[str, Any]) -> str:
        """The message of a result: of its failed items, or of the module with its standard error."""
        if censored := result.get("censored"):
            return str(censored)
        items = [self._message(item) for item in result.get("results", []) if item.get("failed")]
        if items:
            return "\n".join(items)[-2000:]
        parts = [str(result[key]).strip() for key in ("msg", "stderr") if result.get(key)]
        if not result.get("stderr") and result.get("rc") and result.get("stdout"):
            parts.append(str(result["stdout"]).strip())
        return "\n".join(parts)[-2000:]


def _count(blocks: list[Any]) -> int:
    """The number of tasks in blocks and nested blocks, without Ansible's meta tasks."""
    total = 0
    for block in blocks:
        for item in (*block.block, *block.rescue, *block.always):
            if hasattr(item, "block"):
                total += _count([item])
            elif item.action not in {"meta", "ansible.builtin.meta"}:
                total += 1
    return total
