"""`make bench`: a table of the stage times of the last runs. tests/bench measures ratios and growth."""

import json
from typing import Any

from rich.console import Console
from rich.table import Table

from lab.place import Place

RUNS = 6


def bench(place: Place, console: Console) -> None:
    """Prints the seconds of each stage (rows) in each run (columns, newest last)."""
    runs = [json.loads(p.read_text(encoding="utf-8")) for p in sorted(place.runs.glob("*.json"))[-RUNS:]]
    if not runs:
        console.print("There are no runs yet. Type: make lab")
        return
    console.print(table(runs))


def table(runs: list[dict[str, Any]]) -> Table:
    """One row per stage, in order of first appearance."""
    shown = Table(title="Seconds by stage")
    shown.add_column("stage")
    for run in runs:
        shown.add_column(f"{run['command']}\n{run['started'][5:16].replace('T', ' ')}", justify="right")
    for stage in dict.fromkeys(stage for run in runs for stage in run["stages"]):
        shown.add_row(stage, *(f"{run['stages'][stage]:.1f}" if stage in run["stages"] else "" for run in runs))
    shown.add_section()
    shown.add_row("in all", *(f"{run['seconds']:.1f}" for run in runs))
    return shown
