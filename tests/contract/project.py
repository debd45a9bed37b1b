"""A Pulumi project of a test's own: the real CLI, a throw-away home and backend, programs given as functions."""

from __future__ import annotations

import datetime
import gc
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pulumi import automation

PASSPHRASE = "contract"  # noqa: S105 # of a state that lives as long as its test
Program = Callable[[], None]


@dataclass
class Outcome:
    """What one run of the CLI did and said."""

    ok: bool = True
    said: list[str] = field(default_factory=list)
    steps: list[tuple[str, str]] = field(default_factory=list)
    """(operation, logical name) of every step as the engine began it; `same` for what did not change."""
    outputs: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All that the CLI printed."""
        return "".join(self.said)

    @property
    def changes(self) -> list[tuple[str, str]]:
        """The steps that change something, the stack's own and providers' left out."""
        return [step for step in self.steps if step[0] not in ("same", "read", "refresh")]

    def count(self) -> Counter[str]:
        """How many changes of each kind."""
        return Counter(operation for operation, _ in self.changes)


@contextmanager
def graves() -> Iterator[None]:
    """Let no garbage be collected inside, save by `_bury`, and what is left never.

    A failed inline program leaves coroutines that wait for ever. The SDK holds them for a while, so that they are collected
    at some random later moment, and their last words there break whatever runs (CPython 3.11: ast.parse, SystemError).
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _bury() -> None:
    """Collect what earlier programs left; it complains of its own end, which is of no interest."""
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        gc.collect()
    finally:
        sys.unraisablehook = hook


class _Stack(automation.Stack):
    """A stack that doesn't call the CLI three times more after each operation, to ask what the state file says."""

    def outputs(self) -> automation.OutputMap:
        return {}

    def info(self, show_secrets: bool = False) -> automation.UpdateSummary | None:  # noqa: ARG002 # the base's signature
        return _NOTHING


_NOTHING = automation.UpdateSummary("update", datetime.datetime.now(datetime.UTC), "", {}, {}, "succeeded")


class Project:
    """One stack, one folder, any number of programs one after another."""

    def __init__(self, folder: Path, **variables: str) -> None:
        """`variables`: of the CLI's environment, beside what every test has."""
        self.folder, self._variables = folder, variables
        for name in ("home", "state", "work"):
            (folder / name).mkdir()
        settings = automation.ProjectSettings(
            "contract", "python", backend=automation.ProjectBackend(f"file://{folder / 'state'}")
        )
        workspace = automation.LocalWorkspace(
            work_dir=str(folder / "work"),
            pulumi_home=str(folder / "home"),
            env_vars=self._environment(),
            project_settings=settings,
        )
        self._stack = _Stack.create("test", workspace)

    def _environment(self) -> dict[str, str]:
        return {
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "HOME": str(self.folder / "home"),
            # A person's agent and cluster must not decide a test.
            "SSH_AUTH_SOCK": "",
            "KUBECONFIG": "",
            **self._variables,
        }

    def shell(self) -> dict[str, str]:
        """Environment in which the pulumi CLI works on this stack."""
        backend = {"PULUMI_BACKEND_URL": f"file://{self.folder / 'state'}", "PULUMI_HOME": str(self.folder / "home")}
        return {**os.environ, **self._environment(), **backend}

    def preview(self, program: Program, **options: Any) -> Outcome:
        """`pulumi preview`."""
        return self._run(self._stack.preview, program=program, **options)

    def up(self, program: Program, **options: Any) -> Outcome:
        """`pulumi up`."""
        return self._run(self._stack.up, program=program, **options)

    def refresh(self) -> Outcome:
        """`pulumi refresh`, which asks the world and does not run the program."""
        return self._run(self._stack.refresh)

    def destroy(self) -> Outcome:
        """`pulumi destroy`."""
        return self._run(self._stack.destroy)

    def _run(self, operation: Callable[..., Any], **options: Any) -> Outcome:
        outcome = Outcome()

        def note(event: automation.EngineEvent) -> None:
            started = event.resource_pre_event
            if started is not None:
                kind = started.metadata.type
                if not kind.startswith(("pulumi:pulumi:", "pulumi:providers:")):
                    outcome.steps.append((str(started.metadata.op.value), started.metadata.urn.rpartition("::")[2]))

        try:
            operation(on_output=outcome.said.append, on_event=note, **options)
        except automation.CommandError as error:
            outcome.ok = False
            outcome.said.append(str(error))
        _bury()
        outcome.outputs = self._outputs()
        return outcome

    def state(self) -> str:
        """The state file, as it lies on the disk."""
        return self._state_file().read_text()

    def _state_file(self) -> Path:
        return self.folder / "state" / ".pulumi" / "stacks" / "contract" / "test.json"

    def _outputs(self) -> dict[str, Any]:
        for item in self._recorded():
            if item["type"] == "pulumi:pulumi:Stack":
                return dict(item.get("outputs", {}))
        return {}

    def _recorded(self) -> list[dict[str, Any]]:
        path = self._state_file()
        return (
            list(json.loads(path.read_text())["checkpoint"]["latest"].get("resources") or []) if path.exists() else []
        )

    def resources(self) -> dict[str, dict[str, Any]]:
        """Resources in the state by logical name, less the stack and its providers."""
        return {
            item["urn"].rpartition("::")[2]: item
            for item in self._recorded()
            if not item["type"].startswith(("pulumi:pulumi:", "pulumi:providers:"))
        }
