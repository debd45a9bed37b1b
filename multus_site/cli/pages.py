"""The generated pages: docs/site.md from the model, docs/linter.md from the rules and facts, docs/preflight.md from its checks."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import yaml

from multus_site.cli.explanation import LAYERS
from multus_site.lint.facts import Facts
from multus_site.lint.registry import RULES
from multus_site.model.site import Site
from multus_site.nodes.preflight.finding import CHECKS
from multus_site.nodes.preflight.run_checks import PARTS

_SITE = """\
# The site file

A stack is a site: one YAML object under `config: multus-site:site:` in `stacks/Pulumi.<site>.yaml`.
This page is generated from the model (`multus-site docs`). Unknown keys are errors, and all mistakes of a file are reported together.

With this first line in a stack file, editors complete keys and mark mistakes while you type:

```yaml
# yaml-language-server: $schema=./site.schema.json
```

`multus-site lint stacks` checks every site, and compares sites that share a segment; see [linter.md](linter.md).
`multus-site adopt` writes a site from existing hosts, a running cluster or YAML files; see [adopt.md](adopt.md).
"""

_LINTER = """\
# The linter

```
multus-site lint [--facts FILE.json] [--format text|json|sarif|github|gitlab] PATH…
```

Paths are files, folders (`*.yaml`, `*.yml`, `*.json`, `*.conf`, `*.conflist`) or `-` for standard input. The linter reads stack files, NetworkAttachmentDefinitions,
pods and every kind of workload, Lists of these, SriovNetwork and SriovNetworkNodePolicy of the SR-IOV operator, and bare CNI configurations in JSON.
It skips other files of a folder. It compares a stack file with the other stacks of its folder that name the same segment.

Exit status: 0 without errors (warnings do not count), 1 with errors, 2 for a usage error.
`--format json` gives a list of `{"file","document","path","line","column","rule","level","message","hint"}`; document, line and column count from 1.
`multus-site lint --explain RULE` explains a rule. The same rules run in `pulumi preview`: errors stop it, warnings are shown.

## Allow a finding

```yaml
  # lint: allow HOSTLOCAL_MULTINODE one pod, pinned to node1
  config: '{…}'
```

A comment allows one finding of that rule, on its own line or on the next line that is not a comment. For a finding inside a JSON string, that is the
line of its key. A comment without a reason has no effect.
"""

_PREFLIGHT = """\
# Preflight

Before `up` installs anything on a host, it checks all hosts of the site against the requirements of the site. If a host does not meet them, `up` stops
before it changes any host, and reports every finding of every host with its fix:

```
preflight: 2 of 3 hosts can't become nodes as they are; nothing was put on any.
node1: ens6 has an MTU of 1500, and network media (macvlan) asks for 9000 (NIC_MTU_SMALL). Raise it in the system's network settings …
node2, node3: its machine-id is … (MACHINE_ID_SHARED). Make another: …
warning: node3: its clock is not synchronized (CLOCK_UNSYNCHRONISED). Turn it on: …
Fix what is reported, then run the same command again: it checks the hosts again.
```

Fix the findings, then run `pulumi up` again: it checks the current state of the hosts. An **error** stops `up`; after a **warning**, it continues.
A preview does not connect to hosts for these checks.

## What is checked, and when

`multus_site/scripts/facts.sh` collects the facts. It changes nothing, and needs a shell but no Python. Before it, `multus_site/scripts/prepare.sh` waits for the NICs
(cloud-init renames them), brings up those that networks, links and SR-IOV pools use, however the site gives them (but not those that move into pods), and, at an air-gapped site,
configures the mirror as the APT source.

A host is checked if it is new, if it is another machine than before, if it drifted, or if the requirements of the site changed (a NIC, an MTU, a kind of
network, a port, a release). `up` does not connect to other hosts: the state has their facts from when they passed, and checks that compare hosts use those.
A host that passed belongs to the site: its cluster is not a foreign cluster, and its ports are not in use by others. For hosts without such a record, the
authority (`ca.crt`) must be that of the node that holds the record of the site (`/var/lib/multus-site/kubespray.json`).

