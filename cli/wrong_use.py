"""How a command ends that was called in the wrong way: one message, exit status 2."""

import sys
from pathlib import Path
from typing import NoReturn

import typer


def wrong_use(message: str) -> NoReturn:
    """Say what is wrong on standard error and end."""
    print(message, file=sys.stderr)
    raise typer.Exit(2)


def write(path: Path, text: str) -> None:
    """Write a file that the user has named; end as for wrong use where that cannot be done."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        wrong_use(f"{path}: cannot be written: {error.strerror}; name a file in a folder that is there")
