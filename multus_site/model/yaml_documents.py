"""YAML documents: their plain data, and the position of each part.

PyYAML's C parser reads a thousand NADs in 50 ms, ruamel.yaml takes a second: positions come from its node tree.
Scalars are resolved as the YAML library of Kubernetes does: no base-60 numbers, no timestamps.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import yaml

from multus_site.model.paths import Data, Path
from multus_site.model.yaml_causes import OTHER, cause_of

LARGEST = 2_000_000
"""Parts that a document may have with its aliases followed: more is an alias bomb."""

DEEPEST = 200
"""Levels that a document may have."""

_SEPARATOR = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_TAG = "tag:yaml.org,2002:"
_IMPLICIT = {
    "null": (r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    "bool": (r"^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$", "yYnNtTfFoO"),
    "int": (r"^[-+]?(?:0|[1-9][0-9]*|0x[0-9a-fA-F]+|0o[0-7]+)$", "-+0123456789"),
    "float": (
        r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$|^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$",
        "-+0123456789.",
    ),
    "merge": (r"^<<$", "<"),
}
"""Kind of a plain scalar → its pattern, and the characters that it can begin with."""

_BY_FIRST: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
for _kind, (_pattern, _first) in _IMPLICIT.items():
    for _character in _first:
        _BY_FIRST.setdefault(_character, []).append((_TAG + _kind, re.compile(_pattern)))


class YamlMistakeError(ValueError):
    """Text that is not YAML: what is wrong, what would be right, and line and column (from 1) of the cause.

    `other` is a second line that the message names as OTHER.
    """

    def __init__(self, what: str, right: str, line: int, column: int, other: int | None = None) -> None:
        super().__init__(what)
        self.what, self.right, self.line, self.column, self.other = what, right, line, column, other

    @property
    def message(self) -> str:
        """What is wrong."""
        return self.what.replace(OTHER, str(self.other))

    def below(self, lines: int) -> "YamlMistakeError":
        """The same mistake of a document that begins after so many lines."""
        other = None if self.other is None else self.other + lines
        return YamlMistakeError(self.what, self.right, self.line + lines, self.column, other)


_SCANNER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


class _Loader(_SCANNER):  # type: ignore[misc, valid-type]  # either has compose
    """PyYAML's loader with its own resolvers: the general ones cost as much as the parsing.

    It composes by recursion in C: the limit on depth protects the stack.
    """

    depth = 0

    def resolve(self, kind: type[yaml.Node], value: str, implicit: tuple[bool, bool]) -> str:
        """The tag of a node without an explicit one."""
        if kind is not yaml.ScalarNode:
            return _TAG + ("seq" if kind is yaml.SequenceNode else "map")
        for tag, pattern in _BY_FIRST.get(value[:1], ()) if implicit[0] else ():
            if pattern.match(value):
                return tag
        return f"{_TAG}str"

    def descend_resolver(self, current_node: yaml.Node | None, _index: yaml.Node | None) -> None:
        """Count the level. Nothing is resolved by its path."""
        self.depth += 1
        if self.depth > DEEPEST and current_node is not None:
            raise _mistake(current_node, f"more than {DEEPEST} levels deep", "nest less")

    def ascend_resolver(self) -> None:
        self.depth -= 1


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One document of a YAML file."""

    text: str
    lines_before: int
    """Lines of the file before the text."""
    number: int
    """Position in the file, from 1; empty documents are not counted."""

    def data(self) -> Data:
        """The document as dicts, lists, str, int, float, bool and None. Raises YamlMistakeError."""
        try:
            node = compose(self.text)
            return _Construction().value(node) if node is not None else None
        except YamlMistakeError as mistake:
            raise mistake.below(self.lines_before) from None

    def position(self, path: Path) -> tuple[int, int]:
        """Line and column (from 1) of the deepest part of a path that exists: a scalar's own place, else its key's."""
        return self.walk(path)[2]

    def walk(self, path: Path) -> tuple[yaml.Node | None, int, tuple[int, int]]:
        """The deepest node on a path, how many of the path's parts lead to it, and its place in the file."""
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
    """The documents of a YAML file, without empty ones; a mistake in one does not hide the others."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    separators = list(_SEPARATOR.finditer(text))
    starts = [0, *(match.end() for match in separators)]
    ends = [*(match.start() for match in separators), len(text)]
    number, lines, last = 0, 0, 0
    for start, end in zip(starts, ends, strict=True):
        lines += text.count("\n", last, start)
        last = start
        piece = text[start:end]
        if all(not line or line.startswith(("#", "%", "...")) for line in map(str.strip, piece.splitlines())):
            continue
        number += 1
        # The separator's width in spaces, so that columns behind it on its line are right.
        yield Document(("   " if start else "") + piece, lines, number)


@lru_cache(maxsize=16)
def compose(text: str) -> yaml.Node | None:
    """The node tree of one document. Raises YamlMistakeError."""
    try:
        return yaml.compose(text, Loader=_Loader)
    except YamlMistakeError:
        raise
    except yaml.MarkedYAMLError as error:
        cause = cause_of(text, error, _SCANNER)
        raise YamlMistakeError(cause.what, cause.right, cause.line, cause.column, cause.other) from None
    except yaml.reader.ReaderError as error:
        position = error.position if isinstance(error.position, int) else 0
        message = f"character {error.character!r}: {error.reason}"
        raise YamlMistakeError(message, "remove it", text.count("\n", 0, position) + 1, 1) from None
    except (RecursionError, ValueError) as error:
        message = f"cannot be read: {error}"
        raise YamlMistakeError(message, "nest less", 1, 1) from None


def _child(node: yaml.Node, part: str | int) -> tuple[yaml.Node | None, yaml.Node | None]:
    """The key and the value of a part; None and the entry in a list."""
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
        self.built: dict[int, tuple[Data, int]] = {}
        self.open: set[int] = set()

    def value(self, node: yaml.Node) -> Data:
        return self.build(node)[0]

    def build(self, node: yaml.Node) -> tuple[Data, int]:
        """The value and the number of its parts, with aliases followed."""
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node), 1
        if id(node) in self.built:
            return self.built[id(node)]
        if id(node) in self.open:
            raise _mistake(node, "an alias leads back into itself", "write the value instead")
        if len(self.open) > DEEPEST:
            raise _mistake(node, f"more than {DEEPEST} levels deep", "nest less")
        self.open.add(id(node))
        built = self.sequence(node) if isinstance(node, yaml.SequenceNode) else self.mapping(node)
        self.open.discard(id(node))
        if built[1] > LARGEST:
            raise _mistake(node, f"aliases make this larger than {LARGEST} parts", "write less of them")
        self.built[id(node)] = built
        return built

    def sequence(self, node: yaml.SequenceNode) -> tuple[Data, int]:
        parts = [self.build(item) for item in node.value]
        return [part for part, _ in parts], 1 + sum(size for _, size in parts)

    def mapping(self, node: yaml.Node) -> tuple[Data, int]:
        own: dict[str, Data] = {}
        lines: dict[str, int] = {}
        merged: dict[str, Data] = {}
        size = 1
        for key, value in node.value:
            built, parts = self.build(value)
            size += parts
            if key.tag == f"{_TAG}merge":
                for source in built if isinstance(built, list) else [built]:
                    if not isinstance(source, dict):
                        raise _mistake(value, "<< merges mappings only", "write a mapping, or an alias of one")
                    merged = {**source, **merged}
                continue
            if not isinstance(key, yaml.ScalarNode):
                raise _mistake(key, "a key is text, not a list or a mapping", "write text")
            if key.value in own:
                raise _mistake(
                    key,
                    f"the key {key.value!r} is there twice: on line {OTHER} and here",
                    "keep one of them",
                    lines[key.value],
                )
            own[key.value] = built
            lines[key.value] = key.start_mark.line + 1
        return {**merged, **own}, size


def _scalar(node: yaml.ScalarNode) -> Data:
    kind, value = node.tag.rpartition(":")[2], str(node.value)
    try:
        match kind:
            case "null":
                return None
            case "bool":
                return value.lower() in {"yes", "true", "on"}
            case "int":
                digits = value.lstrip("+-").lower()
                return int(value, 16 if digits.startswith("0x") else 8 if digits.startswith("0o") else 10)
            case "float":
                return float(value.replace(".inf", "inf").replace(".nan", "nan").lower())
    except ValueError:
        pass
    return value


def _mistake(node: yaml.Node, what: str, right: str, other: int | None = None) -> YamlMistakeError:
    return YamlMistakeError(what, right, node.start_mark.line + 1, node.start_mark.column + 1, other)
