"""Show progress by stage, as a live table on a terminal or as plain lines, and write the times of each run to a JSON file."""

import contextlib
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

PLAIN_SECONDS = 10
"""Without a terminal, a stage prints at most this often, unless its step changes."""


class Stages:
    """The stages of one run."""

    def __init__(self, console: Console, command: str) -> None:
        self._console = console
        self._command = command
        self._begun = time.monotonic()
        self._started = datetime.now(UTC)
        self._times: dict[str, float] = {}
        self._live = console.is_terminal
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("[bold]{task.description:<20}"),
            BarColumn(bar_width=16),
            TimeElapsedColumn(),
            TextColumn("{task.fields[step]}", style="dim"),
            console=console,
            transient=False,
            disable=not self._live,
        )
        self._current: str | None = None
        self._task: TaskID | None = None
        self._said: tuple[str, float] = ("", 0.0)

    @contextlib.contextmanager
    def running(self) -> Iterator["Stages"]:
        """Shows the stages during the run."""
        with self._progress:
            yield self

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Shows and times one stage, failed or not."""
        self.begin(name)
        try:
            yield
        except BaseException:
            self.end(well=False)
            raise
        self.end()

    def begin(self, name: str) -> None:
        """Starts a stage; the previous one must have ended."""
        self._current, self._stage_begun = name, time.monotonic()
        self._task = self._progress.add_task(name, total=None, step="")
        if not self._live:
            self._say(name)

    def end(self, *, well: bool = True) -> None:
        """Ends the current stage, if any."""
        if self._current is None or self._task is None:
            return
        seconds = time.monotonic() - self._stage_begun
        self._times[self._current] = round(self._times.get(self._current, 0) + seconds, 2)
        if well:
            self._progress.update(self._task, total=1, completed=1, step="")
        self._progress.stop_task(self._task)
        if not self._live:
            self._say(f"{self._current}: {'done' if well else 'failed'} in {seconds:.1f} s")
        self._current, self._task = None, None

    def report(self, step: str, fraction: float | None = None) -> None:
        """Shows the stage's current step, and its progress (0..1) if known."""
        if self._task is None:
            return
        if self._live:
            # Without a fraction, the bar pulses.
            self._progress.update(
                self._task, step=step[:70], total=None if fraction is None else 1.0, completed=fraction or 0
            )
            return
        said, at = self._said
        if step != said and time.monotonic() - at > (0 if step.split()[:1] != said.split()[:1] else PLAIN_SECONDS):
            self._say(f"{self._current}: {step}")
            self._said = (step, time.monotonic())

    @property
    def times(self) -> dict[str, float]:
        """Seconds by stage, in the order of their start."""
        return dict(self._times)

    def write(self, folder: Path, **facts: object) -> Path:
        """Writes the run's times: {"command", "started", "seconds", "stages": {stage: seconds}, …facts}."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self._started:%Y%m%dT%H%M%SZ}-{self._command}.json"
        record = {
            "command": self._command,
            "started": self._started.isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - self._begun, 2),
            "stages": self._times,
            **facts,
        }
        path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        return path

    def _say(self, text: str) -> None:
        self._console.print(
            f"[{time.monotonic() - self._begun:7.1f} s] {text}", highlight=False, markup=False, soft_wrap=True
        )
