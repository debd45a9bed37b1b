"""What another release of multus-site means for a project's sites: changelog, changed defaults, deprecated keys.

Each release has a schema of stack files. A project keeps that of its release in stacks/site.schema.json.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_PIN = re.compile(r"^multus-site(?:\[[\w,\s-]*\])?\s*==\s*(\d+(?:\.\d+)*)\s*(?:#.*)?$", re.MULTILINE)
_HEADING = re.compile(r"^## (\d+(?:\.\d+)*)$", re.MULTILINE)


@dataclass(frozen=True)
class Key:
    """A key in the schema: its default as JSON, whether the site sets it, whether it is deprecated."""

    default: Any
    given: bool
    deprecated: bool


def pinned(requirements: str) -> str | None:
    """Return the release of multus-site that a requirements file pins; None if none."""
    found = _PIN.search(requirements)
    return found[1] if found else None


def sections(changelog: str, since: str, until: str) -> list[str]:
    """Return the changelog's sections of the releases after `since`, up to and including `until`."""
    _, *parts = _HEADING.split(changelog)
    return [
        f"## {number}\n\n{text.strip()}"
        for number, text in zip(parts[::2], parts[1::2], strict=True)
        if _number(since) < _number(number) <= _number(until)
    ]


def _number(release: str) -> tuple[int, ...]:
    return tuple(map(int, release.split(".")))


def changed_defaults(site: Mapping[str, Any], old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each unset key whose default changed. `old`, `new`: schemas."""
    before, now = keys(site, old), keys(site, new)
    for path in sorted(before.keys() & now.keys()):
        was, becomes = before[path].default, now[path].default
        if not now[path].given and was != becomes:
            yield f"{path} is not set, and its default changes from {was} to {becomes}; to keep the old one, set {path.rpartition('.')[2]}: {was}"


def deprecated(site: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Return the keys of a site that are deprecated."""
    return sorted(path for path, key in keys(site, schema).items() if key.given and key.deprecated)


def keys(site: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Key]:
    """Return path in the site → its key in the schema: leaves, and optional objects."""
    definitions = schema["$defs"]
    return dict(_keys(definitions["Site"], site, definitions, ""))


def _keys(schema: Any, data: Any, definitions: Mapping[str, Any], path: str) -> Iterator[tuple[str, Key]]:  # noqa: ANN401  # JSON
    schema = _chosen(schema, data, definitions)
    if not isinstance(data, Mapping):
        if isinstance(data, list) and "items" in schema:
            for i, item in enumerate(data):
                yield from _keys(schema["items"], item, definitions, f"{path}[{i}]")
        return
    properties = schema.get("properties", {})
    before = f"{path}." if path else ""
    for name, known in properties.items():
        given = name in data
        inner = _chosen(known, data.get(name, {}), definitions)
        if not given and "$ref" in known and "properties" in inner:
            yield from _keys(inner, {}, definitions, before + name)
            continue
        yield before + name, Key(known.get("default"), given, bool(known.get("deprecated")))
        if given:
            yield from _keys(inner, data[name], definitions, before + name)
    if isinstance(entries := schema.get("additionalProperties"), Mapping):
        for name, item in data.items():
            if name not in properties:
                yield from _keys(entries, item, definitions, f"{before}{name}")


def _chosen(schema: Any, data: Any, definitions: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ANN401  # JSON
    """Return the schema that applies to these data: follows references, and picks an alternative by discriminator or shape."""
    if "$ref" in schema:
        return _chosen(definitions[schema["$ref"].rpartition("/")[2]], data, definitions)
    if discriminator := schema.get("discriminator"):
        kind = data.get(discriminator["propertyName"]) if isinstance(data, Mapping) else None
        target = discriminator.get("mapping", {}).get(kind)
        return _chosen({"$ref": target}, data, definitions) if target else {}
    for condition in schema.get("allOf", ()):
        known = condition.get("if", {}).get("properties", {})
        if isinstance(data, Mapping) and all(data.get(key) == value["const"] for key, value in known.items()):
            return _chosen(condition["then"], data, definitions)
    for alternative in schema.get("anyOf") or schema.get("oneOf") or ():
        one = _chosen(alternative, data, definitions)
        if (isinstance(data, Mapping) and one.get("type") == "object") or (isinstance(data, list) and "items" in one):
            return one
    return schema  # type: ignore[no-any-return]  # JSON
