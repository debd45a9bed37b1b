"""Allowed findings: the comment `# multus-site: allow RULE reason`, and the annotation `multus-site.io/allow: RULE reason`.

A comment silences one finding of its rule. It applies to its own line, or to the next line that is not a comment. For findings
inside a JSON string, which cannot contain comments, that is the line of the string's key. `# lint: allow` is its older form.

Comments do not survive Helm and Kustomize; annotations do. An annotation silences all findings of its rules in its object, and
has one rule a line.
"""

import re
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from multus_site.lint.engine import Located, Origin
from multus_site.lint.finding import Finding
from multus_site.lint.positions import YamlText
from multus_site.lint.registry import RULES, Problem, Problems, rule
from multus_site.lint.subjects import Manifest, Pod
from multus_site.model.paths import Path

ANNOTATION = "multus-site.io/allow"

_COMMENT = re.compile(r"(?:^|(?<=\s))#\s*(?:multus-site|lint):\s*allow\b[ \t]*(\S*)[ \t]*(.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, eq=False)
class Allow:
    """A comment, and the line (`target`) to which it applies."""

    code: str
    reason: str
    line: int
    column: int
    target: int
    path: Path = ()
    form: str = "# multus-site: allow "


@dataclass(frozen=True, slots=True, eq=False)
class ObjectAllow:
    """A line of an annotation: `path` is the annotation's, `scope` that of its object."""

    code: str
    reason: str
    path: Path
    scope: Path
    origin: Origin
    form: str = f"{ANNOTATION}: "


@rule(
    "ALLOW_COMMENT",
    "warning",
    "text",
    "A comment or annotation that allows nothing",
    example="# multus-site: allow HOSTLOCAL_MULTINODE",
    source="docs/linter.md",
)
def allow_comment(allow: Allow | ObjectAllow) -> Problems:
    """A comment or annotation that allows a finding must name an existing rule and a reason."""
    if allow.code not in RULES:
        yield Problem(
            (),
            f"unknown rule {allow.code or '(none)'!r}",
            f"Write {allow.form}RULE reason. List the rules with: multus-site lint --explain all",
        )
    elif not allow.reason:
        yield Problem((), f"no reason for allowing {allow.code}", f"Write {allow.form}{allow.code} and the reason.")


def allows_in(source: str, texts: list[YamlText]) -> list[Allow]:
    """The comments of a YAML file. `texts` are its documents, to skip text in strings that looks like a comment."""
    if "allow" not in source:
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


def object_allows(subject: object, origin: Origin) -> Iterator[ObjectAllow]:
    """The annotations of a manifest, or of a workload's pod template. A template's apply to the whole workload."""
    place: Path = ("metadata",)
    if isinstance(subject, Manifest):
        metadata = subject.data.get("metadata")
        annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    elif isinstance(subject, Pod) and subject.metadata != ("metadata",):
        annotations, place = subject.annotations, subject.metadata
    else:
        return
    text = annotations.get(ANNOTATION) if isinstance(annotations, dict) else None
    if text is None:
        return
    for line in str(text).strip().splitlines() or [""]:
        code, _, reason = line.strip().partition(" ")
        yield ObjectAllow(
            code, reason.strip(), (*subject.path, *place, "annotations", ANNOTATION), subject.path, origin
        )


def _next_line(lines: list[str], number: int) -> int:
    for later in range(number, len(lines)):
        if lines[later].strip() and not lines[later].lstrip().startswith("#"):
            return later + 1
    return number


def not_allowed(findings: list[Located], allows: list[Allow], annotations: Sequence[ObjectAllow] = ()) -> list[Finding]:
    """The findings of a file that nothing silences, sorted."""
    scopes = {(allow.code, id(allow.origin.text), allow.scope) for allow in annotations if allow.reason}
    left = sorted(
        (located for located in findings if not (scopes and _covered(located, scopes))),
        key=lambda located: located.finding,
    )
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


def _covered(located: Located, scopes: set[tuple[str, int, Path]]) -> bool:
    """Whether an annotation of an object that contains the finding allows it."""
    code, text, path = located.finding.rule, id(located.origin.text), located.path
    return any((code, text, path[:length]) in scopes for length in range(len(path) + 1))
