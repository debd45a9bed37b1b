"""Parses the JSON that programs on nodes and in pods print, or quotes their output in an error."""

import json
from typing import Any, cast

from multus_site.model.printable import cleaned, first_line


class AnswerError(ValueError):
    """Unexpected output; the text has what was expected, and the beginning of the output."""


def json_object(text: str, program: str) -> dict[str, Any]:
    """The JSON object that is the whole output of a program, each text in it printable. Raises AnswerError."""
    try:
        data = cleaned(json.loads(text))
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        msg = f"{program} did not print its JSON object; its output begins: {first_line(text)}"
        raise AnswerError(msg)
    return cast("dict[str, Any]", data)


def last_object(text: str, program: str) -> dict[str, Any]:
    """The JSON object on the last line of a program's output; a greeting of the login shell may precede it. Raises AnswerError."""
    try:
        return json_object(text.strip().rpartition("\n")[2], program)
    except AnswerError:
        msg = f"{program} did not end with its JSON object; its output begins: {first_line(text)}"
        raise AnswerError(msg) from None
