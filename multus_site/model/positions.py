"""YAML text as plain data together with where each part of it stands.

PyYAML's C parser reads a thousand NADs in 50 ms, ruamel.yaml takes a second: positions come from its node tree.
Scalars are resolved as the YAML library of Kubernetes does: no base-60 numbers, no timestamps.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import yaml

Data: TypeAlias = "bool | int | float | str | list[Data] | dict[str, Data] | None"
"""What YAML and JSON hold."""

Path = tuple[str | int, ...]
"""Keys and indices from the root of a document."""

LARGEST = 2_000_000
"""Parts that a document may have once its aliases are followed: more is an alias bomb."""

DEEPEST = 200
"""Levels that a document may have."""

_SEPARATOR = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_IMPLICIT = {
    "tag:yaml.org,2002:null": (re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]),
    "tag:yaml.org,2002:bool": (
        re.compile(r"^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$"),
        list("yYnNtTfFoO"),
    ),
    "tag:yaml.org,2002:int": (re.compile(r"^[-+]?(?:0|[1-9][0-9]*|0x[0-9a-fA-F]+|0o[0-7]+)$"), list("-+0123456789")),
    "tag:yaml.org,2002:float": (
        re.compile(
            r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$|^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$"
        ),
        list("-+0123456789."),
    ),
    "tag:yaml.org,2002:merge": (re.compile(r"^<<$"), ["<"]),
}
_TRUE = {"yes", "true", "on"}


class YamlMistakeError(ValueError):
    """Text that is not YAML: the message, and where it was found out (both from 1)."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column


_BY_FIRST: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
for _tag, (_pattern, _first) in _IMPLICIT.items():
    for _character in _first:
        _BY_FIRST.setdefault(_character, []).append((_tag, _pattern))


class _Loader(yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader):  # type: ignore[misc]  # either has compose
    """PyYAML's loader with resolvers of our own: its general ones cost as much as the parsing.

    It composes by recursion in C: what is nested too deeply has to end before the stack does.
    """

    depth = 0

    def resolve(self, kind: type[yaml.Node], value: str, implicit: tuple[bool, bool]) -> str:
        """The tag of a node that has none written."""
        if kind is yaml.ScalarNode:
            if implicit[0]:
                for tag, pattern in _BY_FIRST.get(value[:1], ()):
                    if pattern.match(value):
                        return tag
            return "tag:yaml.org,2002:str"
        return "tag:yaml.org,2002:seq" if kind is yaml.SequenceNode else "tag:yaml.org,2002:map"

    def descend_resolver(self, current_node: yaml.Node | None, current_index: yaml.Node | None) -> None:
        """Nothing is resolved by its path; one level more."""
        del current_index
        self.depth += 1
        if self.depth > DEEPEST and current_node is not None:
            raise yaml.MarkedYAMLError(None, None, f"more than {DEEPEST} levels deep", current_node.start_mark)

    def ascend_resolver(self) -> None:
        """One level less."""
        self.depth -= 1


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One document of a YAML file."""

    text: str
    lines_before: int
    """Lines of the file that stand before the text."""
    number: int
    """Position in the file, from 1; empty documents are not counted."""

    def data(self) -> Data:
        """The document as dicts, lists, str, int, float, bool and None. Raises YamlMistakeError."""
        try:
            node = compose(self.text)
            return _Construction().value(node) if node is not None else None
        except YamlMistakeError as mistake:
            raise YamlMistakeError(mistake.message, mistake.line + self.lines_before, mistake.column) from None

    def position(self, path: Path) -> tuple[int, int]:
        """Line and column (from 1) of the deepest part of a path that exists: a scalar's own place, else its key's."""
        node, _, place = self.walk(path)
        del node
        return place

    def walk(self, path: Path) -> tuple[yaml.Node | None, int, tuple[int, int]]:
        """The deepest node of a path, how many of the path's parts lead to it, and its place in the file."""
        node = compose(self.text)
        if node is None:
            return None, 0, (self.lines_before + 1, 1)
        mark, depth = node.start_mark, 0
        for part in path:
            key, child = _child(node, part)
            if child is None:
                break
            node, depth = child, depth + 1
            mark = child.start_mark if isinstance(child, yaml.ScalarNode) or key is None else key.start_mark
        return node, depth, (self.lines_before + mark.line + 1, mark.column + 1)


