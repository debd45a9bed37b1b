"""Damaged files of every kind: findings with a position, or none, and never an exception.

FUZZ_INPUTS says how many (the figure in docs/measurements.md is of 100,000); each is a file of this folder or a stack file
with a few tokens put in, taken out, repeated or exchanged.
"""

import contextlib
import json
import os
import random
import re
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multus_site.lint.facts import Facts, parse_facts
from multus_site.lint.files import Linter
from multus_site.model.load import SiteError, parse_stack_text

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
