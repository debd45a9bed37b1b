"""The text of every rule's findings, word for word: what a person reads.

`errors/RULE.yaml` with `RULE.facts.json` and `RULE.other.yaml` where a rule needs them, and what lint prints in `RULE.txt`.
To accept new words: UPDATE_GOLDEN=1 pytest tests/rules/test_errors.py, then read the diff.
"""

import os
from pathlib import Path

import pytest

from cli.explanation import explained
from cli.reports import text as report
from rules.facts import Facts, parse_facts
from rules.registry import RULES

ERRORS = Path(__file__).parent / "errors"


@pytest.mark.parametrize("code", sorted(RULES))
def test_reads_as_written(code, findings):
    base = ERRORS / code.lower()
    files = [base.with_suffix(".yaml"), *ERRORS.glob(f"{code.lower()}.other.yaml")]
    facts_file = base.with_suffix(".facts.json")
    facts = parse_facts(facts_file.read_text(), source=facts_file.name) if facts_file.exists() else Facts()
    found = findings({file.name: file.read_text() for file in files}, facts)
    assert code in {finding.rule for finding in found}
    printed = report(found)
    golden = base.with_suffix(".txt")
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(printed)
    assert printed == golden.read_text()


def test_every_file_belongs_to_a_rule():
    assert {file.name.partition(".")[0].upper() for file in ERRORS.iterdir()} == set(RULES)


@pytest.mark.parametrize("code", sorted(RULES))
def test_explains_itself(code):
    text = explained(code)
    assert RULES[code].why()
    assert RULES[code].source in text
    assert RULES[code].example.splitlines()[0] in text


def test_lists_all_rules():
    assert [line.split()[0] for line in explained("all").splitlines()] == sorted(RULES)
