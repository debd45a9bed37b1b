"""What the rules' tests share: a text or a configuration in, the rules that speak out."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from multus_site.lint.facts import Facts, parse_facts
from multus_site.lint.files import Linter
from multus_site.lint.finding import Finding
from multus_site.model.defaults import Defaults

Found = Callable[..., dict[str, str]]


def linted(texts: dict[str, str], facts: Facts | None = None, defaults: Defaults | None = None) -> list[Finding]:
    linter = Linter(facts or Facts())
    for file, text in texts.items():
        linter.add(text, file, defaults=defaults)
    return linter.findings()


@pytest.fixture(scope="session")
def findings():
    """Findings on texts by file name."""
    return linted


@pytest.fixture(scope="session")
def found() -> Found:
    """Rules that speak on a configuration (a dict) or a YAML text, each with its level."""

    def run(subject: object, facts: dict[str, object] | None = None) -> dict[str, str]:
        text = subject if isinstance(subject, str) else json.dumps(subject)
        known = parse_facts(json.dumps(facts), source="facts") if facts else Facts()
        return {
            finding.rule: finding.level
            for finding in linted({"x" if isinstance(subject, str) else "x.json": text}, known)
        }

    return run


@pytest.fixture(scope="session")
def here() -> Path:
    """This folder."""
    return Path(__file__).parent
