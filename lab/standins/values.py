"""Plain Python values in place of the provider library's `PropertyValue`, which has no notion of unknowns or asset hashes.

Plain means: dict, list, str, int, float, bool, None; `UNKNOWN` for what is not known during a preview; `Secret(value)`
around what must be stored encrypted (only ever outwards: the engine unwraps secrets before it calls a provider that
does not accept them, and marks them again in the answer, by name).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from google.protobuf import struct_pb2  # type: ignore[import-untyped] # protobuf ships no types
from pulumi.provider.experimental.property_value import PropertyValue

Plain: TypeAlias = Any
"""A plain value, as described above. Its shape is the resource's own, so nothing narrower is true of all of them."""

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""The wire protocol's word for a value that is not known yet (pulumi `sdk/go/common/resource/plugin/rpc.go`)."""

ASSET_KIND = "assetKind"
"""Key under which an asset or archive shows its wire signature once it is a plain dict: {assetKind, path|text, hash}."""
ASSET = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
_SIGNATURE = "4dabf18193072939515e22adb298388d"


@dataclass(frozen=True)
class Secret:
    """A value that the engine must store encrypted and never show."""

    value: Plain


def plain(value: PropertyValue) -> Plain:
    """The plain value; whole numbers become int, since the wire knows floats only and Kubernetes refuses `3.0`."""
    inner = value.value
    if isinstance(inner, Mapping):
        return {key: plain(item) for key, item in inner.items()}
    if isinstance(inner, (list, tuple)):
        return [plain(item) for item in inner]
    if isinstance(inner, float) and inner.is_integer():
        return int(inner)
    return inner


def plain_map(values: Mapping[str, PropertyValue]) -> dict[str, Plain]:
    """`plain` for a resource's properties."""
    return {key: plain(item) for key, item in values.items()}


def wire(value: Plain) -> PropertyValue:
    """The opposite of `plain`, with `Secret` marked."""
    if isinstance(value, Secret):
        return wire(value.value).with_secret(True)
    if isinstance(value, Mapping):
        return PropertyValue({key: wire(item) for key, item in value.items()})
    if isinstance(value, (list, tuple)):
        return PropertyValue([wire(item) for item in value])
    if isinstance(value, int) and not isinstance(value, bool):
        return PropertyValue(float(value))
    return PropertyValue(value)


def wire_map(values: Mapping[str, Plain]) -> dict[str, PropertyValue]:
    """`wire` for a resource's properties."""
    return {key: wire(item) for key, item in values.items()}


def has_unknown(value: Plain) -> bool:
    """Whether anything inside is not known yet."""
    if isinstance(value, Mapping):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(has_unknown(item) for item in value)
    return bool(value == UNKNOWN)


def open_assets(properties: struct_pb2.Struct) -> None:
    """Turn assets into plain dicts, in place: the library's own asset objects forget the hash that diffs need."""
    for fields in _structs(properties):
        if _SIGNATURE in fields and fields[_SIGNATURE].string_value in (ASSET, ARCHIVE):
            fields[ASSET_KIND].CopyFrom(fields[_SIGNATURE])
            del fields[_SIGNATURE]


def close_assets(properties: struct_pb2.Struct) -> None:
    """Undo `open_assets` on the way back to the engine."""
    for fields in _structs(properties):
        if ASSET_KIND in fields:
            fields[_SIGNATURE].CopyFrom(fields[ASSET_KIND])
            del fields[ASSET_KIND]


def _structs(properties: struct_pb2.Struct) -> Iterator[Any]:
    yield properties.fields
    for value in list(properties.fields.values()):
        yield from _structs_in(value)


def _structs_in(value: struct_pb2.Value) -> Iterator[Any]:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        yield from _structs(value.struct_value)
    elif kind == "list_value":
        for item in value.list_value.values:
            yield from _structs_in(item)
