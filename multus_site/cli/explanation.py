"""The explanations of lint rules, for `lint --explain` and docs/linter.md."""

import textwrap

from multus_site.lint import files
from multus_site.lint.registry import RULES, Rule

LAYERS = {
    "text": "text",
    "configuration": "one configuration or one pod",
    "together": "several objects together",
    "facts": "against facts of the nodes and the cluster",
    "sites": "across sites",
}
"""Layer → what its rules read."""

LINTER = files
"""Imported to register the rules."""


def explained(code: str) -> str:
    """The explanation of a rule, or a list of all rules for `all`. Empty for an unknown rule."""
    if code.lower() == "all":
        return "\n".join(f"{rule.code:30} {rule.level:8} {rule.title}" for _, rule in sorted(RULES.items()))
    rule = RULES.get(code.upper())
    return _explained(rule) if rule else ""


def _explained(rule: Rule) -> str:
    why = textwrap.fill(" ".join(rule.why().split()), 100)
    return "\n".join(
        [
            f"{rule.code} ({rule.level}): {rule.title}",
            "",
            why,
            "",
            "Example:",
            textwrap.indent(rule.example, "    "),
            "",
            f"Reads: {LAYERS[rule.layer]}",
            f"Source: {rule.source}",
            f"To allow it: # multus-site: allow {rule.code} reason",
        ]
    )