The output `nodes` has the system, the hypervisor, and driver and speed of each NIC: `pulumi stack output nodes`.

**System containers** (the nodes of the lab) share kernel, clock, swap, cgroups and hardware with their machine, so clock, swap, cgroup, product_uuid and
hypervisor are not checked there. If a kernel module cannot be looked up from inside, preflight creates an interface of that type in a temporary network
namespace. It skips what it cannot find out; the verification tests the networks later.

## The findings

**UNREACHABLE** (error): A host that cannot be checked. It does not answer over SSH, shows another host key than the pinned one, refuses the login, or prints
unexpected output.
"""

_FACTS = """\
## Facts

Facts about the nodes and the cluster go into a JSON object for `--facts`. A fact that is missing is unknown, and no rule relies on it.
A site provides some of them: the addresses of its nodes, the networks of Kubespray, and the NICs of machines that it creates.

| fact | type | meaning |
| --- | --- | --- |
"""


def site_page() -> str:
    """docs/site.md."""
    schema = Site.model_json_schema()
    definitions = schema.pop("$defs")
    lines = [_SITE, *_part("Site", schema, definitions)]
    for name in _in_order(schema, definitions):
        lines += _part(name, definitions[name], definitions)
    return "\n".join(lines).rstrip() + "\n"


def linter_page() -> str:
    """docs/linter.md."""
    lines = [_LINTER, _facts(), f"## The {len(RULES)} rules\n"]
    for layer, title in LAYERS.items():
        rules = sorted((rule for rule in RULES.values() if rule.layer == layer), key=lambda rule: rule.code)
        lines.append(f"### {title[0].upper()}{title[1:]}\n")
        for rule in rules:
            example = "\n".join(f"    {line}" for line in rule.example.splitlines())
            why = " ".join(rule.why().split())
            lines.append(f"**{rule.code}** ({rule.level}): {rule.title}. {why}\n\n{example}\n\nSource: {rule.source}\n")
    return "\n".join(lines).rstrip() + "\n"


def preflight_page() -> str:
    """docs/preflight.md."""
    lines = [_PREFLIGHT]
    for part, title in PARTS.items():
        lines.append(f"### {title}\n")
        for check in (one for one in CHECKS.values() if one.part == part.__name__):
            lines.append(f"**{check.code}** ({check.level}): {check.title}. {check.why}\n")
    return "\n".join(lines).rstrip() + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "site.md": site_page,
    "linter.md": linter_page,
    "preflight.md": preflight_page,
}
"""The pages by the names of their files."""


def _facts() -> str:
    rows = []
    for name, field in Facts.model_json_schema()["properties"].items():
        kinds = [choice for choice in field.get("anyOf", [field]) if choice.get("type") != "null"]
        rows.append(f"| `{name}` | {_kind(kinds[0], {})} | {field.get('description', '')} |")
    return _FACTS + "\n".join(rows) + "\n"


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
    yield "| key | type | default | example | meaning |\n| --- | --- | --- | --- | --- |"
    required = schema.get("required", [])
    for key, field in schema.get("properties", {}).items():
        default = "**required**" if key in required else f"`{json.dumps(field.get('default'), ensure_ascii=False)}`"
        if isinstance(field.get("default"), dict) and field["default"]:
            default = "its defaults"
        kind, what = _kind(field, definitions), " ".join(_description(field).split())
        yield f"| `{key}` | {kind} | {default} | {_example(field, definitions)} | {what} |"
    yield ""


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
    text = (
        example
        if isinstance(example, str)
        else yaml.safe_dump(example, default_flow_style=True, width=10_000, sort_keys=False, allow_unicode=True)
    )
    return f"`{text.strip().removesuffix('...').strip()}`"


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
