"""Runs faults one by one: provoke, ask the commands, let `pulumi up` restore, and count what is lost."""

import contextlib
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lab.cache import LabError
from lab.commands import Done
from lab.faults.bench import NODES, Bench, eventually
from lab.faults.registry import ITSELF, UP, Fault
from lab.history.audit import left

WELL_SECONDS = 300
LOST_SECONDS, YOUNG_SECONDS = 90, 310
"""The kubelet removes what is left of a sandbox once a minute; `up` leaves alone what is younger than five minutes, since its pod may be starting."""
SHOWN = 170
Say = Callable[[str], None]


@dataclass
class Answer:
    """What a command said while something was broken. `wrong`: why that is a defect; empty if it said what it should."""

    command: str
    status: int
    line: str
    wrong: str = ""


@dataclass
class Row:
    """One fault of the table."""

    name: str
    what: str
    answers: list[Answer] = field(default_factory=list)
    why_silent: str = ""
    after: str = ""
    well: bool = False
    lost: list[str] = field(default_factory=list)
    returned: int = 0
    """Things that only an `up` of their own gave back, once they were old enough."""
    error: str = ""
    """Why the fault could not be run to its end."""

    @property
    def wrong(self) -> list[str]:
        """Why this row fails the campaign."""
        found = [f"{answer.command}: {answer.wrong}" for answer in self.answers if answer.wrong]
        found += [] if self.well else [f"after `up`: {self.after or 'not reached'}"]
        found += [f"lost: {one}" for one in self.lost]
        return [*found, *([self.error] if self.error else [])]


def judge(fault: Fault, command: str, done: Done) -> Answer:
    """An answer, and what is wrong with it."""
    lines = said(command, done)
    pattern = re.compile(fault.says[command])
    line = next((one for one in lines if pattern.search(one)), "")
    wrong = ""
    if any(one.startswith("Traceback ") for one in lines):
        wrong = "a traceback"
    elif done.status == 0 and fault.restored_by != ITSELF:
        wrong = "green while it is broken"
    elif not line:
        wrong = f"does not say /{pattern.pattern}/"
    return Answer(command, done.status, (line or (lines[-1] if lines else "nothing"))[:SHOWN], wrong)


def said(command: str, done: Done) -> list[str]:
    """What a command said, a finding a line: from its JSON where it prints some, then everything else."""
    try:
        data = json.loads(done.output)
    except ValueError:
        data = None
    raw = [line.strip() for line in [*("" if data else done.output).splitlines(), *done.errors.splitlines()]]
    found: list[str] = []
    if isinstance(data, dict) and command == "verify":
        failed = [check for check in data.get("checks", []) if not check["ok"]]
        found = [" ".join(f"{c['node']} {c['interface']} {c['check']}: {c['detail']}".split()) for c in failed]
        found += [] if failed else ["every check passed"]
    elif isinstance(data, dict) and command == "drift":
        found = [
            f"{one['node']} {one['what']}: applied {one['applied']}, found {one['found']}" for one in data["nodes"]
        ]
        found += [
            " ".join(value for value in one.values() if isinstance(value, str) and value) for one in data["objects"]
        ]
        found += [f"{node} cannot be checked: {why}" for node, why in data["unreachable"].items()]
    return [*found, *(line for line in raw if line)]


def run(lab: Bench, faults: list[Fault], results: Path, say: Say) -> list[Row]:
    """Runs faults, and stores each row as soon as there is one."""
    rows = []
    for number, fault in enumerate(faults, 1):
        say(f"{number} of {len(faults)}  {fault.name}: {fault.what}")
        row = one(lab, fault)
        store(results, row)
        rows.append(row)
        told = "; ".join(f"{a.command} ({a.status}): {a.line}" for a in row.answers) or row.why_silent
        say(
            f"    {told}\n    after `up`: {row.after}; lost: {len(row.lost)}{''.join(chr(10) + '    WRONG ' + w for w in row.wrong)}"
        )
    return rows


