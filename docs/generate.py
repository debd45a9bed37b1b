"""Writes the generated parts of the pages in docs/: `make docs`.

A generated part is what stands between `<!-- generated: NAME -->` and `<!-- end of NAME -->`. Everything else on a page is written by hand.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from multus_site.cli.explanation import LAYERS
from multus_site.lint.facts import Facts
from multus_site.lint.registry import RULES
from multus_site.model.site import Site
from multus_site.nodes.preflight.finding import CHECKS
from multus_site.nodes.preflight.run_checks import PARTS
from multus_site.verify.registry import VERIFICATIONS
from multus_site.verify.said import CAUSES, TEXTS
from policy.pack import POLICIES

FOLDER = Path(__file__).parent


class Code(NamedTuple):
    """A message code, as docs/messages.md lists it."""

    code: str
    level: str
    source: str
    title: str
    page: str


def codes() -> list[Code]:
    """Every code of the linter, preflight, verification and the policies, sorted by name."""
    found = [Code(rule.code, rule.level, "linter", rule.title, "linter.md") for rule in RULES.values()]
    found += [Code(check.code, check.level, "preflight", check.title, "preflight.md") for check in CHECKS.values()]
    # Reported before any check runs, so it is not among CHECKS; its description on the page is written by hand.
    found.append(Code("UNREACHABLE", "error", "preflight", "A host that cannot be checked", "preflight.md"))
    found += [
        Code(name, "error", "verification", f"{one.subject}: passes if {one.passes_if}", "verification.md")
        for name, one in VERIFICATIONS.items()
    ]
    found += [Code(policy.name, "mandatory", "policy", policy.description, "policy.md") for policy in POLICIES]
    return sorted(found, key=lambda one: one.code.lower())


def messages() -> str:
    """The index of codes: each with its level and a link to its description."""
    rows = (
        (f"[`{one.code}`]({one.page}#{one.code.lower()})", one.source, one.level, one.title.rstrip("."))
        for one in codes()
    )
    return _table(("code", "reported by", "level", "meaning"), rows)


def site_keys() -> str:
    """Every key of a site, one table for each part of the model."""
    schema = Site.model_json_schema()
    definitions = schema.pop("$defs")
    lines = list(_part("Site", schema, definitions))
    for name in _in_order(schema, definitions):
        lines += _part(name, definitions[name], definitions)
    return "\n".join(lines)


def lint_facts() -> str:
    """The facts that `--facts` takes."""
    rows = []
    for name, field in Facts.model_json_schema()["properties"].items():
        kinds = [choice for choice in field.get("anyOf", [field]) if choice.get("type") != "null"]
        rows.append((f"`{name}`", _kind(kinds[0], {}), field.get("description", "")))
    return _table(("fact", "type", "meaning"), rows)


def lint_rules() -> str:
    """Every rule of the linter, by layer."""
    lines = [f"## The {len(RULES)} rules\n"]
    for layer, title in LAYERS.items():
        rules = sorted((rule for rule in RULES.values() if rule.layer == layer), key=lambda rule: rule.code)
        lines.append(f"### {title[0].upper()}{title[1:]}\n")
        for rule in rules:
            example = "\n".join(f"    {line}" for line in rule.example.splitlines())
            lines.append(_entry(rule.code, rule.level, rule.title, " ".join(rule.why().split())))
            lines.append(f"{example}\n\nSource: {rule.source}\n")
    return "\n".join(lines)


def preflight_checks() -> str:
    """Every check of preflight, by the module that it is in."""
    lines = []
    for part, title in PARTS.items():
        lines.append(f"### {title}\n")
        for check in (one for one in CHECKS.values() if one.part == part.__name__):
            lines.append(_entry(check.code, check.level, check.title, check.why))
    return "\n".join(lines)


def verification_checks() -> str:
    """Every check of the verification, in the order of its registry."""
    rows = ((one.subject, _anchored(name), one.passes_if) for name, one in VERIFICATIONS.items())
    return _table(("subject", "check", "passes if"), rows)


def causes() -> str:
    """Every cause that `explain` names, and the end of what was said about it in the lab (tests/verify/said.json)."""
    said = json.loads((FOLDER.parent / "tests" / "verify" / "said.json").read_text())
    rows = (
        (one.symptom, _anchored(name), one.what, f"`{one.rule}`" if one.rule else "", _told(said.get(name, "")))
        for name, one in CAUSES.items()
    )
    return _table(("symptom", "cause", "meaning", "rule", "what was said in the lab"), rows)


def texts() -> str:
    """Where each text of the table comes from."""
    return _table(("cause", "source of the text"), dict.fromkeys((f"`{one.cause}`", one.source) for one in TEXTS))


def _told(text: str) -> str:
    """The part of a text that names the failure: Multus puts it between the sandbox and its own configuration."""
    _, shim, rest = text.partition("error adding container to network ")
    told = (rest if shim else text.rpartition("getKubernetesDelegate: ")[2]).partition("\n': StdinData")[0]
    told = told.rpartition("GetCNIConfig: ")[2]
    return f"`{told.replace('|', '/')}`" if told else ""


def policies() -> str:
    """Every policy with its settings and their defaults."""
    rows = (
        (
            _anchored(policy.name),
            policy.description,
            "<br>".join(
                f"`{name}: {_flow(schema['default'])}`: {schema['description']}"
                for name, schema in policy.settings.items()
            ),
        )
        for policy in POLICIES
    )
    return _table(("policy", "what it requires", "settings and their defaults"), rows)


PAGES: dict[str, dict[str, Callable[[], str]]] = {
    "site.md": {"keys": site_keys},
    "linter.md": {"facts": lint_facts, "rules": lint_rules},
    "preflight.md": {"checks": preflight_checks},
    "verification.md": {"checks": verification_checks},
    "explain.md": {"causes": causes, "texts": texts},
    "policy.md": {"policies": policies},
    "messages.md": {"messages": messages},
}
"""Page → its generated parts by name."""


def generated(page: str) -> str:
    """The text of a page with its parts generated. Raises ValueError where a page lacks a marker."""
    text = (FOLDER / page).read_text()
    for name, part in PAGES[page].items():
        begin, end = f"<!-- generated: {name} -->", f"<!-- end of {name} -->"
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            message = f"docs/{page} has no {begin} followed by {end}"
            raise ValueError(message)
        text = f"{before}{begin}\n\n{part().rstrip()}\n\n{end}{after}"
    return text


def _entry(code: str, level: str, title: str, why: str) -> str:
    return f'<a id="{code.lower()}"></a>**{code}** ({level}): {title}. {why}\n'


def _anchored(name: str) -> str:
    return f'<a id="{name}"></a>`{name}`'


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows))


def _in_order(schema: dict[str, Any], definitions: dict[str, Any]) -> Iterator[str]:
    """Names of the definitions in the order in which a reader meets them."""
    seen: set[str] = set()
    ahead = list(_references(schema))
    while ahead:
        name = ahead.pop(0)
        if name not in seen:
            seen.add(name)
            yield name
            ahead = [*_references(definitions[name]), *ahead]


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref":
                yield value.rpartition("/")[2]
            elif key != "discriminator":
                yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


def _part(name: str, schema: dict[str, Any], definitions: dict[str, Any]) -> Iterator[str]:
    yield f"## {name}\n\n{' '.join(schema.get('description', '').split())}\n"
    required = schema.get("required", [])
    rows = []
    for key, field in schema.get("properties", {}).items():
        default = "**required**" if key in required else f"`{json.dumps(field.get('default'), ensure_ascii=False)}`"
        if isinstance(field.get("default"), dict) and field["default"]:
            default = "its defaults"
        kind, what = _kind(field, definitions), " ".join(_description(field).split())
        rows.append((f"`{key}`", kind, default, _example(field, definitions), what))
    yield _table(("key", "type", "default", "example", "meaning"), rows) + "\n"


def _description(field: dict[str, Any]) -> str:
    return str(
        field.get("description") or next((c["description"] for c in field.get("anyOf", []) if c.get("description")), "")
    )


def _kind(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    """A type in words, with links to the parts of a site."""
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    choices = [c for c in field.get("anyOf", field.get("oneOf", [])) if c.get("type") != "null"]
    if choices:
        return " or ".join(dict.fromkeys(_kind(choice, definitions) for choice in choices))
    if "enum" in field or "const" in field:
        return ", ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    kind = field.get("type", "anything")
    if kind == "array":
        return f"list of {_kind(field.get('items', {}), definitions)}"
    if kind == "object":
        inner = field.get("additionalProperties")
        return f"name → {_kind(inner, definitions)}" if isinstance(inner, dict) else "mapping"
    bounds = f", {field['minimum']} to {field['maximum']}" if "maximum" in field else ""
    return str({"string": "text", "integer": "number", "boolean": "true or false"}.get(kind, kind)) + bounds


def _example(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    """An example that its type gives, that its bounds, values or default imply, or that is made of its parts' examples."""
    example = _sample(field, definitions)
    if example is None:
        return ""
    return f"`{example.strip() if isinstance(example, str) else _flow(example)}`"


