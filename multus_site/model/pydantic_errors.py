"""pydantic's errors in the words of a site: the path in the file, what was found, what would be right."""

import base64
import difflib
import functools
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from multus_site.model.master import TAGS
from multus_site.model.part import Mistake, MistakesError
from multus_site.model.paths import Path, value_at
from multus_site.model.site import Site
from multus_site.model.ssh import FORMS

_SHAPES = {"object": "a mapping (key: value)", "array": "a list", "string": "text", "integer": "a whole number",
           "number": "a number", "boolean": "true or false"}  # fmt: skip
_EMPTY = "is empty"

FREE = frozenset({"annotations", "command", "config", "exec", "livenessProbe", "readinessProbe", "variables"})
"""Keys whose values may be anything, a secret too: messages never show them, not even one that does not fit."""

_KINDS = {str: "a text", bool: "true or false", int: "a number", float: "a number", type(None): "nothing"}


def mistakes_of(error: ValidationError, data: object) -> list[Mistake]:
    """All that pydantic found, and the mistakes of the site as a whole that the rest shows without the broken parts."""
    if found := _respelled(error, data):
        return found
    for detail in error.errors(include_url=False):
        found += _translated(detail)
    if any(mistake.path for mistake in found):
        found += _mistakes_behind(error, data)
    inner = {mistake.path[:depth] for mistake in found for depth in range(len(mistake.path))}
    # pydantic calls a list empty when each of its entries is wrong
    found = [m for m in found if not (m.message.startswith(_EMPTY) and m.path in inner)]
    return list(dict.fromkeys(replace(m, path=_as_written(m.path, data)) for m in found))


def _respelled(error: ValidationError, data: object) -> list[Mistake]:
    """The misspelled keys, and what is wrong once they are spelled as they are meant; empty without such keys."""
    meant: Any = json.loads(json.dumps(data, default=str))
    written: dict[Path, str] = {}
    for detail in error.errors(include_url=False):
        path, _, parent = _located(detail["loc"])
        near = ""
        if detail["type"] == "extra_forbidden":
            near = _near(str(path[-1]), parent)
        elif detail["type"] == "union_tag_not_found" and isinstance(detail["input"], dict):
            right = detail.get("ctx", {})["discriminator"].strip("'")
            keys = [key for key in detail["input"] if isinstance(key, str)]
            for key in difflib.get_close_matches(right, keys, 1, 0.7):
                near, path = right, (*path, key)
        path = _as_written(path, data)
        part = value_at(meant, path[:-1])
        if near and isinstance(part, dict) and path[-1] in part and near not in part:
            part[near] = part.pop(str(path[-1]))
            written[(*path[:-1], near)] = str(path[-1])
    if not written:
        return []
    found = [Mistake((*path[:-1], key), f"unknown key; did you mean {path[-1]}?") for path, key in written.items()]
    try:
        Site.model_validate(meant, by_alias=True, by_name=False)
    except ValidationError as again:
        for mistake in mistakes_of(again, meant):
            path = tuple(written.get(mistake.path[: i + 1], part) for i, part in enumerate(mistake.path))
            found.append(replace(mistake, path=path))
    return found


def _translated(detail: ErrorDetails) -> Iterator[Mistake]:
    path, schema, parent = _located(detail["loc"])
    kind, context, value = detail["type"], detail.get("ctx", {}), detail["input"]
    shown = _kind(value) if FREE.intersection(map(str, path)) else _shown(value)
    if kind == "value_error":
        error = context["error"]
        found = error.mistakes if isinstance(error, MistakesError) else (Mistake((), str(error)),)
        yield from (mistake.below(path) for mistake in found)
    elif kind == "missing":
        yield Mistake(path, f"missing; {right_for(schema)}")
    elif kind == "extra_forbidden":
        yield Mistake(path, f"unknown key; {_instead(str(path[-1]), parent)}")
    elif kind in {"union_tag_invalid", "union_tag_not_found"}:
        key = context["discriminator"].strip("'")
        choices = list(schema.get("discriminator", {}).get("mapping", {}))
        said = "missing" if kind == "union_tag_not_found" else f"{context['tag']!r} is not known here"
        yield Mistake(
            (*path, key), f"{said}; write one of {', '.join(choices)}{_guess(context.get('tag', ''), choices)}"
        )
    elif kind in {"greater_than_equal", "less_than_equal"}:
        yield Mistake(path, f"{shown} is out of bounds; {right_for(schema)}")
    elif kind == "too_short":
        yield Mistake(path, f"{_EMPTY}; {right_for(schema)}")
    elif kind == "literal_error":
        choices = [str(choice) for choice in schema.get("enum", [schema.get("const", "")])]
        yield Mistake(path, f"{shown} is not known here; {right_for(schema)}{_guess(str(value), choices)}")
    elif schema.get("type") == "string" and not schema.get("examples") and isinstance(value, (bool, int, float)):
        quoted = f': "{shown}"' if shown == _shown(value) else ""
        yield Mistake(path, f"{shown} does not fit; {right_for(schema)}, in quotes{quoted}")
    else:
        yield Mistake(path, f"{shown} does not fit; {right_for(schema)}")


