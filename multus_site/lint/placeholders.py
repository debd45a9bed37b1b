"""Placeholders of templates: what a text holds in the place of values that only a renderer knows.

Each placeholder becomes a word of the same length, in letters that no manifest uses, so that the text can be parsed and places stay
the same. A finding that rests on such a word is no finding.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from multus_site.lint.finding import Finding
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.subjects import Manifest, Nad, Pod
from multus_site.model.paths import Data

_FIRST, _LETTERS = 0xA000, 1165
"""Yi syllables: letters to parsers and to regular expressions."""

_WORD = re.compile("[\ua000-\ua48c]")

_FORMS = re.compile(
    r"""
    (?P<parameter>\$\{\{[^{}\n]*\}\})             # OpenShift: a parameter that is not text
  | (?P<template>\{\{.*?\}\}|\{%.*?%\}|\{\#.*?\#\})  # Helm, Jinja
  | (?P<variable>
      \$\{[^{}\n]*\} | \$\([A-Za-z_][A-Za-z0-9_.-]*\)
    | (?<![\w$\\])\$(?!(?:ref|schema|id|defs|patch|retainKeys|setElementOrder|deleteFromPrimitiveList)\b)[A-Za-z_]\w*
    | \b__[A-Z][A-Z0-9_]*__\b )
    """,
    re.VERBOSE | re.DOTALL,
)

_CONTROL = re.compile(
    r"\{%|\{#|\{\{-?\s*(?:/\*|if\b|else\b|end\b|range\b|with\b|define\b|block\b|\$\w+\s*:?=|.*\|\s*n?indent\b)"
)
"""Placeholders that are no value: statements, and blocks of text."""

_OF_WHOLE_TEXTS = frozenset(
    {"YAML_SYNTAX", "JSON_SYNTAX", "JSON_TRAILING_COMMA", "JSON_COMMENT", "EMPTY_CONFIG", "PLUGIN_TYPE_MISSING"}
)
"""Rules on a text as a whole, of which statements of a template leave an unknown part."""

Kind = Literal["template", "variable"]


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A placeholder: its text and where it begins."""

    text: str
    kind: Kind
    offset: int
    word: str
    """What stands in its place."""


@dataclass(frozen=True)
class Masked:
    """A text whose placeholders are words."""

    text: str
    found: tuple[Placeholder, ...] = ()

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text."""
        return self.text.split("\n")

    @property
    def has_statements(self) -> bool:
        """Whether it is a template with statements, whose lines are not all there once it is rendered."""
        return any(one.word.isspace() for one in self.found)

    @property
    def is_template(self) -> bool:
        """Whether Helm or Jinja renders it."""
        return any(one.kind == "template" for one in self.found)

    def within(self, text: str) -> Placeholder | None:
        """The first placeholder of which a text holds the word."""
        match = _WORD.search(text)
        return next((one for one in self.found if match and match.group() in one.word), None)


def masked(text: str) -> Masked:
    """The text with a word in the place of each placeholder."""
    if _WORD.search(text) or not any(sign in text for sign in ("{{", "{%", "$", "__")):
        return Masked(text)
    words: dict[str, str] = {}
    found: list[Placeholder] = []
    pieces, last = [], 0
    for match in _FORMS.finditer(text):
        written, start, end = match.group(), match.start(), match.end()
        if match.lastgroup != "template" and _is_key(text, end):
            continue
        letter = words.setdefault(written, chr(_FIRST + len(words) % _LETTERS))
        word = _word(text, written, start, end, letter)
        found.append(Placeholder(written, "template" if match.lastgroup == "template" else "variable", start, word))
        pieces += [text[last:start], word]
        last = end
    return Masked("".join([*pieces, text[last:]]), tuple(found)) if found else Masked(text)


def _is_key(text: str, end: int) -> bool:
    return re.match(r'"?\s*:(?=\s)', text[end : end + 40]) is not None


def _word(text: str, written: str, start: int, end: int, letter: str) -> str:
    """A word of the same length: blanks for a statement, quoted where a value begins and ends."""
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", end)
    before, behind = text[line_start:start], text[end : line_end if line_end >= 0 else len(text)]
    alone = not before.strip() and not behind.strip()
    if "\n" in written or _CONTROL.match(written) or alone:
        if written.startswith("{{") and not alone and before.rstrip().endswith((":", "-")) and "\n" not in written:
            return letter * len(written)
        return re.sub(r"[^\n]", " ", written)
    if len(written) > 2 and before.rstrip()[-1:] in {":", "[", ","} and behind.strip()[:1] in {"", ",", "}", "]"}:
        return f'"{letter * (len(written) - 2)}"'
    return letter * len(written)


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A file with placeholders; `first` is that of the report."""

    masked: Masked
    first: Placeholder
    path: tuple[str, ...] = ()


@rule(
    "UNRENDERED_TEMPLATE",
    "error",
    "text",
    "A template that is not rendered",
    example="metadata: {name: {{ .Values.network.name }}}",
    source="helm template; kustomize; envsubst; Flux postBuild; Jinja",
)
def unrendered_template(template: Template) -> Problems:
    """The values in its placeholders are unknown, and what depends on them is not checked. Variables such as ${NAME} give a warning."""
    first = template.first
    shown = first.text if len(first.text) <= 40 else first.text[:37] + "…"
    others = len({one.text for one in template.masked.found}) - 1
    more = f" and {others} other placeholder{'s' * (others != 1)}" if others else ""
    if first.kind == "template":
        hint = "Check what it renders to: multus-site lint --helm CHART -f VALUES, or pipe the output of your renderer into: multus-site lint -"
        yield Problem((), f"a template that is not rendered: {shown}{more}", hint)
    else:
        hint = "Check the text with its values too, such as: envsubst < FILE | multus-site lint -"
        yield Problem((), f"values that are known later: {shown}{more}", hint, "warning")


def unrendered(subject: object, mask: Masked, document: Data) -> Placeholder | None:
    """The first placeholder in what is read of a subject; none in objects whose own controller fills them in."""
    if not mask.found or isinstance(subject, Manifest) or _fills(document):
        return None
    if isinstance(subject, Pod):
        read: object = [subject.annotations, *(selection.full_name for selection in subject.selections)]
    elif isinstance(subject, Nad):
        read = subject.data
    else:
        read = getattr(subject, "data", None)
    found = [one for text in _texts_of(read) if (one := mask.within(text))]
    if not found and isinstance(subject, (Nad, Pod)) and mask.has_statements:
        found = [one for one in mask.found if one.word.isspace()]
    return min(found, key=lambda one: one.offset, default=None)


def _fills(document: Data) -> bool:
    """Whether the kind of a document is one of templates, which stay as they are in the cluster."""
    kind = document.get("kind") if isinstance(document, dict) else None
    return kind == "Template" or (isinstance(kind, str) and "Workflow" in kind)


def known(finding: Finding, masks: Mapping[str, Masked]) -> bool:
    """Whether a finding rests on no placeholder."""
    if finding.rule == "UNRENDERED_TEMPLATE":
        return True
    if _WORD.search(finding.message) or _WORD.search(finding.hint):
        return False
    mask = masks.get(finding.file)
    if mask is None:
        return True
    if mask.has_statements and finding.rule in _OF_WHOLE_TEXTS:
        return False
    line = mask.lines[finding.line - 1] if 0 < finding.line <= len(mask.lines) else ""
    value = re.match(r"""["']?[^"',}\]\n]*""", line[finding.column - 1 :])
    return value is None or not _WORD.search(value.group())


def _texts_of(data: object) -> Iterator[str]:
    """The keys and texts of plain data."""
    waiting = [data]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
