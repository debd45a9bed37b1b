"""Ansible callback: one JSON line per event into the file that $SITE_EVENTS names. Runs inside ansible-playbook, imports nothing of ours."""

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
    """Writes events as they happen."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "site_events"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        """Opens the file; closed when Ansible ends."""
        super().__init__()
        self._file = open(os.environ["SITE_EVENTS"], "a", buffering=1)  # noqa: PTH123, SIM115 # line by line, for as long as Ansible runs
        self._task = ""

    def _event(self, event: str, **more: object) -> None:
        self._file.write(json.dumps({"event": event, "time": round(time.time(), 2), **more}) + "\n")

    def v2_playbook_on_start(self, playbook: Any) -> None:
        """All plays are known, imported ones too; of their tasks all but those that are included on the way."""
        plays = playbook.get_plays()
        self._event("start", plays=len(plays), tasks=sum(_count(play.compile()) for play in plays))

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """A play begins."""
        self._event("play", name=play.get_name().strip())

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:  # noqa: ARG002 # Ansible's signature
        """A task begins."""
        self._task = task.get_name().strip()
        self._event("task", name=self._task)

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        """So does a handler."""
        self.v2_playbook_on_task_start(task, False)

    def v2_runner_on_ok(self, result: Any) -> None:
        """A host is done with a task."""
        self._event("ok", host=result._host.get_name(), changed=bool(result._result.get("changed")))

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:  # Ansible's signature
        """A task failed on a host."""
        if not ignore_errors:
            self._event("failed", host=result._host.get_name(), task=self._task, message=self._message(result._result))

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """A host does not answer."""
        self._event("unreachable", host=result._host.get_name(), task=self._task, message=self._message(result._result))

    def _message(self, result: dict[str, Any]) -> str:
        """What a person needs of a result: the failed items' messages, standard error, the module's message."""
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
    """Tasks of blocks, those of the blocks inside them too; meta tasks, which are Ansible's own, aside."""
    total = 0
    for block in blocks:
        for item in (*block.block, *block.rescue, *block.always):
            if hasattr(item, "block"):
                total += _count([item])
            elif item.action not in {"meta", "ansible.builtin.meta"}:
                total += 1
    return total
