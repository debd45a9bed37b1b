"""JSON as strict as Go's encoding/json, with diagnoses of mistakes and offsets of values."""

import ast
import json
import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NoReturn, cast

from multus_site.model.paths import Data, Path, replace_half_characters

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()

Kind = Literal["comma", "comment", "syntax"]

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_TYPOGRAPHIC = "“”„‟«»‘’"
_CLOSING = re.compile(r'"[^"“”„‟«»\n]*[“”„‟«»](?=\s*[,:}\]])')
_OTHER_QUOTES = re.compile(rf"['{_TYPOGRAPHIC}]([^'{_TYPOGRAPHIC}\"\\\n]*)['{_TYPOGRAPHIC}]")

_PYTHON = re.compile(r"\s*\{\s*'")
_LONGEST = 100_000

_MOST = 20
"""Limit of reported mistakes per text."""
_COMMENT = re.compile(r"/\*.*?\*/|(?://|#)[^\n]*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class JsonMistake:
    """Where a text stops being JSON, what it looks like, and what would be right."""

    kind: Kind
    offset: int
    message: str
    hint: str
    repair: tuple[int, str] | None = None
    """Offset and replacement of the same length, with which the rest of the text can be read."""


class _NotJsonError(ValueError):
    pass


def _refuse(name: str) -> NoReturn:
    message = f"{name} is not JSON"
    raise _NotJsonError(message)


_STRICT = json.JSONDecoder(parse_constant=_refuse)


def parse(text: str) -> tuple[Data, JsonMistake | None]:
    """The data, or the first mistake."""
    try:
        data = cast(Data, _STRICT.decode(text))
        return (replace_half_characters(data) if _SURROGATE.search(text) else data), None
    except json.JSONDecodeError as error:
        return None, _diagnosed(text, error)
    except RecursionError:
        return None, JsonMistake(
            "syntax", 0, "nested too deeply", "No CNI configuration is more than a few levels deep."
        )
    except ValueError as error:
        message = str(error) if isinstance(error, _NotJsonError) else "a number has too many digits"
        offset = next((m.start() for m in re.finditer(r"NaN|-?Infinity|[0-9]{4000}", text)), 0)
        return None, JsonMistake("syntax", offset, message, "Write a plain number.")


@dataclass(frozen=True, slots=True)
class Reading:
    """The result of reading a text: all mistakes, and the data if they can be repaired."""

    data: Data
    mistakes: tuple[JsonMistake, ...]
    repaired: str | None
    """The text with its mistakes replaced and all offsets unchanged; None if it still is not JSON."""


@lru_cache(maxsize=64)
def read(text: str) -> Reading:
    """Read a text and repair simple mistakes such as an extra comma, to find the ones behind them too."""
    mistakes: list[JsonMistake] = []
    if (printed := _of_python(text)) is not None:
        hint = "Print it with json.dumps in Python, or write double quotes, true, false and null."
        offset = _after_space(text, 0)
        return Reading(printed, (JsonMistake("syntax", offset, "a dict as Python prints it", hint),), None)
    repaired = text
    while len(mistakes) < _MOST:
        data, mistake = parse(repaired)
        if mistake is None:
            return Reading(data, tuple(mistakes), repaired)
        mistakes.append(mistake)
        if mistake.repair is None:
            break
        start, written = mistake.repair
        repaired = repaired[:start] + written + repaired[start + len(written) :]
    return Reading(None, tuple(mistakes), None)


def _of_python(text: str) -> Data:
    """The data of a dict that Python printed; None for anything else."""
    if not _PYTHON.match(text) or len(text) > _LONGEST:
        return None
    try:
        return cast(Data, json.loads(json.dumps(ast.literal_eval(text.strip()))))
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None


def invisible(character: str) -> bool:
    """Whether a character looks like a space or like nothing, and is no plain space: no-break, zero-width and others."""
    return not character.isascii() and unicodedata.category(character) in {"Zs", "Zl", "Zp", "Cf"}


def unicode_name(character: str) -> str:
    """A character in words: U+00A0 (no-break space)."""
    return f"U+{ord(character):04X} ({unicodedata.name(character, 'unnamed').lower()})"


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Line and column (from 1) of a character of a text."""
    starts = _line_starts(text)
    line = bisect_right(starts, offset)
    return line, offset - starts[line - 1] + 1


@lru_cache(maxsize=16)
def _line_starts(text: str) -> list[int]:
    return [0, *(match.end() for match in re.finditer("\n", text))]


def decoded(text: str, offset: int) -> tuple[str, int]:
    """The JSON string at an offset, and the offset of its end. Raises ValueError."""
    value, end = _DECODER.raw_decode(text, offset)
    return str(value), end


def _diagnosed(text: str, error: json.JSONDecodeError) -> JsonMistake:
    offset = _after_space(text, min(error.pos, len(text)))
    here = text[offset : offset + 1]
    # A typographic quote does not close a text: JSON fails behind the next plain quote.
    if (closing := _CLOSING.search(text)) and closing.start() <= offset:
        at = closing.end() - 1
        message = f"the typographic quote {text[at]} does not close a text"
        return JsonMistake("syntax", at, message, 'Write a plain quote: ".', (at, '"'))
    if invisible(here):
        message = f"the character {unicode_name(here)}"
        return JsonMistake("syntax", offset, message, "Replace it by a plain space.", (offset, " "))
    before = text[:offset].rstrip()
    previous = before[-1:]
    if (here == "/" and text[offset + 1 : offset + 2] in {"/", "*"}) or here == "#":
        comment = _COMMENT.match(text, offset)
        repair = (offset, re.sub(r"\S", " ", comment.group())) if comment else None
        hint = "Take it out, or put it into the YAML as # comment."
        return JsonMistake("comment", offset, "a comment; JSON has none", hint, repair)
    if "trailing comma" in error.msg:  # Python 3.13 and later, at the comma itself
        offset = _after_space(text, offset + 1)
        here, before, previous = text[offset : offset + 1], text[:offset].rstrip(), ","
    if here in {"}", "]"} and previous == ",":
        place = len(before) - 1
        hint = "Take the comma out: the last entry has none behind it."
        return JsonMistake("comma", place, f"a comma before {here!r}", hint, (place, " "))
    if not here:
        return JsonMistake("syntax", offset, "the text ends too early", "Close what is open: a quote, a '}' or a ']'.")
    if here in _TYPOGRAPHIC:
        repair = _quoted(text, offset) or (offset, '"')
        return JsonMistake("syntax", offset, f"the typographic quote {here}", 'Write a plain quote: ".', repair)
    if here == "'":
        return JsonMistake("syntax", offset, "a single quote", 'JSON quotes with ": write "…".', _quoted(text, offset))
    if "delimiter" in error.msg and "','" in error.msg and (here in '"{[-' or here.isalnum()):
        repair = (len(before), ",") if len(before) < offset else None
        message = f"a comma is missing before {_word(text, offset)}"
        return JsonMistake("syntax", offset, message, "Put a comma between two entries.", repair)
    if "':'" in error.msg:
        return JsonMistake("syntax", offset, f"a colon is missing before {_word(text, offset)}", 'Write "key": value.')
    if "Extra data" in error.msg:
        return JsonMistake(
            "syntax", offset, f"{_word(text, offset)} stands behind the end", "One object, nothing behind it."
        )
    if "Invalid control character" in error.msg:
        return JsonMistake(
            "syntax", offset, "a line break or tab inside a quoted string", "Close the quote on the same line."
        )
    if "escape" in error.msg:
        return JsonMistake("syntax", offset, "a backslash that begins no escape", r"Write \\ for one backslash.")
    word = _word(text, offset)
    hint = (
        "Write true, false or null in small letters, or put text into quotes."
        if here.isalpha()
        else "See json.org for what may stand here."
    )
    small = {"True": "true", "False": "false", "None": "null", "TRUE": "true", "FALSE": "false", "NULL": "null"}.get(
        word
    )
    repair = (offset, small) if small else None
    return JsonMistake("syntax", offset, f"{word} was not expected", hint, repair)


def _quoted(text: str, offset: int) -> tuple[int, str] | None:
    """The replacement for a text in single or typographic quotes: the same in plain quotes."""
    match = _OTHER_QUOTES.match(text, offset)
    return (offset, f'"{match.group(1)}"') if match else None


def _word(text: str, offset: int) -> str:
    match = re.match(r'"[^"\n]{0,30}"?|[\w.+-]{1,30}|.', text[offset:], re.DOTALL)
    return match.group(0) if match else "the end"


def _after_space(text: str, offset: int) -> int:
    match = _SPACE.match(text, offset)
    return match.end() if match else offset


def locate(text: str, path: Path) -> tuple[int, int]:
    """Offset of the deepest existing part of a path in valid JSON (of a scalar, otherwise of its key), and its depth."""
    offset = place = _after_space(text, 0)
    for depth, part in enumerate(path):
        found = _entry(text, offset, part)
        if found is None:
            return place, depth
        key, offset = found
        place = key if text[offset] in "{[" and key is not None else offset
    return place, len(path)


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of an object or a list in valid JSON: offsets of its beginning (its key), its value, and the end of the value."""

    start: int
    value: int
    end: int
    siblings: tuple[str, ...]
    """The other keys of its object."""
    removed: tuple[int, int]
    """What goes with it: the comma before it, or behind the first entry."""


def entry(text: str, path: Path) -> Entry | None:
    """The entry at a path of valid JSON; None if there is none."""
    offset = _after_space(text, 0)
    for part in path[:-1]:
        found = _entry(text, offset, part)
        if found is None:
            return None
        offset = found[1]
    here = _entry(text, offset, path[-1]) if path else None
    if here is None:
        return None
    start, value = here
    _, end = _DECODER.raw_decode(text, value)
    holder, _ = _DECODER.raw_decode(text, offset)
    siblings = tuple(key for key in holder if key != path[-1]) if isinstance(holder, dict) else ()
    before, behind = text[:start].rstrip(), _after_space(text, end)
    if before.endswith(","):
        removed = (len(before) - 1, end)
    else:
        removed = (start, _after_space(text, behind + 1) if text[behind] == "," else end)
    return Entry(start, value, end, siblings, removed)


def _entry(text: str, offset: int, part: str | int) -> tuple[int, int] | None:
    """Offsets of the key (or list item) and of the value. The last of equal keys wins, as in Go."""
    entries = _entries_of(text)
    if offset not in entries:
        entries[offset] = _entries(text, offset)
    return entries[offset].get(part)


@lru_cache(maxsize=16)
def _entries_of(text: str) -> dict[int, dict[str | int, tuple[int, int]]]:
    """Offset of an object or a list → its entries, filled on demand: a long list is read once."""
    del text
    return {}


def _entries(text: str, offset: int) -> dict[str | int, tuple[int, int]]:
    mapping = text[offset : offset + 1] == "{"
    if not mapping and text[offset : offset + 1] != "[":
        return {}
    found: dict[str | int, tuple[int, int]] = {}
    index, here = 0, _after_space(text, offset + 1)
    while text[here : here + 1] not in {"}", "]", ""}:
        start, name = here, ""
        if mapping:
            name, here = _DECODER.raw_decode(text, here)
            here = _after_space(text, _after_space(text, here) + 1)
        found[name if mapping else index] = (start, here)
        _, here = _DECODER.raw_decode(text, here)
        here, index = _after_space(text, here), index + 1
        if text[here : here + 1] == ",":
            here = _after_space(text, here + 1)
    return found
