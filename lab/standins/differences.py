"""What changed between two plain values, by property path, in the words of the engine's detailed diffs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pulumi.provider.experimental.provider import PropertyDiff, PropertyDiffKind

from .values import ASSET_KIND, Plain

_PLAIN_KEY = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")


def same(old: Plain, new: Plain) -> bool:
    """Equality as the engine has it: an absent property is null, and an asset is its hash, not its path."""
    return not any(True for _ in changes(old, new))


def changes(old: Plain, new: Plain, path: str = "") -> Iterator[tuple[str, PropertyDiffKind]]:
    """(path, kind) of every leaf that differs; `spec.ports[0].name`, `metadata.annotations["a.b/c"]`."""
    if _is_asset(old) and _is_asset(new):
        if old[ASSET_KIND] != new[ASSET_KIND] or old.get("hash") != new.get("hash"):
            yield path, PropertyDiffKind.UPDATE
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from changes(old.get(key), new.get(key), _joined(path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            before = old[index] if index < len(old) else None
            after = new[index] if index < len(new) else None
            yield from changes(before, after, f"{path}[{index}]")
    elif old is None and new is not None:
        yield path, PropertyDiffKind.ADD
    elif old is not None and new is None:
        yield path, PropertyDiffKind.DELETE
    elif old != new or isinstance(old, bool) is not isinstance(new, bool):
        yield path, PropertyDiffKind.UPDATE


_REPLACING = {
    PropertyDiffKind.ADD: PropertyDiffKind.ADD_REPLACE,
    PropertyDiffKind.DELETE: PropertyDiffKind.DELETE_REPLACE,
    PropertyDiffKind.UPDATE: PropertyDiffKind.UPDATE_REPLACE,
}


def detailed(found: list[tuple[str, PropertyDiffKind]], replacing: set[str]) -> dict[str, PropertyDiff]:
    """The engine's detailed diff, where every path in `replacing` asks for a replacement."""
    return {
        path: PropertyDiff(_REPLACING[kind] if path in replacing else kind, input_diff=False) for path, kind in found
    }


def _is_asset(value: Plain) -> bool:
    return isinstance(value, Mapping) and ASSET_KIND in value


def _joined(path: str, key: str) -> str:
    if not _PLAIN_KEY.match(key):
        escaped = key.replace('"', '\\"')
        return f'{path}["{escaped}"]'
    return f"{path}.{key}" if path else key
