"""Runs in the page: lints a text."""

import json

from multus_site.cli import reports
from multus_site.lint.facts import Facts, FactsError, parse_facts
from multus_site.lint.files import Linter
from multus_site.lint.registry import RULES


def lint(text: str, facts: str) -> str:
    """The findings as JSON: {"findings": […], "why": {rule: reason}, "mistake": text of facts that cannot be used}."""
    try:
        known = parse_facts(facts, source="facts") if facts.strip() else Facts()
    except FactsError as error:
        return json.dumps({"findings": [], "why": {}, "mistake": str(error)})
    linter = Linter(known)
    linter.add(text, "input")
    findings = linter.findings()
    why = {finding.rule: " ".join(RULES[finding.rule].why().split()) for finding in findings}
    return json.dumps({"findings": json.loads(reports.as_json(findings)), "why": why, "mistake": ""})