def one(lab: Bench, fault: Fault) -> Row:
    """Runs one fault. It never raises for what the lab or the product does: that is in the row."""
    row = Row(fault.name, fault.what, why_silent=fault.why_silent)
    before = _left(lab) or set()
    provoking = fault.provoke(lab)
    try:
        try:
            next(provoking)
            if fault.after_undo:
                next(provoking, None)
            row.answers = [judge(fault, command, _ask(lab, command)) for command in fault.says]
            if fault.restored_by == UP:
                row.after = _up(lab)
        finally:
            _finish(provoking)
        if not row.after:
            row.after = _up(lab)
        _check_after(lab, fault, row)
        _count_lost(lab, row, before)
    except (LabError, LookupError, ValueError) as error:
        row.error = f"could not be run: {str(error)[:300]}"
    return row


def _finish(provoking: Iterator[None]) -> None:
    with contextlib.suppress(StopIteration):
        next(provoking)


def _ask(lab: Bench, command: str) -> Done:
    if command == "up":
        return lab.pulumi("up", "--yes", "--skip-preview")
    more: dict[str, tuple[str, ...]] = {
        "addresses": ("--kubeconfig", str(lab.place.folder / "kubeconfig")),
        "verify": ("--format", "json"),
        "drift": ("--format", "json"),
    }
    return lab.ask(command, "lab", *more.get(command, ()))


def _up(lab: Bench) -> str:
    """Restores the site; with --refresh if Kubernetes' objects were changed by others. What was typed, or why it failed."""
    plain = lab.pulumi("up", "--yes", "--skip-preview")
    if plain.status == 0 and lab.product("drift", "lab").status == 0:
        return "`up`"
    refreshed = lab.pulumi("up", "--yes", "--skip-preview", "--refresh")
    if refreshed.status == 0:
        return "`up --refresh`"
    _, _, said = refreshed.output.partition("\nDiagnostics:\n")
    lines = [line.strip() for line in said.splitlines() if "error:" in line]
    return f"`up` fails: {(lines or [refreshed.last])[0][:SHOWN]}"


def _check_after(lab: Bench, fault: Fault, row: Row) -> None:
    """Whether everything passes again, within the time that pods and daemons may take."""
    done: list[Done] = []

    def passes() -> bool:
        done.append(lab.product("verify", "lab", "--format", "json"))
        return done[-1].status == 0

    row.well = eventually(passes, WELL_SECONDS)
    drift = lab.product("drift", "lab", "--format", "json") if "drift" in fault.says else None
    if not row.well:
        row.after = f"{row.after}, then verify fails: {said('verify', done[-1])[0][:SHOWN]}"
    elif drift is not None and drift.status:
        row.well = False
        row.after = f"{row.after}, then drift says: {said('drift', drift)[0][:SHOWN]}"
    elif not row.after.startswith("`up` fails"):
        row.after = f"{row.after}, every check passes"
    else:
        row.well = False


def _left(lab: Bench) -> set[str] | None:
    """What is on the nodes without a sandbox; None if a node does not answer."""
    try:
        return {f"{one['node']}: {one['kind']} {one['name']}" for one in left(lab, list(NODES))}
    except LabError:
        return None


def _count_lost(lab: Bench, row: Row, before: set[str]) -> None:
    """What the fault left behind: at first, and after an `up` when it is old enough to be given back."""
    begun = time.monotonic()
    there = _remaining(lab, before)
    if there:
        time.sleep(max(0.0, YOUNG_SECONDS - (time.monotonic() - begun)))
        _up(lab)
    row.lost = sorted(_remaining(lab, before)) if there else []
    row.returned = len(there) - len(row.lost)


def _remaining(lab: Bench, before: set[str]) -> set[str]:
    seen: list[set[str]] = []

    def nothing() -> bool:
        now = _left(lab)
        seen.append({"a node cannot be audited"} if now is None else now - before)
        return not seen[-1]

    eventually(nothing, LOST_SECONDS, 10)
    return seen[-1]


def store(results: Path, row: Row) -> None:
    """Puts a row in the file of results, in place of that of an earlier run."""
    rows = {one.name: one for one in load(results)} | {row.name: row}
    scratch = results.with_suffix(".new")
    results.parent.mkdir(parents=True, exist_ok=True)
    scratch.write_text(json.dumps([asdict(one) for one in rows.values()], indent=1), encoding="utf-8")
    scratch.replace(results)


def load(results: Path) -> list[Row]:
    """The rows of earlier runs."""
    if not results.exists():
        return []
    rows = json.loads(results.read_text(encoding="utf-8"))
    return [Row(**{**row, "answers": [Answer(**answer) for answer in row["answers"]]}) for row in rows]