def _flow(value: object) -> str:
    """A value as YAML on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False, allow_unicode=True)
    return text.strip().removesuffix("...").strip()


def _sample(field: dict[str, Any], definitions: dict[str, Any]) -> Any:  # noqa: ANN401  # whatever the schema describes
    if field.get("examples"):
        return field["examples"][0]
    if "const" in field or "enum" in field:
        return field.get("const", field.get("enum", [None])[0])
    if field.get("default") not in (None, {}, [], "") and not isinstance(field.get("default"), dict):
        return field["default"]
    if "minimum" in field:
        return field["minimum"]
    if field.get("type") == "boolean":
        return True
    if "$ref" in field:
        return _sample(definitions[field["$ref"].rpartition("/")[2]], definitions)
    for choice in field.get("anyOf", field.get("oneOf", [])):
        if choice.get("type") != "null":
            return _sample(choice, definitions)
    if field.get("type") == "array":
        return [_sample(field.get("items", {}), definitions)]
    if isinstance(inner := field.get("additionalProperties"), dict):
        name = _sample(field.get("propertyNames", {}), definitions) or "name"
        return {name: _sample(inner, definitions)}
    parts = field.get("properties", {})
    keys = field.get("required") or list(parts)[:1]
    return {key: _sample(parts[key], definitions) for key in keys} or None


if __name__ == "__main__":
    for page_name in PAGES:
        (FOLDER / page_name).write_text(generated(page_name))
