"""The extras of this package: which third-party module each brings, and which extras are installed. pyproject.toml has the list."""

import importlib.metadata
import re

PACKAGE = "multus-site"

_LINE = re.compile(r"(?P<name>[\w.-]+)[^;]*(?:;.*extra == '(?P<extra>\w+)')?")


def requirements() -> dict[str, set[str]]:
    """Extra → its distributions, from the metadata of the installed package; those of all are under ''. Raises PackageNotFoundError where it is not installed."""
    found: dict[str, set[str]] = {}
    for line in importlib.metadata.requires(PACKAGE) or ():
        if parsed := _LINE.match(line):
            found.setdefault(parsed["extra"] or "", set()).add(parsed["name"])
    return found


def bringing(module: str) -> str | None:
    """The smallest extra that brings a module, '' if all installations have it; None if this package does not ask for it."""
    every = requirements()
    names = {extra: {re.sub(r"[-.]", "_", name).lower() for name in its} for extra, its in every.items()}
    offering = [extra for extra, its in names.items() if re.sub(r"[-.]", "_", module).lower() in its]
    return min(offering, key=lambda extra: len(every[extra]), default=None)


def missing() -> dict[str, list[str]]:
    """Extra → those of its distributions that are not installed, sorted; empty for an extra that is complete."""
    return {extra: sorted(filter(_is_missing, its)) for extra, its in requirements().items() if extra}


def _is_missing(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return True
    return False
