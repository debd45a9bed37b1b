"""Comments `# lint: allow RULE reason`: each silences one finding of that rule.

A comment applies to its own line, or to the next line that is not a comment. For findings inside a JSON string, which cannot
contain comments, that is the line of the string's key.
"""

import re
from bisect import bisect_left
from collections import deque
from dataclasses import dataclass

from multus_site.lint.engine import Located
from multus_site.lint.finding import Finding
from multus_site.lint.positions import YamlText
from multus_site.lint.registry import RULES, Problem, Problems, rule

_COMMENT = re.compile(r"(?:^|(?<=\s))#\s*lint:\s*allow\b[ \t]*(\S*)[ \t]*(.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, eq=False)
class Allow:
    """A comment, and the line (`target`) to which it applies."""

    code: str
    reason: str
    line: int
    column: int
    target: int
    path: tuple[str | int, ...] = ()


@rule(
    "ALLOW_COMMENT",
    "warning",
    "text",
    "A `lint: allow` comment without effect",
    example="# lint: allow HOSTLOCAL_MULTINODE",
    source="docs/linter.md",
)
def allow_comment(allow: Allow) -> Problems:
    """The comment must name an existing rule and a reason."""
    if allow.code not in RULES:
        yield Problem(
            (),
            f"unknown rule {allow.code or '(none)'!r}",
            "Write # lint: allow RULE reason. List the rules with: multus-site lint --explain all",
        )
    elif not allow.reason:
        yield Problem((), f"no reason for allowing {allow.code}", f"Write # lint: allow {allow.code} and the reason.")


def allows_in(source: str, texts: list[YamlText]) -> list[Allow]:
    """The comments of a YAML file. `texts` are its documents, to skip text in strings that looks like a comment."""
    if "lint:" not in source:
        return []
    lines = source.split("\n")
    starts = [text.document.lines_before for text in texts]
    allows = []
    for number, line in enumerate(lines, 1):
        match = _COMMENT.search(line)
        if not match:
            continue
        column = match.start() + 1
        document = bisect_left(starts, number) - 1
        if document >= 0 and texts[document].in_string(number, column):
            continue
        alone = line[: match.start()].strip() in {"", "-"}
        target = _next_line(lines, number) if alone else number
        allows.append(Allow(match.group(1), match.group(2), number, column, target))
    return allows


def _next_line(lines: list[str], number: int) -> int:
    for later in range(number, len(lines)):
        if lines[later].strip() and not lines[later].lstrip().startswith("#"):
            return later + 1
    return number


def not_allowed(findings: list[Located], allows: list[Allow]) -> list[Finding]:
    """The findings that no comment silences, sorted."""
    left = sorted(findings, key=lambda located: located.finding)
    valid = [allow for allow in allows if allow.code in RULES and allow.reason]
    if not valid:
        return [located.finding for located in left]
    codes = {allow.code for allow in valid}
    places: dict[tuple[str, int], deque[int]] = {}
    for i, located in enumerate(left):
        if located.finding.rule in codes:
            for line in {located.finding.line, located.holder()}:
                places.setdefault((located.finding.rule, line), deque()).append(i)
    silenced: set[int] = set()
    for allow in valid:
        here = places.get((allow.code, allow.target), deque())
        while here:
            i = here.popleft()
            if i not in silenced:
                silenced.add(i)
                break
    return [located.finding for i, located in enumerate(left) if i not in silenced]
