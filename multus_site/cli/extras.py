"""The extras of this package: which third-party module each installs, and which are installed. pyproject.toml has the list."""

import importlib.metadata
import re

PACKAGE = "multus-site"

_LINE = re.compile(r"(?P<name>[\w.-]+)[^;]*(?:;.*extra == '(?P<extra>\w+)')?")


def requirements() -> dict[str, set[str]]:
    """Extra → its distributions, from the package metadata; '' → those of every installation. Raises PackageNotFoundError if the package is not installed."""
    found: dict[str, set[str]] = {}
    for line in importlib.metadata.requires(PACKAGE) or ():
        if parsed := _LINE.match(line):
            found.setdefault(parsed["extra"] or "", set()).add(parsed["name"])
    return found


def bringing(module: str) -> str | None:
    """The smallest extra with a module; '' if every installation has it, None if no extra has it."""
    every = requirements()
    names = {extra: {re.sub(r"[-.]", "_", name).lower() for name in its} for extra, its in every.items()}
    offering = [extra for extra, its in names.items() if re.sub(r"[-.]", "_", module).lower() in its]
    return min(offering, key=lambda extra: len(every[extra]), default=None)


def missing() -> dict[str, list[str]]:
    """Extra → its distributions that are not installed, sorted."""
    return {extra: sorted(filter(_is_missing, its)) for extra, its in requirements().items() if extra}


def _is_missing(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return True
    return False
