"""The verdict of the linter on each sample: what the test checks, and what `make bench` counts."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from multus_site.lint.facts import Facts, parse_facts
from multus_site.lint.files import Linter
from multus_site.lint.finding import Finding
from tests.lint.published import CASES

SAMPLES = Path(__file__).parent / "samples"
"""Reports and manifests of 2018-2026, written anew; expected.json has the verdict of each, and why.

`?` and `*` are any rule; several are separated by commas. `not`: rules that must not speak."""


class Sample(NamedTuple):
    """A file and the verdict that it deserves."""

    name: str
    text: str
    verdict: str
    rules: frozenset[str]
    silent: frozenset[str]
    facts: Facts


class Verdict(NamedTuple):
    """What the linter says of a sample."""

    sample: Sample
    found: list[Finding]

    @property
    def right(self) -> bool:
        """Whether the verdict is the expected one, with its rule."""
        found = {finding.rule for finding in self.found}
        errors = {finding.rule for finding in self.found if finding.level == "error"}
        if found & self.sample.silent:
            return False
        if self.sample.verdict == "reject":
            return _named(self.sample.rules, errors)
        return not errors and (self.sample.verdict == "accept" or _named(self.sample.rules, found))

    @property
    def accused(self) -> bool:
        """Whether the linter reports an error."""
        return any(finding.level == "error" for finding in self.found)


def _named(expected: frozenset[str], found: set[str]) -> bool:
    return bool(found if expected & {"?", "*"} else found & expected)


def samples() -> Iterator[Sample]:
    """Every sample: the files, and the published facts."""
    for entry in json.loads((SAMPLES / "expected.json").read_text()):
        text = (SAMPLES / entry["file"]).read_text()
        yield _sample(entry["file"], text, entry["verdict"], entry["rule"], entry.get("not", []), entry.get("context"))
    for case in CASES:
        text = case.subject if isinstance(case.subject, str) else json.dumps(case.subject)
        name = f"{case.why}.{'json' if text.startswith('{') else 'yaml'}"
        yield _sample(name, text, case.verdict, case.rule, [], case.context)


def _sample(
    name: str, text: str, verdict: str, rules: str, silent: list[str], context: dict[str, Any] | None
) -> Sample:
    facts = parse_facts(json.dumps(context or {}), source=name)
    expected = frozenset(rule.strip() for rule in rules.split(",")) - {"-", ""}
    return Sample(name, text, verdict, expected, frozenset(silent), facts)


def judged(sample: Sample) -> Verdict:
    """Lint a sample."""
    linter = Linter(sample.facts)
    linter.add(sample.text, sample.name)
    return Verdict(sample, linter.findings())
