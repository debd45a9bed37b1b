"""pydantic's errors in the words of a site: the path as it stands in the file, what was found, what would be right."""

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from model.positions import Path, at
from model.site import Site

_SHAPES = {"object": "a mapping (key: value)", "array": "a list", "string": "text", "integer": "a whole number",
           "number": "a number", "boolean": "true or false"}  # fmt: skip
_EMPTY = "is empty"


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong at a path of the site."""

    path: Path
    message: str


def mistakes_of(error: ValidationError, data: object) -> list[Mistake]:
    """All that pydantic found, and what the site as a whole shows once the broken parts are set aside."""
    found: list[Mistake] = []
    for detail in error.errors(include_url=False):
        found += _translated(detail)
    if any(mistake.path for mistake in found):
        found += _mistakes_behind(error, data)
    inner = {mistake.path[:depth] for mistake in found for depth in range(len(mistake.path))}
    # pydantic calls a list empty when each of its entries is wrong
    return [m for m in dict.fromkeys(found) if not (m.message.startswith(_EMPTY) and m.path in inner)]


def _translated(detail: ErrorDetails) -> Iterator[Mistake]:
    path, schema, parent = _located(detail["loc"])
    kind, context, value = detail["type"], detail.get("ctx", {}), detail["input"]
    if kind == "value_error":
        text = str(context["error"])
        for line in text.split("\n") if not path else [text]:
            inner, colon, message = line.partition(": ")
            yield Mistake(parsed_path(inner), message) if not path and colon else Mistake(path, line)
    elif kind == "missing":
        yield Mistake(path, f"missing; {_right(schema)}")
    elif kind == "extra_forbidden":
        yield Mistake(path, f"unknown key; {_instead(str(path[-1]), parent)}")
    elif kind in {"union_tag_invalid", "union_tag_not_found"}:
        key = context["discriminator"].strip("'")
        choices = list(schema.get("discriminator", {}).get("mapping", {}))
        found = "missing" if kind == "union_tag_not_found" else f"{context['tag']!r} is not known here"
        yield Mistake(
            (*path, key), f"{found}; write one of {', '.join(choices)}{_guess(context.get('tag', ''), choices)}"
        )
    elif kind in {"greater_than_equal", "less_than_equal"}:
        yield Mistake(path, f"{value} is out of bounds; {_right(schema)}")
    elif kind == "too_short":
        yield Mistake(path, f"{_EMPTY}; {_right(schema)}")
    elif kind == "literal_error":
        choices = [str(choice) for choice in schema.get("enum", [schema.get("const", "")])]
        yield Mistake(path, f"{_shown(value)} is not known here; {_right(schema)}{_guess(str(value), choices)}")
    else:
        yield Mistake(path, f"{_shown(value)} does not fit; {_right(schema)}")


def parsed_path(text: str) -> Path:
    """The parts of a path written `networks.a.ranges[0]`; a name with dots in it stands in `["…"]`."""
    parts = re.findall(r'\["([^"]*)"\]|([^.\[\]]+)', text)
    return tuple(quoted or (int(plain) if plain.isdigit() else plain) for quoted, plain in parts)


def _located(loc: tuple[int | str, ...]) -> tuple[Path, dict[str, Any], dict[str, Any]]:
    """The path in the file (pydantic's has the tags of unions too), the schema there and that of its parent."""
    root = Site.model_json_schema()
    schema = parent = root
    path: list[int | str] = []
    for part in loc:
        if part == "[key]":
            break
        if "discriminator" in schema:
            target = schema["discriminator"]["mapping"].get(part)
            schema = _resolved({"$ref": target} if target else {}, root)
            continue
        if "oneOf" in schema:  # a name, or a mapping that tells it (model.master)
            choice = next(c for c in schema["oneOf"] if ("$ref" in c) == (part == "by node"))
            schema = _resolved(choice, root)
            continue
        path.append(part)
        parent = schema
        if isinstance(part, int):
            schema = schema.get("items", {})
        else:
            schema = schema.get("properties", {}).get(part) or schema.get("additionalProperties") or {}
        schema = _resolved(schema if isinstance(schema, dict) else {}, root)
    return tuple(path), schema, parent


def _resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """The schema behind a reference or behind `… or null`; of text or a mapping, the mapping."""
    while True:
        if "$ref" in schema:
            schema = root["$defs"][schema["$ref"].rpartition("/")[2]] | {k: v for k, v in schema.items() if k != "$ref"}
        elif "anyOf" in schema:
            choice = next((c for c in schema["anyOf"] if c.get("type") not in {"null", "string"}), schema["anyOf"][0])
            schema = choice | {k: v for k, v in schema.items() if k != "anyOf"}
        else:
            return schema


def _right(schema: dict[str, Any]) -> str:
    """What would be right, as far as the schema knows."""
    if "oneOf" in schema and "discriminator" not in schema:
        return _right({**schema["oneOf"][0], **{key: schema[key] for key in ("examples",) if key in schema}})
    if "enum" in schema or "const" in schema:
        return f"write one of {', '.join(str(choice) for choice in schema.get('enum', [schema.get('const')]))}"
    if "discriminator" in schema:
        return f"write a mapping with the key {schema['discriminator']['propertyName']}, one of {', '.join(schema['discriminator']['mapping'])}"
    shape = _SHAPES.get(schema.get("type", ""), "a value")
    if "minimum" in schema and "maximum" in schema:
        shape += f" from {schema['minimum']} to {schema['maximum']}"
    elif "minimum" in schema:
        shape += f", {schema['minimum']} or more"
    if schema.get("minItems") or schema.get("minProperties"):
        shape += " with at least one entry"
    if schema.get("examples"):
        shape += f" such as {schema['examples'][0]}"
    elif required := schema.get("required"):
        shape += f" with {', '.join(required)}"
    return f"write {shape}"


def _instead(key: str, parent: dict[str, Any]) -> str:
    known = list(parent.get("properties", {}))
    near = difflib.get_close_matches(key, known, 1, 0.7)
    return f"did you mean {near[0]}?" if near else f"the keys here are {', '.join(known)}"


def _guess(value: str, choices: list[str]) -> str:
    near = difflib.get_close_matches(value, choices, 1, 0.6)
    return f" (did you mean {near[0]}?)" if near else ""


def _shown(value: object) -> str:
    if isinstance(value, (dict, list)):
        return f"a {'mapping' if isinstance(value, dict) else 'list'}"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "…"


def _mistakes_behind(error: ValidationError, data: object) -> list[Mistake]:
    """Mistakes of the site as a whole that broken parts would hide: the parts are left out and the rest is looked at."""
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
            if isinstance(workload := at(rest, path[:2]), dict):
                workload["image"] = "localhost/unknown:0"
            continue
        if path[:1] == ("networks",):
            depth = min(depth, 2)
        elif path[:1] == ("workloads",):
            depth = min(depth, 3 if path[2:3] != ("networks",) else 2)
        if path[:2] == ("nodes", "hosts") or depth < 1:
            return []  # without its nodes nothing more can be said of a site
        _drop(rest, path[:depth])
        if path[0] != "networks":
            dropped.add(str(path[depth - 1]))
    try:
        Site.model_validate(rest)
    except ValidationError as again:
        more = [m for d in again.errors(include_url=False) if not d["loc"] for m in _translated(d)]
        return [m for m in more if not any(f"'{name}'" in m.message for name in dropped)]
    return []


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
