"""multus-site.toml: what a repository changes about the rules, and the mistakes in it."""

import pytest

from multus_site.lint.settings import SettingsError, parse_settings
from tests.lint.conftest import linted

NETS = {
    "wrong.json": '{"cniVersion": "1.0.0", "name": "n", "type": "macvlan", "master": "eth1", "mode": "l2"}',
    "warns.json": '{"type": "macvlan", "master": "eth1", "ipam": {"type": "dhcp"}}',
}
KEY = 'rules.NADS_OVERLAP = {level = "off", reason = "one pool on purpose"}'


def test_levels_of_a_repository():
    found = linted(NETS)
    rules = {finding.rule: finding.level for finding in found}
    assert len(rules) > 1
    error = next(rule for rule, level in rules.items() if level == "error")
    lowered = parse_settings(f'rules.{error} = {{level = "warning"}}')
    assert {f.rule: f.level for f in lowered.applied(found)} == {**rules, error: "warning"}
    off = parse_settings(f'rules.{error} = {{level = "off", reason = "the switch does it"}}')
    assert {f.rule: f.level for f in off.applied(found)} == {r: level for r, level in rules.items() if r != error}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("paths = [1]", "multus-site.toml: paths.0: Input should be a valid string"),
        ('rules.NADS_OVERLAP = {level = "off"}', 'a rule that is off needs a reason; write {level = "off", reason = "…"}'),
        ('rules.NADS_OVERLAP = {level = "off", reason = " "}', "a rule that is off needs a reason"),
        (KEY.replace("NADS_OVERLAP", "NADS_OVERLP"), "unknown rule 'NADS_OVERLP'; did you mean NADS_OVERLAP?"),
        (KEY.replace("NADS_OVERLAP", "X"), "unknown rule 'X'; list the rules with: multus-site lint --explain all"),
        ("rule = 3", "multus-site.toml: rule: unknown key; the keys are paths, facts, rules"),
        ('rules.NADS_OVERLAP = {lvel = "off"}', "rules.NADS_OVERLAP.lvel: unknown key; the keys are level, reason"),
        ('rules.NADS_OVERLAP = {level = "info"}', "Input should be 'off', 'warning' or 'error'"),
        ("paths = ", "multus-site.toml: not TOML: Invalid value"),
    ],
)  # fmt: skip
def test_mistakes(text, message):
    with pytest.raises(SettingsError) as raised:
        parse_settings(text)
    assert message in str(raised.value)


def test_all_mistakes_at_once():
    with pytest.raises(SettingsError) as raised:
        parse_settings('path = "x"\nfacts = 3\nrules.NO_RULE = {level = "error"}')
    assert len(str(raised.value).splitlines()) == 3