def documents(text: str) -> Iterator[Document]:
    """The documents of a YAML file, empty ones left out; a mistake in one does not hide the others."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    starts = [0, *(match.end() for match in _SEPARATOR.finditer(text))]
    ends = [*(match.start() for match in _SEPARATOR.finditer(text)), len(text)]
    number, lines, last = 0, 0, 0
    for start, end in zip(starts, ends, strict=True):
        lines += text.count("\n", last, start)
        last = start
        piece = text[start:end]
        if all(not line or line.startswith(("#", "%", "...")) for line in map(str.strip, piece.splitlines())):
            continue
        number += 1
        # a space for each character of the separator keeps the columns of what stands behind it on the same line
        yield Document(("   " if start else "") + piece, lines, number)


@lru_cache(maxsize=16)
def compose(text: str) -> yaml.Node | None:
    """The node tree of one document. Raises YamlMistakeError."""
    try:
        return yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = ": ".join(part for part in (error.context, error.problem) if part)
        if mark and mark.line < text.count("\n") + 1 and text.split("\n")[mark.line].startswith("\t"):
            message = "a tab at the beginning of the line"
        raise YamlMistakeError(message, mark.line + 1 if mark else 1, mark.column + 1 if mark else 1) from None
    except yaml.reader.ReaderError as error:
        position = error.position if isinstance(error.position, int) else 0
        line = text.count("\n", 0, position) + 1
        message = f"character {error.character!r}: {error.reason}"
        raise YamlMistakeError(message, line, 1) from None
    except (RecursionError, ValueError) as error:
        message = f"cannot be read: {error}"
        raise YamlMistakeError(message, 1, 1) from None


def _child(node: yaml.Node, part: str | int) -> tuple[yaml.Node | None, yaml.Node | None]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == str(part):
                return key, value
    elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return None, node.value[part]
    return None, None


class _Construction:
    """Plain data from a node tree; aliases share one object."""

    def __init__(self) -> None:
        self.made: dict[int, tuple[Data, int]] = {}
        self.open: set[int] = set()

    def value(self, node: yaml.Node) -> Data:
        return self.made_of(node)[0]

    def made_of(self, node: yaml.Node) -> tuple[Data, int]:
        """The value and the number of its parts with aliases followed."""
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node), 1
        if id(node) in self.made:
            return self.made[id(node)]
        if id(node) in self.open:
            raise _mistake(node, "an alias leads back into itself")
        if len(self.open) > DEEPEST:
            raise _mistake(node, f"more than {DEEPEST} levels deep")
        self.open.add(id(node))
        made = self.sequence(node) if isinstance(node, yaml.SequenceNode) else self.mapping(node)
        self.open.discard(id(node))
        if made[1] > LARGEST:
            raise _mistake(node, f"aliases make this larger than {LARGEST} parts")
        self.made[id(node)] = made
        return made

    def sequence(self, node: yaml.SequenceNode) -> tuple[Data, int]:
        parts = [self.made_of(item) for item in node.value]
        return [part for part, _ in parts], 1 + sum(size for _, size in parts)

    def mapping(self, node: yaml.Node) -> tuple[Data, int]:
        found: dict[str, Data] = {}
        merged: dict[str, Data] = {}
        size = 1
        for key, value in node.value:
            made, parts = self.made_of(value)
            size += parts
            if key.tag == "tag:yaml.org,2002:merge":
                for source in made if isinstance(made, list) else [made]:
                    if not isinstance(source, dict):
                        raise _mistake(value, "<< merges mappings only")
                    merged = {**source, **merged}
                continue
            if not isinstance(key, yaml.ScalarNode):
                raise _mistake(key, "a key is text, not a list or a mapping")
            if key.value in found:
                raise _mistake(key, f"the key {key.value!r} is there twice")
            found[key.value] = made
        return {**merged, **found}, size


def _scalar(node: yaml.ScalarNode) -> Data:
    kind, value = node.tag.rpartition(":")[2], str(node.value)
    if kind == "null":
        return None
    if kind == "bool":
        return value.lower() in _TRUE
    try:
        if kind == "int":
            digits = value.lstrip("+-").lower()
            base = 16 if digits.startswith("0x") else 8 if digits.startswith("0o") else 10
            return int(value, base)
        if kind == "float":
            return float(value.replace(".inf", "inf").replace(".nan", "nan").lower())
    except ValueError:
        return value
    return value


def _mistake(node: yaml.Node, message: str) -> YamlMistakeError:
    return YamlMistakeError(message, node.start_mark.line + 1, node.start_mark.column + 1)


def replace_half_characters(data: Data) -> Data:
    """Data of JSON whose escapes may name half a character (\\ud800), which no file and no terminal takes: Go replaces it as well."""
    text = json.dumps(data, ensure_ascii=False).encode("utf-8", "replace").decode("utf-8")
    replaced: Data = json.loads(text)
    return replaced


def path_text(path: Sequence[str | int]) -> str:
    """A path as people write it: `spec.config.ipam.ranges[0]`, with other keys in brackets and quotes, as in JSON."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.fullmatch(r"[A-Za-z0-9_:-]+", part):
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(part, ensure_ascii=False)}]"
    return text


def value_at(data: Data, path: Sequence[str | int]) -> Data:
    """The part of plain data that a path leads to, or None."""
    for part in path:
        if isinstance(data, dict):
            data = data.get(str(part))
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data