def _as_written(path: Path, data: object) -> Path:
    """The path less what a text stands for: `networks: [a]` is read as `networks: [{name: a}]`, and `spread: {…}` as `spread: [{…}]`."""
    whole: Any = data
    found: Path = ()
    for part in path:
        there = value_at(whole, found)
        if isinstance(there, str):
            break
        if not (isinstance(there, dict) and isinstance(part, int)):
            found = (*found, part)
    return found


def _located(loc: tuple[int | str, ...]) -> tuple[Path, dict[str, Any], dict[str, Any]]:
    """The path in the file (pydantic's has the tags of unions too), the schema there and that of its parent."""
    schema = parent = _site_schema()
    path: list[int | str] = []
    for part in loc[:-1] if loc[-1:] == ("[key]",) else loc:  # a key that does not fit
        if "discriminator" in schema:
            target = schema["discriminator"]["mapping"].get(part)
            schema = _resolved({"$ref": target} if target else {})
            continue
        if "anyOf" in schema and part in (*TAGS, *FORMS):  # the form that pydantic chose; both would be right
            continue
        path.append(part)
        parent = _entered(schema, part)
        inner = parent.get("items") or parent.get("properties", {}).get(part) or parent.get("additionalProperties")
        schema = _resolved(inner if isinstance(inner, dict) else {})
    return tuple(path), schema, parent


@functools.cache
def _site_schema() -> dict[str, Any]:
    return Site.model_json_schema()


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema behind a reference or behind `… or null`; of several forms all, as `anyOf`, each without a reference."""
    rest = {key: value for key, value in schema.items() if key not in {"$ref", "anyOf", "oneOf"}}
    if "$ref" in schema:
        return _resolved(_site_schema()["$defs"][schema["$ref"].rpartition("/")[2]] | rest)
    forms = schema.get("anyOf") or schema.get("oneOf")
    if forms is None or "discriminator" in schema:
        return schema
    forms = [_resolved(form) for form in forms if form.get("type") != "null"]
    return forms[0] | rest if len(forms) == 1 else {"anyOf": forms, **rest}


def _entered(schema: dict[str, Any], part: int | str) -> dict[str, Any]:
    """The form that has such a part: of text or a list, the list; of a mapping or a list, by whether the part is a key or a place."""
    forms = [form for form in schema.get("anyOf", []) if form.get("type") in {"array", "object"}]
    fitting = [form for form in forms if (form["type"] == "array") == isinstance(part, int)]
    return next(iter([*fitting, *forms]), schema)


def right_for(schema: dict[str, Any]) -> str:
    """What would be right for a value, as far as its part of the model's JSON Schema knows."""
    return f"write {_shape(_resolved(schema))}"


