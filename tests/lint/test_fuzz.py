"""Damaged files of every kind: findings with a position, or none, and never an exception.

FUZZ_INPUTS says how many (the figure in docs/measurements.md is of 100,000); each is a file of this folder or a stack file
with a few tokens put in, taken out, repeated or exchanged.
"""

import contextlib
import json
import os
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from multus_site.__main__ import app
from multus_site.cni import go_json
from multus_site.lint.facts import Facts, parse_facts
from multus_site.lint.files import Linter
from multus_site.model.load import SiteError, parse_stack_text
from multus_site.model.paths import Data
from multus_site.model.paths import Path as Place
from multus_site.model.yaml_documents import YamlMistakeError, documents

ROOT = Path(__file__).parents[2]
SITES = [file.read_text() for file in [*ROOT.glob("stacks/Pulumi.*.yaml"), *ROOT.glob("tests/lint/errors/s*.yaml")]]
CORPUS = [*(file.read_text() for file in sorted((ROOT / "tests/lint/errors").glob("*.yaml"))), *SITES * 4]
FACTS = parse_facts(
    json.dumps(
        {
            "nodes": 3, "ifaces": ["eth0"], "ifacesByNode": {"a": []}, "mtu": {"eth0": 1500}, "plugins": ["macvlan"], "podCIDR": "10.233.64.0/18",
            "serviceCIDR": "fd00::/108,10.96.0.0/12", "nodeIPs": ["10.1.10.5", "fd00::/120"], "nads": ["default/a"], "namespaceIsolation": True, "pf": False,
            "defaultRoute": "", "primaryIface": "eth0", "dhcpDaemon": False, "pluginVersions": {"macvlan": ["1.0.0"]}, "nadResource": {"default/internal": "r"},
        }
    ),
    source="facts",
)  # fmt: skip
TOKENS = [
    *"\"'{}[],:\n#|>/-@\\\t\x00é", "  ", "- ", "&a ", "*a", "---\n", "null", "true", "1", "-1", "4095", "1e999", "9" * 400, "\\u0000", "\\ud800", "\r\n", "\ufeff",
    '"type"', '"ipam"', '"plugins"', '"ranges"', '"routes"', '"exclude"', '"addresses"', '"range"', '"subnet"', "10.0.0.0/24", "fd00::/64", "0.0.0.0/0",
    "::ffff:1.2.3.4/120", "::ffff:1.2.3.4", "# lint: allow VLAN_ID x", "[[", "{}", "[]", "[{}]", '""', '"mac"', "kind: List", "items:", "<<: ", "!!binary ", "? ", "0x", ".inf", "~",
]  # fmt: skip


def damaged(chance: random.Random) -> str:
    text = chance.choice(CORPUS)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(text) + 1)
        end = min(len(text), at + chance.randint(1, 30))
        kind = chance.random()
        if kind < 0.3:
            text = text[:at] + chance.choice(TOKENS) + text[at:]
        elif kind < 0.5:
            text = text[:at] + text[end:]
        elif kind < 0.65:
            text = text[:at] + text[at:end] * chance.randint(1, 3) + text[end:]
        elif kind < 0.8:
            other = chance.choice(CORPUS)
            start = chance.randrange(len(other))
            text = text[:at] + other[start : start + chance.randint(1, 60)] + text[at:]
        elif values := list(re.finditer(r'"[^"]*"|\d+|: .*', text)):
            value = chance.choice(values)
            text = text[: value.start()] + chance.choice(TOKENS) + text[value.end() :]
    return text


