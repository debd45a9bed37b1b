"""Findings as text, JSON, SARIF, GitHub workflow commands and GitLab Code Quality."""

import hashlib
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from multus_site.lint.checked import Checked
from multus_site.lint.finding import Finding
from multus_site.lint.registry import RULES
from multus_site.model.printable import printable


def text(findings: list[Finding], checked: Checked | None = None) -> str:
    """For each finding: place, message and fix; for each rule once: the reason. What was checked, and counts, at the end."""
    parts = []
    told: set[str] = set()
    for f in findings:
        # What is linted may be somebody else's: a line end in it would begin a line of its own, which a CI system may obey.
        place = printable(f"{f.file}:{f.line}:{f.column}")
        path = printable(f" {f.path}:" if f.path else "")
        message, hint = printable(f.message), printable(f.hint)
        why = "" if f.rule in told else f"    why: {' '.join(RULES[f.rule].why().split())}\n"
        told.add(f.rule)
        parts.append(f"{place}: {f.level}:{path} {message} ({f.rule})\n{why}    do:  {hint}\n")
    errors = sum(f.level == "error" for f in findings)
    warnings = len(findings) - errors
    where = f" in {checked}" if checked and checked.total else ""
    remarks = "".join(f"{printable(line)}\n" for line in checked.remarks()) if checked else ""
    if not findings:
        return f"nothing {'found' if where or not checked else 'was checked'}{where}\n{remarks}"
    counts = f"{errors} error{'s' * (errors != 1)}, {warnings} warning{'s' * (warnings != 1)}"
    return "\n".join(parts) + f"\n{counts}{where}. More about a rule: multus-site lint --explain RULE\n{remarks}"


def as_json(findings: list[Finding]) -> str:
    """A list of objects."""
    return json.dumps([finding.data() for finding in findings], indent=2, ensure_ascii=False) + "\n"


def sarif(findings: list[Finding]) -> str:
    """SARIF 2.1.0, which code scanning services read."""
    codes = sorted({finding.rule for finding in findings})
    rules = [_sarif_rule(code) for code in codes]
    results = [_sarif_result(finding, codes.index(finding.rule)) for finding in findings]
    driver = {"name": "multus-site lint", "informationUri": "https://www.cni.dev", "rules": rules}
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def github(findings: list[Finding]) -> str:
    """Workflow commands, which GitHub shows at the line of a pull request."""
    lines = []
    for f in findings:
        where = f"file={_property(f.file)},line={f.line},col={f.column},title={_property(f.rule)}"
        path = f"{f.path}: " if f.path else ""
        lines.append(f"::{f.level} {where}::{_data(f'{path}{f.message}. {f.hint}')}\n")
    return "".join(lines)


def gitlab(findings: list[Finding]) -> str:
    """A Code Quality report, which GitLab shows at the line of a merge request."""
    rows = []
    for f in findings:
        path = f"{f.path}: " if f.path else ""
        # Without the line: a finding that moves is not a new one.
        told = "\0".join((f.file, str(f.document), f.path, f.rule, f.message))
        rows.append(
            {
                "description": f"{path}{f.message}. {f.hint}",
                "check_name": f.rule,
                "fingerprint": hashlib.sha256(told.encode()).hexdigest(),
                "severity": "major" if f.level == "error" else "minor",
                "location": {"path": f.file, "lines": {"begin": max(f.line, 1)}},
            }
        )
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


REPORTS: dict[str, Callable[[list[Finding]], str]] = {
    "text": text,
    "json": as_json,
    "sarif": sarif,
    "github": github,
    "gitlab": gitlab,
}
"""Format → report."""


def _sarif_rule(code: str) -> dict[str, Any]:
    rule = RULES[code]
    return {
        "id": code,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why()},
        "defaultConfiguration": {"level": rule.level},
    }


def _sarif_result(finding: Finding, index: int) -> dict[str, Any]:
    region = {"startLine": max(finding.line, 1), "startColumn": max(finding.column, 1)}
    place = {
        "physicalLocation": {"artifactLocation": {"uri": quote(finding.file.replace("\\", "/"))}, "region": region}
    }
    if finding.path:
        place["logicalLocations"] = [{"fullyQualifiedName": finding.path}]  # type: ignore[assignment]  # a list beside an object
    message = f"{finding.message}. {finding.hint}"
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.level,
        "message": {"text": message},
        "locations": [place],
    }


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")
