"""Plain data, as YAML and JSON hold it, and paths in it."""

import json
import re
from collections.abc import Sequence
from typing import TypeAlias

Data: TypeAlias = "bool | int | float | str | list[Data] | dict[str, Data] | None"
"""What YAML and JSON hold."""

Path = tuple[str | int, ...]
"""Keys and indices from the root of a document."""


def path_text(path: Sequence[str | int]) -> str:
    """A path as people write it: `spec.config.ipam.ranges[0]`, with unusual keys in brackets and quotes, as in JSON."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.fullmatch(r"[A-Za-z0-9_:-]+", part):
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(part, ensure_ascii=False)}]"
    return text


def follow(data: Data, path: Sequence[str | int]) -> tuple[Data, int]:
    """The deepest part of plain data on a path, and how many parts of the path lead to it."""
    for depth, part in enumerate(path):
        if isinstance(data, dict) and str(part) in data:
            data = data[str(part)]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return data, depth
    return data, len(path)


def value_at(data: Data, path: Sequence[str | int]) -> Data:
    """The part of plain data at a path, or None."""
    value, depth = follow(data, path)
    return value if depth == len(path) else None


def replace_half_characters(data: Data) -> Data:
    """Replace half characters (\\ud800), which escapes in JSON allow but files and terminals do not; Go replaces them too."""
    replaced: Data = json.loads(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))
    return replaced
