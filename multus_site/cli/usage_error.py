"""Usage errors: one message on standard error, exit status 2."""

import sys
from pathlib import Path
from typing import NoReturn

import typer


def usage_error(message: str) -> NoReturn:
    """Prints the message and exits 2."""
    # The model, which this loads, takes time that `--help` does not need.
    from multus_site.model.printable import printable

    print(printable(message, lines=True), file=sys.stderr)
    raise typer.Exit(2)


def write(path: Path, text: str) -> None:
    """Writes a file that the user named. Exits 2 if that fails."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a binary file that the user named. Exits 2 if that fails."""
    try:
        path.write_bytes(content)
    except OSError as error:
        usage_error(f"{path}: cannot be written: {error.strerror}; name a file in an existing folder")
