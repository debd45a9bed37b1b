"""How a command ends: its exit status, and one line where it cannot end well. Never a traceback."""

import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import typer
from typer._click.exceptions import ClickException

FAILED = 2
"""A usage error, or something that could not be checked. Not 1, with which a command says what it found."""
INTERRUPTED = 128 + signal.SIGINT


def ended(command: Callable[[], object]) -> int:
    """Runs a command, and returns its exit status."""
    try:
        status = _run(command)
        if status == INTERRUPTED:  # typer makes an exit of Ctrl-C
            return _said("interrupted", INTERRUPTED)
        # Otherwise Python writes the rest when it ends, and reports an error of that with a status of its own.
        sys.stdout.flush()
    except OSError as error:
        return _unwritten(error)
    except KeyboardInterrupt:
        return _said("interrupted", INTERRUPTED)
    return status


def _run(command: Callable[[], object]) -> int:
    try:
        returned = command()
    except ClickException as error:
        error.show()
        return FAILED
    except typer.Abort as abort:
        # A question that was not answered: Ctrl-C, or the end of standard input.
        if isinstance(abort.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        return _said("standard input ended before every question was answered; nothing was written", FAILED)
    except SystemExit as stop:
        if isinstance(stop.__context__, BrokenPipeError):  # typer ends with 1 then
            raise stop.__context__ from None
        return stop.code if isinstance(stop.code, int) else FAILED
    except (KeyboardInterrupt, ModuleNotFoundError):
        raise
    except OSError as error:
        if _of_output(error):
            raise
        return _said(unforeseen(error), FAILED)
    except Exception as error:
        return _said(unforeseen(error), FAILED)
    return returned if isinstance(returned, int) else 0


def unforeseen(error: Exception) -> str:
    """One line about an error that no command expects; it names the place in our code, for a report."""
    if isinstance(error, FileNotFoundError | PermissionError) and "/" not in str(error.filename or "/"):
        return f"{error.filename} is not on PATH; install it"
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "multus_site" in frame.filename]
    where = f" in {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
    said = " ".join(str(error).split()) or "no message"
    return f"multus-site failed{where}: {type(error).__name__}: {said}. This is an error of multus-site; please report this line"


def _of_output(error: OSError) -> bool:
    """Whether writing to standard output or standard error failed: such errors name no file."""
    return (error.filename is None and not isinstance(error, ConnectionError)) or isinstance(error, BrokenPipeError)


def _unwritten(error: OSError) -> int:
    """Whoever reads a pipe may stop reading, as `head` does; everything else is said."""
    if not isinstance(error, BrokenPipeError):
        _said(f"standard output cannot be written: {error.strerror}", FAILED)
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123  # a descriptor is needed
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    return FAILED


def _said(line: str, status: int) -> int:
    with contextlib.suppress(OSError):
        print(line, file=sys.stderr)
    return status
