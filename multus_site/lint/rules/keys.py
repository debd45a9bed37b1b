"""Rules on the keys of a configuration: wrong types and unknown keys."""

import difflib
import json
import re
from collections.abc import Iterator
from functools import lru_cache

from multus_site.cni.catalogue import COMMON, COMMON_INNER, LIST, PLUGINS, ipam_owners
from multus_site.cni.configuration import inner_parts
from multus_site.cni.go_object import Part
from multus_site.cni.key_types import WORDS, fits, go_type
from multus_site.cni.plugin_type import Keys, ObjectType
from multus_site.lint.changes import Replace
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.subjects import Config, Ipam, Operator, Plugin
from multus_site.model.paths import Data, Path


@rule(
    "WRONG_TYPE",
    "error",
    "configuration",
    "A value of the wrong type",
    example='{"type": "vlan", "master": "eth0", "vlanId": "110"}',
    source="the plugins' structs; encoding/json UnmarshalTypeError",
)
def wrong_type(part: Config | Plugin | Ipam | Operator) -> Problems:
    """Go rejects the whole configuration: 'cannot unmarshal string into Go struct field'."""
    yield from _wrong_types(part, keys_of(part), ())
    for inner, known in _inner(part):
        yield from _wrong_types(inner, known, inner.path)


def _wrong_types(part: Part, known: dict[str, tuple[str, str]], path: Path) -> Problems:
    for key, value in part.data.items():
        kind = known.get(key.lower())
        if kind is None or fits(kind[1], value):
            continue
        bad: Path = ()
        if kind[1] in {"objects", "texts"} and isinstance(value, list):
            bad = next(((i,) for i, item in enumerate(value) if not fits(kind[1][:-1], item)), ())
        elif kind[1] in {"flags", "strings"} and isinstance(value, dict):
            bad = next(((k,) for k, v in value.items() if not fits("bool" if kind[1] == "flags" else "text", v)), ())
        found = value[bad[0]] if bad else value  # type: ignore[index]  # the kind tells whether it is a list or an object
        wanted = kind[1][:-1] if bad and kind[1] in {"objects", "texts"} else kind[1]
        place = (*path, key, *bad)
        changes = tuple(Replace(place, (right,)) for right in _meant(wanted, found))
        yield Problem(place, f"{kind[0]} is {_described(found)}", f"Write {WORDS[kind[1]]}.", changes=changes)


def _meant(kind: str, value: Data) -> list[Data]:
    """The value that was meant, where a text holds it or a list is missing around it."""
    if kind == "texts" and isinstance(value, str) and value and not re.search(r"[\s,;\[\]]", value):
        return [[value]]
    if kind == "objects" and isinstance(value, dict):
        return [[value]]
    if kind == "text" and isinstance(value, (int, float)) and not isinstance(value, bool):
        return [json.dumps(value)]
    if not isinstance(value, str):
        return []
    if kind == "bool":
        return [value.lower() == "true"] if value.lower() in {"true", "false"} else []
    number = re.fullmatch(r"0|-?[1-9]\d{0,17}", value) if kind in {"int", "uint"} else None
    return [int(value)] if number and fits(kind, int(value)) else []


def _inner(part: Config | Plugin | Ipam | Operator) -> Iterator[tuple[Part, dict[str, tuple[str, str]]]]:
    """The objects inside a part, each with its known keys."""
    if isinstance(part, Config) or not _is_known(part):
        return
    common = {} if isinstance(part, Operator) else COMMON_INNER
    for name, keys in {**common, **part.object_type.inner}.items():
        if part.has(name):
            known = _lower(keys)
            yield from ((inner, known) for inner in inner_parts(part, name))


