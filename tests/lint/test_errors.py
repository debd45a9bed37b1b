"""The text of every finding, word for word.

`errors/RULE.yaml`, and `errors/RULE.WORD.yaml` for its other messages, each with `.facts.json`, `.other.yaml` and `.defaults.yaml` where it
needs them, and what lint prints in `.txt`. To accept new text: UPDATE_GOLDEN=1 pytest tests/lint/test_errors.py, then read the diff.
"""

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from multus_site.cli.explanation import explained
from multus_site.cli.reports import text as report
from multus_site.cni.key_types import WORDS
from multus_site.lint.facts import Facts, parse_facts
from multus_site.lint.registry import RULES
from multus_site.model.defaults import Defaults

ROOT = Path(__file__).parents[2]
ERRORS = Path(__file__).parent / "errors"
CASES = sorted(file.stem for file in ERRORS.glob("*.yaml") if not file.stem.endswith((".other", ".defaults")))

NAMED = {"site_name.yaml": "Pulumi.dallas.yaml"}
"""Files whose name in messages is another: the rule reads the name."""

SPEAKING = sorted(
    module for folder in ("cni", "lint", "model") for module in (ROOT / "multus_site" / folder).rglob("*.py")
)
"""Modules whose texts reach people as findings."""

ELSEWHERE = {
    "cannot be read": "files that cannot be opened, and what PyYAML itself fails on: tests/model/test_load.py",
    "put a file of YAML there": "the same",
    "is not UTF-8": "the same: tests/model/test_defaults.py",
    "save the file as UTF-8": "the same",
    "no site, network or pod in it": "what a run checked is no finding: tests/cli/test_lint.py",
    "nothing was checked": "likewise",
    "of kinds without networks or pods": "likewise",
    "a rule that is off needs a reason": "settings are no finding: tests/lint/test_settings.py",
    'write {level = "off", reason = "…"}': "likewise",
    'write {level = "off", "warning" or "error", reason = "…"}': "likewise",
    "the network-status annotation is no JSON list of at most": "no finding of the linter: tests/contract/test_repair.py",
    "the facts are": "facts that cannot be used are no finding: tests/lint/test_facts.py",
    "unknown fact": "likewise",
    "the configuration is nested more than": "such YAML cannot be read: tests/model/test_types.py",
    "levels deep": "likewise",
    "Value error,": "how pydantic begins a message, taken away",
    "write one such as 10.233.64.0/18": "likewise",
    "is neither an address nor a network": "likewise",
    "write one such as 10.1.1.5 or 10.1.1.0/24": "likewise",
    ", the catalogue of artifacts that the site names, cannot be read": "of the catalogue: tests/graph/test_reading.py",
    "not UTF-8 text": "likewise",
    "the catalogue has no CNI plugin": "likewise: tests/render/test_cni_plugins.py",
    "its releases": "likewise",
    ". Take one of them, or say where the plugin comes from": "likewise",
    "cniPlugins.binaries or cniPlugins.source": "likewise",
    r"\\(?:[ntr \t]|\r?\n)": "a pattern",
    "write sha256": "of the catalogue, which is no site: tests/model/test_load.py",
    "is not a digest": "of the catalogue, which is no site: tests/model/test_load.py",
    "and 64 digits (0-9, a-f)": "likewise",
    "all CPUs": "what machines are made of, for previews and reviews: tests/review",
    "MiB of": "likewise",
    "MiB of memory": "likewise",
    "in huge pages of": "likewise",
    "of NUMA node": "likewise",
    "GiB of disk": "likewise",
    "is not a SHA-256 sum": "likewise",
    "write the 64 digits (0-9, a-f) that sha256sum FILE prints": "likewise",
}
"""Texts of those modules that no finding has, each with the reason."""


@pytest.mark.parametrize("case", CASES)
def test_reads_as_written(case, findings):
    base = ERRORS / case
    files = [ERRORS / f"{case}.yaml", *ERRORS.glob(f"{case}.other.yaml")]
    facts_file = ERRORS / f"{case}.facts.json"
    facts = parse_facts(facts_file.read_text(), source=facts_file.name) if facts_file.exists() else Facts()
    under = ERRORS / f"{case}.defaults.yaml"
    defaults = Defaults(under.name, under.read_text()) if under.exists() else None
    found = findings({NAMED.get(file.name, file.name): file.read_text() for file in files}, facts, defaults)
    assert case.partition(".")[0].upper() in {finding.rule for finding in found}
    assert [finding.message for finding in found if not re.search(r"\w", finding.hint)] == []
    printed = report(found)
    golden = base.parent / f"{case}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(printed)
    assert printed == golden.read_text()


def test_every_rule_has_its_file_and_every_file_its_rule():
    assert {case.partition(".")[0].upper() for case in CASES} == set(RULES)
    known = {
        f"{case}{end}" for case in CASES for end in (".yaml", ".txt", ".facts.json", ".other.yaml", ".defaults.yaml")
    }
    assert {file.name for file in ERRORS.iterdir()} <= known


def texts_of(source: str) -> Iterator[str]:
    """The pieces of text with a space in them that a module's functions and calls of `Matching` contain, except docstrings and comparisons.

    A site's mistakes are split where they are printed: the path before a colon, what would be right behind a semicolon.
    """
    tree = ast.parse(source)
    compared = {id(part) for node in ast.walk(tree) if isinstance(node, ast.Compare) for part in ast.walk(node)}
    for node in ast.walk(tree):
        is_pattern = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Matching"
        for statement in node.body if isinstance(node, ast.FunctionDef) else node.args[1:] if is_pattern else ():
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                continue
            for part in ast.walk(statement):
                if isinstance(part, ast.Constant) and isinstance(part.value, str) and id(part) not in compared:
                    for piece in re.split(r"[;:](?:\s|$)", " ".join(part.value.split())):
                        if re.search(r"[a-z].* .*[a-z]", piece.strip()):
                            yield piece.strip()


@pytest.mark.parametrize("module", SPEAKING, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_message_is_missing(module):
    printed = " ".join(" ".join(file.read_text() for file in ERRORS.glob("*.txt")).split()).lower()
    missing = {piece for piece in texts_of(module.read_text()) if piece.lower() not in printed}
    assert missing - set(ELSEWHERE) == set()


def test_no_type_is_missing():
    printed = " ".join(file.read_text() for file in ERRORS.glob("*.txt"))
    assert [words for words in WORDS.values() if f"Write {words}." not in printed] == []


def test_what_is_elsewhere_is_still_said():
    said = {piece for module in SPEAKING for piece in texts_of(module.read_text())}
    assert set(ELSEWHERE) <= said


@pytest.mark.parametrize("code", sorted(RULES))
def test_explains_itself(code):
    text = explained(code)
    assert RULES[code].why()
    assert RULES[code].source in text
    assert RULES[code].example.splitlines()[0] in text


def test_lists_all_rules():
    assert [line.split()[0] for line in explained("all").splitlines()] == sorted(RULES)