@settings(
    max_examples=int(os.environ.get("FUZZ_INPUTS", "500")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
@given(st.integers(0, 2**63))
def test_no_damage_is_too_much(seed):
    chance = random.Random(seed)  # noqa: S311  # damage, not secrets
    text = damaged(chance)
    linter = Linter(chance.choice([Facts(), FACTS]))
    linter.add(text, chance.choice(["x.yaml", "x.json", "-"]), sure=chance.random() < 0.3)
    for finding in linter.findings():
        assert finding.line >= 1
        assert finding.column >= 1
        assert finding.message
        assert finding.hint
    with contextlib.suppress(SiteError):
        parse_stack_text(text, source="x")


WRONG = (None, [], [None], [[4]], {}, {"": None}, 4, -1, 1.5, True, "", "x", 10**30)
"""Values of every type for the place of any other."""

JSON = "(the JSON inside)"


def places(data: Data, path: Place = ()) -> Iterator[Place]:
    """Every path of a document, also inside strings of JSON."""
    yield path
    if isinstance(data, dict):
        for key, value in data.items():
            yield from places(value, (*path, key))
    elif isinstance(data, list):
        for i, value in enumerate(data):
            yield from places(value, (*path, i))
    elif isinstance(data, str) and data[:1] in {"{", "["} and (inner := go_json.parse(data)[0]) is not None:
        for rest in places(inner):
            yield (*path, JSON, *rest)


def replaced(data: Data, path: Place, value: Data) -> Data:
    if not path:
        return value
    first, rest = path[0], path[1:]
    if first == JSON:
        return json.dumps(replaced(go_json.parse(str(data))[0], rest, value))
    if isinstance(data, dict):
        return {**data, str(first): replaced(data[str(first)], rest, value)}
    return [replaced(item, rest, value) if i == first else item for i, item in enumerate(data)]  # type: ignore[arg-type,union-attr]


def whole() -> Iterator[Data]:
    for text in dict.fromkeys(CORPUS):
        for document in documents(text):
            with contextlib.suppress(YamlMistakeError):
                yield document.data()


MANIFESTS = [data for data in whole() if data is not None]


def test_a_value_of_any_type_at_any_path():
    """FUZZ_INPUTS of 100,000 or more tries each type at each path; fewer try one type each."""
    thorough = int(os.environ.get("FUZZ_INPUTS", "500")) >= 100_000
    number = 0
    for data in MANIFESTS:
        for path in places(data):
            number += 1
            for value in WRONG if thorough else [WRONG[number % len(WRONG)]]:
                text = json.dumps(replaced(data, path, value))
                linter = Linter(FACTS if number % 2 else Facts())
                linter.add(text, "x.json")
                for finding in linter.findings():
                    assert finding.message, (text, finding)
                    assert finding.hint, (text, finding)


ODD = {
    "nothing": b"",
    "a byte order mark alone": b"\xef\xbb\xbf",
    "UTF-16": "kind: Pod\n".encode("utf-16"),
    "Latin-1": b"name: M\xfcller\n",
    "binary": bytes(range(256)) * 40,
    "zeros": b"\0" * 100,
    "deep JSON": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "deep JSON, closed": b"[" * 50_000 + b"]" * 50_000,
    "deep YAML": b"".join(b" " * i + b"a:\n" for i in range(1000)),
    "deep flow": b"a: " + b"{a: " * 5000,
    "a huge number": b'{"cniVersion": "1.0.0", "type": "vlan", "vlanId": ' + b"9" * 10_000 + b"}",
    "a huge number in YAML": b"kind: Pod\nspec: " + b"9" * 10_000,
    "huge exponents": b'{"cniVersion": "1.0.0", "type": "vlan", "vlanId": 1e999999}',
    "recursion": b"a: &a [*a]\n",
    "aliases without end": b"a: &a [x, x, x, x, x, x, x, x, x]\n"
    + b"".join(b"%c: &%c [%s]\n" % (c + 1, c + 1, b", ".join([b"*%c" % c] * 9)) for c in range(97, 107)),
    "merge keys": b"base: &b {kind: Pod}\n<<: [*b, *b]\nmetadata: {<<: *b, annotations: *b}\n",
    "a merge of text": b"<<: text\nkind: Pod\n",
    "tags": b"!!python/object:os.system {kind: !x Pod, spec: !!binary eA==, metadata: !!set {a, b}}\n",
    "an unknown alias": b"kind: *nobody\n",
    "tabs": b"kind: Pod\n\tmetadata: {}\n",
    "keys of every type": b"{1: 2, null: 3, true: 4, [a]: 5, {b: c}: 6}\n",
    "old line ends": b"kind: Pod\rmetadata:\r  name: x\r",
    "directives": b"%YAML 1.2\n%TAG ! tag:x,2000:\n---\nkind: Pod\n...\n",
    "separators alone": b"---\n---\n...\n---\n",
    "a half character": b'{"kind": "\\ud800", "metadata": {"name": "\\udfff"}}',
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("file", ["x.yaml", "x.json", "x.conf", "Pulumi.x.yaml"])
def test_no_file_is_too_odd(name, file, tmp_path):
    path = tmp_path / file
    path.write_bytes(ODD[name])
    for argument in (path, tmp_path):
        result = CliRunner().invoke(app, ["lint", str(argument)])
        assert result.exit_code in {0, 1, 2}
        assert result.exception is None or isinstance(result.exception, SystemExit)