def _shape(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return ", or ".join(_shape(form) for form in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return f"one of {', '.join(str(choice) for choice in schema.get('enum', [schema.get('const')]))}"
    if "discriminator" in schema:
        return f"a mapping with the key {schema['discriminator']['propertyName']}, one of {', '.join(schema['discriminator']['mapping'])}"
    shape = _SHAPES[schema["type"]]
    if "minimum" in schema and "maximum" in schema:
        shape += f" from {schema['minimum']} to {schema['maximum']}"
    elif "minimum" in schema:
        shape += f", {schema['minimum']} or more"
    if schema.get("minItems") and schema.get("maxItems"):
        shape += f" with {schema['minItems']} to {schema['maxItems']} entries"
    elif schema.get("minItems") or schema.get("minProperties"):
        shape += " with at least one entry"
    if schema.get("examples"):
        shape += f" such as {schema['examples'][0]}"
    elif required := schema.get("required"):
        shape += f" with {', '.join(required)}"
    return shape


def _instead(key: str, parent: dict[str, Any]) -> str:
    near = _near(key, parent)
    return f"did you mean {near}?" if near else f"the keys here are {', '.join(parent.get('properties', {}))}"


def _near(key: str, parent: dict[str, Any]) -> str:
    """The key that is meant; one in snake_case is another mistake (plain_scalars)."""
    return next(iter(difflib.get_close_matches(key, list(parent.get("properties", {})), 1, 0.7)), "")


def _guess(value: str, choices: list[str]) -> str:
    near = difflib.get_close_matches(value, choices, 1, 0.6)
    return f" (did you mean {near[0]}?)" if near else ""


def _kind(value: object) -> str:
    return _KINDS.get(type(value)) or f"a {'mapping' if isinstance(value, dict) else 'list'}"


def _shown(value: object) -> str:
    if isinstance(value, (dict, list)):
        return _kind(value)
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "…"


def _mistakes_behind(error: ValidationError, data: object) -> list[Mistake]:
    """Mistakes of the site as a whole that broken parts would hide: leaves the parts out and checks the rest."""
    rest: Any = json.loads(json.dumps(data, default=str))
    dropped: set[str] = set()
    for detail in error.errors(include_url=False):
        path, _, parent = _located(detail["loc"])
        if path == ("name",):
            rest["name"] = "site"
            continue
        depth = len(path)
        if detail["type"] == "missing" or (path and path[-1] in parent.get("required", [])):
            depth -= 1
        if path[:1] == ("workloads",) and path[2:3] == ("image",):
            if isinstance(workload := value_at(rest, path[:2]), dict):
                workload["image"] = "localhost/unknown:0"
            continue
        if path[:1] == ("networks",):
            depth = min(depth, 2)
        elif path[:1] == ("workloads",):
            depth = min(depth, 3 if path[2:3] != ("networks",) else 2)
        if path[:2] == ("nodes", "hosts") and len(path) > 3:
            _replace_in_host(rest, path)
            dropped.add("hosts")
            continue
        if path[:2] == ("nodes", "hosts") or depth < 1:
            return []  # without its nodes nothing more can be said of a site
        _drop(rest, path[:depth])
        if path[0] != "networks":
            dropped.add(str(path[depth - 1]))
    try:
        Site.model_validate(rest, by_alias=True, by_name=False)
    except ValidationError as again:
        more = [m for d in again.errors(include_url=False) if not d["loc"] for m in _translated(d)]
        of_hosts = ("nodes", "hosts") if "hosts" in dropped else None
        return [m for m in more if m.unknown not in dropped and m.path[:2] != of_hosts]
    return []


def sound_part(mistakes: Sequence[Mistake], data: object) -> tuple[Site | None, list[Path]]:
    """The site without its broken parts, to check the others, and the paths of what is broken; None if too much is."""
    rest: Any = json.loads(json.dumps(data, default=str))
    broken: list[Path] = []
    for _ in range(4):
        for mistake in mistakes:
            path = mistake.path
            broken.append(path[:2])
            if path == ("name",):
                rest["name"] = "site"
            elif path[:2] == ("nodes", "hosts") and len(path) > 3:
                _replace_in_host(rest, path)
            elif path and isinstance(rest, dict):
                _drop(rest, path[: 3 if path[0] == "nodes" else 2])
        try:
            return Site.model_validate(rest, by_alias=True, by_name=False), broken
        except ValidationError as error:
            mistakes = [m for detail in error.errors(include_url=False) for m in _translated(detail)]
    return None, broken


def _replace_in_host(data: Any, path: Path) -> None:  # noqa: ANN401  # plain data of any shape
    """Put something valid in the place of a host's address or key, which nothing else shows; take another part out."""
    host = value_at(data, path[:3])
    if not isinstance(host, dict):
        return
    number = zlib.crc32(str(path[2]).encode())
    if path[3] == "address":
        host["address"] = f"240.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    elif path[3] == "hostKey":
        blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + number.to_bytes(32, "big")
        host["hostKey"] = f"ssh-ed25519 {base64.b64encode(blob).decode()}"
    elif path[3] == "roles":
        host["roles"] = ["control-plane", "etcd", "worker"]
    else:
        _drop(data, path[:4])


def _drop(data: Any, path: Path) -> None:  # noqa: ANN401  # plain data of any shape
    """Take a part out; of a network its name and namespace stay, for others refer to them."""
    for part in path[:-1]:
        data = data.get(part) if isinstance(data, dict) else None
    if not isinstance(data, dict):
        return
    part = data.pop(path[-1], None)
    if path[0] == "networks" and len(path) == 2:
        namespace = part.get("namespace") if isinstance(part, dict) else None
        data[path[1]] = {
            "type": "raw",
            "config": {},
            "namespace": namespace if isinstance(namespace, str) else "default",
        }
