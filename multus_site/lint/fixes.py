"""Make the changes that rules propose, in the text of a file: these characters change and no others.

Comments, order and layout stay. A change is made in JSON text: a file, or a string in YAML or JSON that is JSON itself.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import yaml

from multus_site.cni import go_json
from multus_site.lint.changes import Add, Change, Remove, Rename, Replace, Rewrite
from multus_site.lint.engine import Located
from multus_site.lint.positions import JsonText, Text, YamlText
from multus_site.model.paths import Path

_ROUNDS = 50
"""A file is checked again after each round of fixes; a fix can show the next mistake."""

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)


class Edit(NamedTuple):
    """Characters from `start` to `end` of a text become `new`."""

    start: int
    end: int
    new: str


@dataclass(frozen=True, slots=True)
class Fixed:
    """A file after its fixes, and the findings that they removed."""

    text: str
    fixed: tuple[Located, ...]


Check = Callable[[str], Sequence[Located]]
"""A file's text → its findings, without those that are allowed."""


def fix(text: str, check: Check) -> Fixed:
    """Fix what can be fixed. A fix after which its finding stays, or a new one appears, is not made."""
    fixed: list[Located] = []
    refused: set[tuple[str, str]] = set()
    for _ in range(_ROUNDS):
        findings = check(text)
        fixable = [one for one in findings if one.changes and _key(one) not in refused]
        if not fixable:
            break
        done = _apply(text, fixable, findings, check)
        if done is None:
            for one in fixable:
                done = _apply(text, [one], findings, check)
                if done is not None:
                    break
                refused.add(_key(one))
            if done is None:
                break
        text = done.text
        fixed += done.fixed
    return Fixed(text, tuple(fixed))


def _key(located: Located) -> tuple[str, str]:
    return located.finding.rule, f"{located.finding.document}:{located.finding.path}:{located.finding.message}"


def _apply(text: str, fixable: Sequence[Located], findings: Sequence[Located], check: Check) -> Fixed | None:
    """The text with the changes of these findings, as far as they do not overlap; None if they do more or less than fix them."""
    edits: list[Edit] = []
    made: list[Located] = []
    for located in fixable:
        wanted = _edits(located, text)
        if wanted and all(one.end <= other.start or other.end <= one.start for one in wanted for other in edits):
            edits += wanted
            made.append(located)
    if not made:
        return None
    changed = apply(text, edits)
    before = [_key(one) for one in findings]
    for one in made:
        before.remove(_key(one))
    after = [_key(one) for one in check(changed)]
    # Findings that the mistake hid may appear with it; those that are equal to fixed ones may not.
    hidden = any(one.finding.rule.startswith("JSON_") for one in made)
    if any(_key(one) in after for one in made) or (not hidden and len(after) > len(before)):
        return None
    return Fixed(changed, tuple(made))


def apply(text: str, edits: Sequence[Edit]) -> str:
    """The text with edits that do not overlap."""
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.new + text[edit.end :]
    return text


def _edits(located: Located, text: str) -> list[Edit]:
    """The edits of a finding in its file; empty if one of them cannot be made there."""
    lines = _LINE.findall(text)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    edits: list[Edit] = []
    for change in located.changes:
        inside = _inside(located.origin.text, change.path, exact=isinstance(change, Rewrite))
        wanted = list(_in_json(change, inside)) if inside else []
        if inside is None or not wanted:
            return []
        for start, end, new in wanted:
            first, last = (_offset(text, starts, inside.place(one)) for one in (start, max(start, end - 1)))
            stop = first if end == start else last + _width(text, last, inside.quote)
            edits.append(Edit(first, stop, _quoted(new, inside.quote)))
    return edits


def _offset(text: str, starts: Sequence[int], place: tuple[int, int]) -> int:
    line, column = place
    return starts[line - 1] + column - 1 + (line == 1 and text.startswith("\ufeff"))


def _width(text: str, offset: int, quote: str) -> int:
    """How many characters of the file write one character of the JSON text."""
    if quote == '"' and (escape := _ESCAPE.match(text, offset)):
        return escape.end() - offset
    return 2 if quote == "'" and text[offset] == "'" else 1


def _quoted(new: str, quote: str) -> str:
    if quote == '"':
        return json.dumps(new, ensure_ascii=False)[1:-1]
    return new.replace("'", "''") if quote == "'" else new


@dataclass(frozen=True, slots=True)
class _Inside:
    """A JSON text in a file: where a path leads in it, and the places of its characters."""

    text: str
    path: Path
    quote: str
    """The quote around it in the file, which decides how its characters are written there."""
    place: Callable[[int], tuple[int, int]]


def _inside(text: Text, path: Path, *, exact: bool) -> _Inside | None:
    """The JSON text that holds a path; with `exact`, the one at the path."""
    if isinstance(text, YamlText):
        node, depth, _ = text.document.walk(path)
        if not isinstance(node, yaml.ScalarNode) or (depth == len(path)) != exact:
            return None
        return _Inside(node.value, path[depth:], _style(node), lambda at: text.place(path[:depth], at))
    if not isinstance(text, JsonText):
        return None
    whole = go_json.read(text.text).repaired
    if whole is None or not path:
        return _Inside(text.text, path, "", lambda at: text.place((), at)) if exact else None
    at, depth = go_json.locate(whole, path)
    if depth == len(path) and not exact:
        return _Inside(text.text, path, "", lambda at: text.place((), at))
    if whole[at : at + 1] != '"' or (depth == len(path)) != exact:
        return None
    return _Inside(go_json.decoded(whole, at)[0], path[depth:], '"', lambda at: text.place(path[:depth], at))


def _style(node: yaml.ScalarNode) -> str:
    return node.style if node.style in {"'", '"'} else ""


def _in_json(change: Change, inside: _Inside) -> Iterator[Edit]:
    """Edits of the JSON text; none if it has no such part, or not the one right answer there."""
    if isinstance(change, Rewrite):
        yield Edit(change.offset, change.offset + change.length, change.text)
        return
    text = go_json.read(inside.text).repaired
    found = go_json.entry(text, inside.path) if text is not None else None
    if text is None or found is None:
        return
    siblings = found.siblings
    if isinstance(change, Replace):
        yield Edit(found.value, found.end, ", ".join(json.dumps(one, ensure_ascii=False) for one in change.values))
    elif isinstance(change, Rename) and change.key not in siblings:
        yield Edit(found.start, go_json.decoded(text, found.start)[1], json.dumps(change.key))
    elif isinstance(change, Add) and change.key not in siblings:
        added = f"{json.dumps(change.key)}: {json.dumps(change.value, ensure_ascii=False)}, "
        yield Edit(found.start, found.start, added)
    elif isinstance(change, Remove):
        start, end = found.removed
        yield Edit(start, end, "")
