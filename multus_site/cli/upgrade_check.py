"""The report of `upgrade --check`: the project's pin, schema and sites, and the state of its stacks."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from multus_site import __version__, packaged
from multus_site.cli import git
from multus_site.cli.schema import schema_text
from multus_site.cli.stacks import FOLDER, Stack, last_line, missing, name_and_file
from multus_site.lint.files import Linter
from multus_site.lint.segments import StackFile
from multus_site.model.load import SiteError, defaults_beside, load_stack_file, read_text, stacks_beside
from multus_site.review.recorded_commands import StateError, rewrite
from multus_site.review.release_changes import changed_defaults, deprecated, pinned, sections

REQUIREMENTS = Path("requirements.txt")
SCHEMA = FOLDER / "site.schema.json"
_CHANGES = "CHANGELOG.md"


@dataclass
class Report:
    """The findings, one line each, and the sections of the changelog."""

    since: str
    """The previous release; empty if unknown."""
    todo: list[str] = field(default_factory=list)
    """What the user has to do."""
    notes: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)


def examine(site: str | None) -> Report:
    """Checks the project in this folder, and one site or all. Exits 2 if the site does not exist."""
    files = [name_and_file(site)[1]] if site is not None else sorted(FOLDER.glob("Pulumi.*.yaml"))
    for file in files:
        if not file.exists():
            missing(file)
    report = Report(_before())
    if report.since:
        report.changes = sections(packaged(_CHANGES).read_text(encoding="utf-8"), report.since, __version__)
    _check_pin(report)
    before = _check_schema(report)
    for file in files:
        _check_site(file, before, report)
    return report


def print_report(report: Report) -> int:
    """Prints the report and returns the exit status."""
    print(f"multus-site {report.since or 'of an unknown release'} → {__version__}")
    for heading, lines in (
        ("To do", report.todo),
        ("To know", report.notes),
        ("Not checked", report.unchecked),
        ("Changes", report.changes),
    ):
        if lines:
            print(f"\n{heading}:")
        for line in lines:
            print(line if lines is report.changes else f"  {line}")
    if not report.todo and not report.unchecked:
        print("\nNothing to do. What `pulumi up` would change: multus-site review SITE")
    return 1 if report.todo else 2 if report.unchecked else 0


def _before() -> str:
    """The release pinned where this branch left the default branch, or in its last commit; else the one pinned here."""
    here = pinned(REQUIREMENTS.read_text(encoding="utf-8")) if REQUIREMENTS.is_file() else None
    for ref in filter(None, (git.merge_base(), "HEAD")) if git.is_there() else ():
        there = pinned(git.at(ref, REQUIREMENTS) or "")
        if there and there != __version__:
            return there
    return here or ""


def _check_pin(report: Report) -> None:
    here = pinned(REQUIREMENTS.read_text(encoding="utf-8")) if REQUIREMENTS.is_file() else None
    if here is None:
        report.notes.append(
            f"{REQUIREMENTS} pins no release of multus-site, such as multus-site[pulumi]=={__version__}"
        )
    elif here != __version__:
        install = f".venv/bin/python -m pip install -r {REQUIREMENTS}"
        report.todo.append(
            f"{REQUIREMENTS} pins {here}, but {__version__} is installed; change the number, or type: {install}"
        )


def _check_schema(report: Report) -> dict[str, Any] | None:
    """The schema of the previous release, if the project or git has it."""
    now = schema_text()
    texts = [SCHEMA.read_text(encoding="utf-8")] if SCHEMA.is_file() else []
    if texts != [now]:
        report.todo.append(f"{SCHEMA} belongs to another release; type: multus-site schema -o {SCHEMA}")
    if git.is_there():
        texts += [git.at(ref, SCHEMA) or now for ref in filter(None, (git.merge_base(), "HEAD"))]
    try:
        return next((dict(json.loads(text)) for text in texts if text != now), None)
    except ValueError:
        return None  # not a schema of ours


def _check_site(file: Path, before: dict[str, Any] | None, report: Report) -> None:
    try:
        text, defaults = read_text(file), defaults_beside(file)
    except SiteError as error:
        report.todo += error.lines()
        return
    linter = Linter()
    linter.add(text, str(file), sure=True, defaults=defaults)
    linter.others += [StackFile(*other) for other in stacks_beside(file)]
    report.todo += [finding.line_of_text() for finding in linter.findings() if finding.level == "error"]
    try:
        site = load_stack_file(file)
    except SiteError:
        return  # the linter reports it
    name = name_and_file(str(file))[0]
    given = site.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if before is not None:
        report.notes += [f"{name}: {line}" for line in changed_defaults(given, before, json.loads(schema_text()))]
    report.todo += [
        f"{name}: {path} is deprecated; {_CHANGES} says what replaces it"
        for path in deprecated(given, json.loads(schema_text()))
    ]
    _check_state(Stack(name, file, site), report)


def _check_state(stack: Stack, report: Report) -> None:
    if shutil.which("pulumi") is None:
        report.unchecked.append(f"{stack.name}: its state: pulumi is not on PATH; https://www.pulumi.com/docs/install/")
        return
    done = stack.pulumi("stack", "export")
    if done.returncode:
        said = last_line(done)
        if "no stack named" not in done.stderr:
            report.unchecked.append(f"{stack.name}: its state: {said}")
        return
    try:
        _, changed = rewrite(json.loads(done.stdout))
    except StateError as error:
        report.todo.append(f"{stack.name}: {error}")
        return
    if changed:
        report.todo.append(
            f"{stack.name}: {len(changed)} recorded command lines are from an earlier release; type: multus-site upgrade {stack.name}"
        )
