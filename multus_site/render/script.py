"""Scripts for nodes: a file of multus_site/scripts with its variables in front, ready for a shell's standard input."""

import re
import shlex
from collections.abc import Mapping

from multus_site import scripts

_COMMENT = re.compile(r"^ *#.*\n", re.MULTILINE)
"""A line that is a comment. A state keeps each node's text twice, and a comment that is mended is no reason to run on every node again."""


def script(name: str, variables: Mapping[str, str]) -> str:
    """The text of multus_site/scripts/<name>.sh, less its comments, behind quoted assignments of its variables, sorted so that equal input gives equal text."""
    body = _COMMENT.sub("", scripts.text(name))
    assignments = "".join(f"{key}={shlex.quote(value)}\n" for key, value in sorted(variables.items()))
    return f"{assignments}{body}"
