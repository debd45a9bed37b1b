"""Scalars of a stack file that Pulumi reads otherwise than they look: numbers of YAML 1.1, and words that are no booleans to it.

Pulumi's YAML library (gopkg.in/yaml.v3) reads 0110 as 72, 1_000 as 1000, and yes as text; `pulumi config get` shows it.
"""

import re
from collections.abc import Iterator

import yaml

from multus_site.model.part import Mistake
from multus_site.model.paths import Path
from multus_site.model.yaml_documents import Document

_NUMBER = re.compile(r"[-+]?(?:0[0-9_]+|0[xX][0-9a-fA-F_]+|0o[0-7_]+|0b[01_]+|[1-9][0-9]*_[0-9_]*)$")
_WORDS = {"yes": "true", "on": "true", "no": "false", "off": "false"}
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Tt ].*)?$")


def misread(document: Document, path: Path) -> Iterator[Mistake]:
    """The scalars below a path; paths begin there."""
    node, depth, _ = document.walk(path)
    waiting: list[tuple[Path, yaml.Node]] = [((), node)] if node is not None and depth == len(path) else []
    seen: set[int] = set()
    while waiting:
        place, here = waiting.pop()
        if isinstance(here, yaml.ScalarNode):
            if not here.style and (message := _message(here.value)):
                yield Mistake(place, message)
        elif id(here) not in seen:
            seen.add(id(here))
            if isinstance(here, yaml.MappingNode):
                waiting += [((*place, str(key.value)), value) for key, value in reversed(here.value)]
            else:
                waiting += [((*place, i), value) for i, value in reversed(list(enumerate(here.value)))]


def _message(text: str) -> str:
    if _NUMBER.match(text):
        number = _read(text)
        decimal = int(text) if re.fullmatch(r"[-+]?[0-9]+", text) else number
        meant = f", or {decimal} if that is meant" if decimal != number else ""
        return f'Pulumi reads {text} as {number}; write {number}{meant}, or "{text}" for text'
    if (right := _WORDS.get(text.lower())) is not None:
        return f'{text} is text to Pulumi, not {right}; write {right}, or "{text}" for text'
    if _DATE.match(text):
        return f'Pulumi reads {text} as a time; write "{text}", in quotes'
    return ""


def _read(text: str) -> int:
    """As Go's strconv.ParseInt with base 0: a leading zero means octal; decimal if that fails."""
    digits = text.replace("_", "").lower()
    if not re.fullmatch(r"[-+]?[0-9]+", digits):
        return int(digits, 0)
    octal = re.fullmatch(r"[-+]?0[0-7]+", digits)
    return int(digits, 8 if octal else 10)
