"""How a command ends that was called in the wrong way: one message, exit status 2."""

import sys
from pathlib import Path
from typing import NoReturn

import typer


def usage_error(message: str) -> NoReturn:
    """Say what is wrong on standard error and end."""
    print(message, file=sys.stderr)
    raise typer.Exit(2)


def write(path: Path, text: str) -> None:
    """Write a file that the user has named; exit 2 where that cannot be done."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """The same with what is no text."""
    try:
        path.write_bytes(content)
    except OSError as error:
        usage_error(f"{path}: cannot be written: {error.strerror}; name a file in a folder that is there")
