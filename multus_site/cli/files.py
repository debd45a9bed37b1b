"""Reads the inputs of a command: files, folders, standard input."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = {".yaml", ".yml", ".json", ".conf", ".conflist"}
"""Suffixes that are read in folders."""

_SKIPPED = {"node_modules", "__pycache__", "venv"}
"""Folders that are skipped, as are those whose name begins with a dot."""


class FilesError(ValueError):
    """A path that cannot be read."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file: its name in messages, its text, and whether it was found in a folder."""

    name: str
    text: str
    in_folder: bool


def read_all(paths: Iterable[Path]) -> Iterator[Found]:
    """The files of all paths, each once, in the given order; folders sorted by name. Raises FilesError."""
    seen: set[Path] = set()
    for file in paths:
        if str(file) == "-":
            yield Found("<stdin>", _standard_input(), False)
            continue
        if not file.exists():
            message = f"{file}: no such file or folder"
            raise FilesError(message)
        for member in _members(file) if file.is_dir() else [file]:
            if member.resolve() not in seen:
                seen.add(member.resolve())
                yield Found(str(member), read(member), file.is_dir())


def _members(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(".") or entry.name in _SKIPPED:
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _members(entry)
        elif entry.suffix in SUFFIXES and entry.is_file():
            yield entry


def read(file: Path) -> str:
    """The text of a file. Raises FilesError."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror
        message = f"{file}: cannot be read: {reason}"
        raise FilesError(message) from None


def _standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8")  # whatever the locale says
    except UnicodeDecodeError:
        message = "standard input cannot be read: not UTF-8 text"
        raise FilesError(message) from None
