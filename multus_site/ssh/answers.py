"""Parses the JSON that programs on nodes and in pods print, or quotes their output in an error."""

import json
from typing import Any

LONGEST = 200
"""Maximum length of a quoted line."""


class AnswerError(ValueError):
    """Unexpected output; the text has what was expected, and the beginning of the output."""


def first_line(text: str) -> str:
    """The first line that is not blank, quoted, for a message; "nothing" if there is none."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    if not line:
        return "nothing"
    return repr(line if len(line) <= LONGEST else f"{line[:LONGEST]}…")


def json_object(text: str, program: str) -> dict[str, Any]:
    """The JSON object that is the whole output of a program. Raises AnswerError."""
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        msg = f"{program} did not print its JSON object; its output begins: {first_line(text)}"
        raise AnswerError(msg)
    return data


def last_object(text: str, program: str) -> dict[str, Any]:
    """The JSON object on the last line of a program's output; a greeting of the login shell may precede it. Raises AnswerError."""
    try:
        return json_object(text.strip().rpartition("\n")[2], program)
    except AnswerError:
        msg = f"{program} did not end with its JSON object; its output begins: {first_line(text)}"
        raise AnswerError(msg) from None
