"""`multus-site lint --fix` and `--diff`: writes what the linter fixes, or shows it."""

import difflib
import functools
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from multus_site.cli.files import FilesError, Found
from multus_site.lint.engine import Located
from multus_site.lint.facts import Facts
from multus_site.lint.files import Linter
from multus_site.lint.fixes import fix
from multus_site.lint.settings import Settings


def fixed(files: Iterable[Found], facts: Facts, settings: Settings, *, write: bool) -> Iterator[Found]:
    """The files as they are after their fixes. Standard input stays as it is. Raises FilesError."""
    for file in files:
        if file.name == "<stdin>":
            yield file
            continue
        path = Path(file.name)
        before = path.read_bytes().decode()  # with its own line ends
        after = fix(before, functools.partial(_findings, file, facts, settings))
        if after.text != before:
            if write:
                _write(path, after.text)
            else:
                print("".join(_diff(before, after.text, file.name)), end="")
        for located in after.fixed if write else ():
            finding = located.finding
            print(f"fixed {finding.file}:{finding.line}: {finding.message} ({finding.rule})", file=sys.stderr)
        yield replace(file, text=after.text) if write else file


def _findings(file: Found, facts: Facts, settings: Settings, text: str) -> Sequence[Located]:
    linter = Linter(facts)
    linter.add(text, file.name, sure=file.in_folder)
    shown = set(settings.applied(linter.findings()))
    return [located for located in linter.found if located.finding in shown]


def _diff(before: str, after: str, name: str) -> Iterator[str]:
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    for line in difflib.unified_diff(old, new, name, name):
        yield line if line.endswith(("\n", "\r")) else f"{line}\n\\ No newline at end of file\n"


def _write(path: Path, text: str) -> None:
    """Write beside the file, then rename: a killed run leaves the old file or the new one."""
    target = path.resolve()
    try:
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
        shutil.copymode(target, name)
        Path(name).replace(target)
    except OSError as error:
        message = f"{path}: cannot be written: {error.strerror}"
        raise FilesError(message) from None
