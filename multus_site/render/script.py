"""Scripts for nodes: a file of multus_site/scripts behind its variables, for a shell's standard input."""

import re
import shlex
from collections.abc import Mapping

from multus_site import scripts

_INCLUDE = re.compile(r"^# include: ([\w-]+)(?: if ([A-Z_]+))?\n", re.MULTILINE)
"""Includes another file of multus_site/scripts; with `if VARIABLE` only if that variable is not empty."""

_PIECES = re.compile(
    r"""
      (?P<comment>^[ ]*\#[^\n]*\n)
    | (?<=[\s;])\#[^\n]*                                              # a comment behind a command
    | <<-?\s*["'\\]?(?P<end>\w+)[^\n]*\n(?:[^\n]*\n)*?\t*(?P=end)$      # a here-document
    | '[^']*' | "(?:\\.|[^"\\])*" | \\.
    """,
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)
"""Comments, and whatever can contain a line that begins with a hash."""


def script(name: str, variables: Mapping[str, str]) -> str:
    """The text of multus_site/scripts/<name>.sh with its includes and without comments, behind assignments of its variables.

    Variables are sorted, so that equal input gives equal text.
    """
    assignments = "".join(f"{key}={shlex.quote(value)}\n" for key, value in sorted(variables.items()))
    return f"{assignments}{_without_comments(_assembled(name, variables))}"


def _assembled(name: str, variables: Mapping[str, str]) -> str:
    def part(include: re.Match[str]) -> str:
        file, condition = include.groups()
        return _assembled(file, variables) if condition is None or variables.get(condition) else ""

    return _INCLUDE.sub(part, scripts.text(name))


def _without_comments(text: str) -> str:
    """A script without comment lines. State records the text twice per node, and a changed comment must not run it again on all nodes."""
    return _PIECES.sub(lambda piece: "" if piece["comment"] else piece[0], text)
