"""Line and column of paths in YAML and JSON documents.

A path can continue into a string that is JSON itself (`spec.config`, an annotation).
"""

import re
from dataclasses import dataclass
from typing import Protocol

import yaml

from multus_site.cni import go_json
from multus_site.model.paths import Path
from multus_site.model.yaml_documents import Document


class Text(Protocol):
    """A document of a file."""

    @property
    def number(self) -> int:
        """Position in the file, from 1."""

    def place(self, path: Path, offset: int | None = None) -> tuple[int, int]:
        """Line and column (from 1) of a path; `offset` is a character of the string at the path."""

    def holder(self, path: Path) -> int:
        """The first line of the YAML node that contains a path: comments on that line apply to it."""

    def shown(self, path: Path) -> Path:
        """The path as reports show it."""

    def file(self, path: Path) -> str | None:
        """The file that contains a path; None if it is the text's own."""


@dataclass(frozen=True, slots=True, eq=False)
class YamlText:
    """A document of a YAML file."""

    document: Document

    @property
    def number(self) -> int:
        """Position in the file, from 1."""
        return self.document.number

    def place(self, path: Path, offset: int | None = None) -> tuple[int, int]:
        """Line and column of a path."""
        node, depth, found = self.document.walk(path)
        rest = path[depth:]
        if not isinstance(node, yaml.ScalarNode) or (not rest and offset is None):
            return found
        inner = offset
        if inner is None:
            repaired = go_json.read(node.value).repaired
            if repaired is None:
                return found
            inner = go_json.locate(repaired, rest)[0]
        text = self.document.text
        at = _aligned(text, node, inner)
        line, column = go_json.line_and_column(text, at)
        return self.document.lines_before + line, column

    def holder(self, path: Path) -> int:
        """The line of the key of the YAML node that contains the path."""
        return self.document.walk(path)[2][0]

    def shown(self, path: Path) -> Path:
        """The path itself."""
        return path

    def file(self, path: Path) -> str | None:
        """None: the text's own."""
        del path
        return None

    def in_string(self, line: int, column: int) -> bool:
        """Whether a position is inside a string, where `#` does not start a comment."""
        node = self.document.walk(())[0]
        mark = (line - 1 - self.document.lines_before, column - 1)
        stack = [node] if node is not None else []
        while stack:
            here = stack.pop()
            if isinstance(here, yaml.ScalarNode):
                start = here.start_mark
                if here.style in {"|", ">"} and start.line == mark[0]:
                    continue
                if (start.line, start.column) <= mark < (here.end_mark.line, here.end_mark.column):
                    return True
            elif isinstance(here, yaml.MappingNode):
                stack += [part for pair in here.value for part in pair]
            else:
                stack += here.value
        return False


@dataclass(frozen=True, slots=True, eq=False)
class JsonText:
    """A file of JSON."""

    text: str
    number: int = 1

    def place(self, path: Path, offset: int | None = None) -> tuple[int, int]:
        """Line and column of a path."""
        at = 0 if path or offset is None else offset
        if path:
            at, depth = go_json.locate(go_json.read(self.text).repaired or "{}", path)
            if depth < len(path) or offset is not None:
                at = self._inside(at, path[depth:], offset)
        return go_json.line_and_column(self.text, at)

    def _inside(self, at: int, rest: Path, offset: int | None) -> int:
        """Index of a position in a string that is JSON itself, with escaped quotes and line breaks."""
        if self.text[at : at + 1] != '"':
            return at
        try:
            value, end = go_json.decoded(self.text, at)
        except ValueError:
            return at
        inner = offset if offset is not None else go_json.locate(go_json.read(value).repaired or "", rest)[0]
        return _walk(self.text, at + 1, end, value[: inner + 1], '"')

    def holder(self, path: Path) -> int:
        """The line of the path; JSON has no comments."""
        return self.place(path)[0]

    def shown(self, path: Path) -> Path:
        """The path itself."""
        return path

    def file(self, path: Path) -> str | None:
        """None: the text's own."""
        del path
        return None


@dataclass(frozen=True, slots=True)
class PlacedText:
    """A document with one known position: that of a syntax error or a comment."""

    number: int
    line: int
    column: int

    def place(self, path: Path, offset: int | None = None) -> tuple[int, int]:
        """The position, for any path."""
        del path, offset
        return self.line, self.column

    def holder(self, path: Path) -> int:
        """Its line."""
        del path
        return self.line

    def shown(self, path: Path) -> Path:
        """The path itself."""
        return path

    def file(self, path: Path) -> str | None:
        """None: the text's own."""
        del path
        return None


def _aligned(text: str, node: yaml.ScalarNode, offset: int) -> int:
    """Index in the text of a character of a scalar's value. Folding changes only white space, so other characters are matched."""
    start, style = node.start_mark.index, node.style or ""
    if style in {"|", ">"}:
        start = text.find("\n", start) + 1
    elif style:
        start += 1
    return _walk(text, start, node.end_mark.index, node.value[: offset + 1], style)


_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|\r?\n[ \t]*|.)", re.DOTALL)


def _walk(text: str, at: int, end: int, value: str, style: str) -> int:
    last = at
    for character in value:
        if character.isspace():
            continue
        while at < end and (
            text[at].isspace() or (style == '"' and re.match(r"\\(?:[ntr \t]|\r?\n)", text[at : at + 3]))
        ):
            at += 2 if text[at] == "\\" else 1
        last = at
        if style == '"' and text[at : at + 1] == "\\" and (escape := _ESCAPE.match(text, at)):
            at = escape.end()
        else:
            at += 2 if style == "'" and character == "'" else 1
    return min(last, max(end - 1, 0))
