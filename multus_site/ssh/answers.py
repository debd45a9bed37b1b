"""What programs print on nodes and in pods: read as JSON, or shown in an error where it is something else."""

import json
from typing import Any

LONGEST = 200
"""Characters of a line that a message shows."""


class AnswerError(ValueError):
    """Output that is not what its program prints; the text says what was expected and how the output begins."""


def first_line(text: str) -> str:
    """The first line that says anything, quoted, for a message; "nothing" where there is none."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    if not line:
        return "nothing"
    return repr(line if len(line) <= LONGEST else f"{line[:LONGEST]}…")


def json_object(text: str, program: str) -> dict[str, Any]:
    """The JSON object that is all of a program's output. Raises AnswerError."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        msg = f"{program} did not print its JSON object; its output begins: {first_line(text)}"
        raise AnswerError(msg)
    return found


def last_object(said: str, program: str) -> dict[str, Any]:
    """The JSON object that a program prints on its last line; a login shell's greeting may come before it. Raises AnswerError."""
    try:
        return json_object(said.strip().rpartition("\n")[2], program)
    except AnswerError:
        msg = f"{program} did not end with its JSON object; its output begins: {first_line(said)}"
        raise AnswerError(msg) from None