@rule(
    "UNKNOWN_KEY_FOR_TYPE",
    "warning",
    "configuration",
    "A key that the plugin does not read",
    example='{"type": "macvlan", "master": "eth0", "vlan": 110}',
    source="the plugins' structs: encoding/json ignores keys that they do not have",
)
def unknown_key(part: Plugin | Ipam | Operator) -> Problems:
    """The plugin ignores it without an error, so the setting has no effect."""
    if not _is_known(part):
        return
    known = keys_of(part)
    single = isinstance(part, Plugin) and not part.config.is_list
    for key in part.data:
        if _has(known, key, part) or (single and key in LIST) or "/" in key or _of_another_ipam(part, key):
            continue
        kind = part.kind if isinstance(part, Operator) else part.type
        hint = _instead(key, known, part)
        if part.object_type.open and not hint.startswith(_MEANT):
            continue
        yield Problem((key,), f"{kind} does not read the key {key!r}", hint)
    for inner, fields in _inner(part):
        holder = next(str(step) for step in reversed(inner.path) if isinstance(step, str))
        for key in inner.data:
            if _has(fields, key, part) or (holder in {"ranges", "ipRanges"} and _of_another_ipam(part, key)):
                continue
            names = [name for name, _ in fields.values()]
            hint = near(key, names) or f"Remove it; the keys here are {', '.join(names)}."
            lost = ", and the policy selects more NICs than intended" if holder == "nicSelector" else ""
            yield Problem((*inner.path, key), f"{holder} has no key {key!r}: it is ignored{lost}", hint)


def _has(known: dict[str, tuple[str, str]], key: str, part: Plugin | Ipam | Operator) -> bool:
    """Whether a key is known. The API server compares the case of an operator's keys, Go ignores it in a plugin's."""
    name = known.get(key.lower())
    return name is not None and (not isinstance(part, Operator) or name[0] == key)


def _is_known(part: Plugin | Ipam | Operator) -> bool:
    """Whether the catalogue describes the plugin or kind that reads the part."""
    return bool(part.object_type.name)


def keys_of(part: Config | Plugin | Ipam | Operator) -> dict[str, tuple[str, str]]:
    """Lower-case key → the key and its type, for every key that the part can have."""
    if isinstance(part, Config):
        return _LOWER_LIST if part.is_list else {}
    return _lower_keys(part.object_type, common=isinstance(part, Plugin))


@lru_cache(maxsize=256)
def _lower_keys(of: ObjectType, *, common: bool) -> dict[str, tuple[str, str]]:
    return _lower({**(COMMON if common else {}), **of.keys})


def _lower(keys: Keys) -> dict[str, tuple[str, str]]:
    return {key.lower(): (key, go_type(kind)) for key, kind in keys.items()}


_LOWER_LIST = _lower(LIST)

_MEANT = "Did you mean"


def _of_another_ipam(part: Plugin | Ipam | Operator, key: str) -> bool:
    """Whether IPAM_KEY_FOR_OTHER_PLUGIN or CNIVERSION_MISPLACED reports the key."""
    if not isinstance(part, Ipam):
        return False
    return key == "cniVersion" or bool(ipam_owners(key))


def _instead(key: str, known: dict[str, tuple[str, str]], part: Plugin | Ipam | Operator) -> str:
    if meant := near(key, [name for name, _ in known.values()]):
        return meant
    if isinstance(part, Plugin):
        if ipam_owners(key):
            return 'Move it into "ipam": {…}.'
        others = sorted(name for name, entry in PLUGINS.items() if key in entry.keys)
        if others:
            return f"Remove it; it is a key of {', '.join(others)}."
    return "Remove it, or look the right key up in the plugin's documentation."


def near(key: str, known: list[str]) -> str:
    """A hint with the most similar key, empty if none is similar."""
    matches = difflib.get_close_matches(key, known, 1, 0.75)
    return f"{_MEANT} {matches[0]}?" if matches else ""


def _described(value: Data) -> str:
    if isinstance(value, str):
        return f"the text {value!r}" if len(value) < 60 else "a text"
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    return json.dumps(value) if value is None or isinstance(value, bool) else f"the number {str(value)[:40]}"
