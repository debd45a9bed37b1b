"""Comments `# lint: allow RULE reason`: each silences one finding of that rule, in the one place that it stands at.

The place is the comment's own line, or the first line behind it that is no comment. For what is inside a string of JSON,
where no comment can be, the place is the key that the string belongs to.
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
    """One such comment, with the line that it speaks of."""

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
    """It names a rule that exists and says why the finding may stay."""
    if allow.code not in RULES:
        yield Problem(
            (),
            f"there is no rule {allow.code or '(none)'!r}",
            "Write # lint: allow RULE reason; all rules: multus-site lint --explain all",
        )
    elif not allow.reason:
        yield Problem((), f"no reason for allowing {allow.code}", f"Write # lint: allow {allow.code} and why.")


def allows_in(source: str, texts: list[YamlText]) -> list[Allow]:
    """The comments of a YAML file; `texts` are its documents, to tell comments from what looks like one inside a text."""
    if "lint:" not in source:
        return []
    lines = source.split("\n")
    starts = [text.document.lines_before for text in texts]
    found = []
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
        found.append(Allow(match.group(1), match.group(2), number, column, target))
    return found


def _next_line(lines: list[str], number: int) -> int:
    for later in range(number, len(lines)):
        if lines[later].strip() and not lines[later].lstrip().startswith("#"):
            return later + 1
    return number


def not_allowed(found: list[Located], allows: list[Allow]) -> list[Finding]:
    """The findings that no comment silences."""
    left = sorted(found, key=lambda located: located.finding)
    valid = [allow for allow in allows if allow.code in RULES and allow.reason]
    if not valid:
        return [located.finding for located in left]
    codes = {allow.code for allow in valid}
    places: dict[tuple[str, int], deque[int]] = {}
    for i, located in enumerate(left):
        if located.finding.rule in codes:
            for line in {located.finding.line, located.holder()}:
                places.setdefault((located.finding.rule, line), deque()).append(i)
    gone: set[int] = set()
    for allow in valid:
        here = places.get((allow.code, allow.target), deque())
        while here:
            i = here.popleft()
            if i not in gone:
                gone.add(i)
                break
    return [located.finding for i, located in enumerate(left) if i not in gone]
