"""Scripts for nodes: a file of multus_site/scripts with its variables in front, ready for a shell's standard input."""

import re
import shlex
from collections.abc import Mapping

from multus_site import scripts

_INCLUDE = re.compile(r"^# include: ([\w-]+)(?: if ([A-Z_]+))?\n", re.MULTILINE)
"""Stands for another file of multus_site/scripts; with `if VARIABLE` only where that variable is not empty."""

_PIECES = re.compile(
    r"""
      (?P<comment>^[ ]*\#[^\n]*\n)
    | (?<=[\s;])\#[^\n]*                                              # a comment behind a command
    | <<-?\s*["'\\]?(?P<end>\w+)[^\n]*\n(?:[^\n]*\n)*?\t*(?P=end)$      # a here-document
    | '[^']*' | "(?:\\.|[^"\\])*" | \\.
    """,
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)
"""What a line that begins with a hash can be, or be part of."""


def script(name: str, variables: Mapping[str, str]) -> str:
    """The text of multus_site/scripts/<name>.sh with what it includes, less comments, behind quoted assignments of its variables.

    The variables are sorted, so that equal input gives equal text.
    """
    assignments = "".join(f"{key}={shlex.quote(value)}\n" for key, value in sorted(variables.items()))
    return f"{assignments}{_without_comments(_assembled(name, variables))}"


def _assembled(name: str, variables: Mapping[str, str]) -> str:
    def part(include: re.Match[str]) -> str:
        file, condition = include.groups()
        return _assembled(file, variables) if condition is None or variables.get(condition) else ""

    return _INCLUDE.sub(part, scripts.text(name))


def _without_comments(text: str) -> str:
    """A script without the lines that are comments: a state keeps each node's text twice, and a corrected comment is no reason to run on all nodes."""
    return _PIECES.sub(lambda piece: "" if piece["comment"] else piece[0], text)
