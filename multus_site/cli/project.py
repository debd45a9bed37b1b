"""Runs commands in the project's folder, from any folder below it."""

import functools
import inspect
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


def folder(start: Path) -> Path:
    """The nearest folder at or above `start` with a Pulumi.yaml; `start` if there is none."""
    return next((one for one in (start, *start.parents) if (one / "Pulumi.yaml").is_file()), start)


def in_project(command: Callable[..., None]) -> Callable[..., None]:
    """Wraps a command: it runs in the project's folder, with typed paths adjusted."""
    defaults = {name: parameter.default for name, parameter in inspect.signature(command).parameters.items()}

    @functools.wraps(command)
    def run(**given: Any) -> None:  # noqa: ANN401  # of any command
        start = Path.cwd()
        project = folder(start)
        if project != start:
            for name, value in given.items():
                if value != defaults[name]:
                    given[name] = _from(project, start, name, value)
            os.chdir(project)
        command(**given)

    return run


def _from(project: Path, start: Path, name: str, value: Any) -> Any:  # noqa: ANN401  # of any parameter
    """The value, relative to the project's folder if it is a path."""
    if isinstance(value, list):
        return [_from(project, start, name, one) for one in value]
    if name == "hosts":
        return ",".join(_host_or_file(project, start, entry) for entry in _entries(start, value))
    # A site is given by its name or its file; - is standard input, and ~ is expanded later.
    is_file_of_site = name in {"site", "stack", "changed"} and str(value).endswith((".yaml", ".yml"))
    if not (isinstance(value, Path) or is_file_of_site) or str(value).startswith(("-", "~")):
        return value
    return type(value)(os.path.relpath(start / value, project))


def _entries(start: Path, hosts: str) -> Iterator[str]:
    """The entries of `adopt --hosts`, between commas or spaces; the name of a file may have spaces."""
    for part in hosts.split(","):
        yield from [part.strip()] if _is_file(start / part.strip()) else part.split()


def _host_or_file(project: Path, start: Path, entry: str) -> str:
    return os.path.relpath(start / entry, project) if _is_file(start / entry) else entry


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113  # Path.is_file raises OSError where a name is too long
