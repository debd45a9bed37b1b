"""Write a review as a comment for a pull request: dangers first, nothing about what stays the same."""

import re
from collections.abc import Iterable, Iterator, Mapping

from multus_site.review.data import Difference, Effect, Level, Network, Review
from multus_site.review.wording import counted, listed

MARK: dict[Level, str] = {"danger": "⛔", "care": "⚠️", "note": "·"}

CALM = "None. Running pods keep running."
CALM_BESIDES = "None besides the dangerous changes above."
UNKNOWN = {
    "new": "Unknown: this stack has no state. `pulumi up` would create everything.",
    "files": "None that the files show. This stack has no state, so what runs is unknown.",
    "compared": "None that the files show. What runs is unknown.",
}
_NO_STATE = {
    "new": "no state, so everything is created",
    "files": "no state, so only files are compared",
    "compared": "only two files are compared",
}

LONGEST = 60_000
"""In characters. GitHub accepts comments of up to 65,536."""


def marker(stack: str) -> str:
    """Return the first line, an HTML comment by which a workflow finds its comment again."""
    return f"<!-- multus-site review of {stack} -->"


def markdown(review: Review) -> str:
    """Return the comment. If it is too long, it loses its diagrams, then its end."""
    text = "\n".join(_lines(review, diagrams=True)) + "\n"
    if len(text) > LONGEST:
        text = "\n".join(_lines(review, diagrams=False)) + "\n"
    if len(text) > LONGEST:
        end = text.rindex("\n", 0, LONGEST)
        text = f"{text[:end]}\n\n*Cut here: too long for a comment. The full review: `multus-site review {review.stack} --format json`.*\n"
    return text


def _lines(review: Review, *, diagrams: bool) -> Iterator[str]:
    yield marker(review.stack)
    yield f"## {_headline(review)}"
    yield ""
    yield f"Before: {_safe(review.base)}. Pulumi: {_counts(review.counts)}."
    yield from _bullets("", (f"ℹ️ {_safe(note)}" for note in review.notes))
    yield from _bullets("❌ Errors", (_safe(error) for error in review.errors))
    yield from _effects("⛔ Dangerous", review.dangers)
    yield from _effects("Expected interruption", review.interruption, otherwise=_calm(review))
    yield from _playbooks(review)
    yield from _effects("Nodes", _besides(review, review.nodes))
    yield from _binaries(review)
    for network in review.networks:
        yield from _network(network)
    yield from _pods(review)
    yield from _effects("Replaced or destroyed", _besides(review, review.destroyed))
    yield from _table("Versions", ("", "before", "after"), (_row(moved) for moved in review.versions))
    yield from _table("Settings", ("", "before", "after"), (_row(moved) for moved in review.settings))
    yield from _findings(review)
    yield from _bullets("Warnings", (_safe(warning) for warning in review.warnings))
    if review.also:
        yield from ("", f"Also: {_safe('; '.join(review.also))}.")
    if diagrams:
        yield from _diagrams(review)
    elif review.diagram_before or review.diagram_after:
        yield from ("", f"The diagrams are too large for a comment: `multus-site diagram {review.stack}`.")


def _besides(review: Review, effects: Iterable[Effect]) -> list[Effect]:
    """Return those that are not among the dangers already."""
    return [effect for effect in effects if effect not in review.dangers]


def _headline(review: Review) -> str:
    stack = _safe(review.stack)
    state = f"; {_NO_STATE.get(review.stateless, _NO_STATE['files'])}" if review.stateless else ""
    if review.failed:
        return f"❌ {stack}: this cannot be applied as it is{state}"
    if review.dangers:
        return f"⛔ {stack}: {counted(len(review.dangers), 'dangerous change')}{state}"
    if state:
        careful = [effect for effect in review.interruption if effect.level != "note"]
        return f"⚠️ {stack}: {counted(len(careful), 'interruption')}{state}" if careful else f"❔ {stack}: {state[2:]}"
    if not any(op != "same" for op in review.counts):
        return f"✅ {stack}: nothing changes"
    careful = [effect for effect in review.interruption if effect.level != "note"]
    return f"⚠️ {stack}: {counted(len(careful), 'interruption')}" if careful else f"✅ {stack}: no interruption"


def _counts(counts: Mapping[str, int]) -> str:
    order = ("create", "update", "replace", "delete", "same")
    keys = [*(key for key in order if key in counts), *(key for key in counts if key not in order)]
    parts = [f"{counts[key]} {'unchanged' if key == 'same' else f'to {key}'}" for key in keys]
    return ", ".join(parts) or "no preview"


def _calm(review: Review) -> str:
    if review.failed:
        return ""
    if review.stateless:
        return UNKNOWN.get(review.stateless, UNKNOWN["files"])
    if not any(op != "same" for op in review.counts):
        return ""
    return CALM_BESIDES if review.dangers else CALM


def _effects(title: str, effects: Iterable[Effect], *, otherwise: str = "") -> Iterator[str]:
    lines = [f"{MARK[s.level]} **{_safe(s.about)}**: {_safe(s.text)}" for s in effects]
    if lines:
        yield from _bullets(title, lines)
    elif otherwise:
        yield from ("", f"### {title}", "", otherwise)


def _bullets(title: str, lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    if not found:
        return
    yield ""
    if title:
        yield from (f"### {title}", "")
    yield from (f"- {line}" for line in found)


def _table(title: str, heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    found = list(rows)
    if not found:
        return
    yield ""
    if title:
        yield from (f"### {title}", "")
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    yield from (f"| {' | '.join(row)} |" for row in found)


def _row(moved: Difference) -> tuple[str, str, str]:
    return _safe(moved.what), _value(moved.old), _value(moved.new)


def _playbooks(review: Review) -> Iterator[str]:
    rows = []
    for i, run in enumerate(review.playbooks, 1):
        hosts = (
            f"{listed(run.limit)} only"
            if run.limit
            else f"{run.node}, from {listed(_others(run.hosts, run.node))}"
            if run.node
            else listed(run.hosts)
        )
        rows.append((f"{i}. `{run.playbook}`", _safe(hosts), _safe(run.reason)))
    yield from _table("Kubespray runs", ("playbook", "hosts", "why"), rows)


def _others(hosts: tuple[str, ...], node: str) -> list[str]:
    return [host for host in hosts if host != node]


def _binaries(review: Review) -> Iterator[str]:
    rows = []
    for one in review.binaries:
        moved = [f"{_safe(m.what)}: {_arrow(m)}" for m in one.plugins]
        rows.append((_safe(listed(one.nodes)), "<br>".join(moved) or "unchanged", _safe(one.why)))
    yield from _table("CNI plugin binaries", ("nodes", "plugins", "why"), rows)


def _arrow(moved: Difference) -> str:
    if moved.old and moved.new:
        return f"{_safe(moved.old)} → {_safe(moved.new)}"
    return f"new, {_safe(moved.new)}" if moved.new else f"removed, was {_safe(moved.old)}"


def _network(network: Network) -> Iterator[str]:
    yield ""
    yield f"### {MARK[network.level]} Network {_safe(network.name)}: {network.change}"
    if network.why:
        yield from ("", f"{_safe(network.why[0].upper() + network.why[1:])}.")
    yield from _table("", ("", "before", "after"), (_row(m) for m in (*network.words, *network.ranges)))
    lines = [f"{_safe(moved.what)}: {_safe(moved.old)} → {_safe(moved.new)}" for moved in network.uplinks]
    if network.lost:
        lines.append(f"Lost: {counted(network.lost_count, 'address')}, {_safe(listed(network.lost))}")
    if network.given:
        lines.append(f"Gained: {counted(network.given_count, 'address')}, {_safe(listed(network.given))}")
    if network.workloads:
        lines.append(f"Workloads: {_safe(listed(network.workloads))}")
    yield from _bullets("", lines)


def _pods(review: Review) -> Iterator[str]:
    names = {"restart": "recreated", "start": "created", "end": "deleted", "scale": "scaled"}
    rows = [
        (f"{MARK[p.level]} {_safe(p.workload)} ({p.kind})", f"{p.pods} {names[p.change]}", _safe(p.how), _safe(p.why))
        for p in review.pods
    ]
    yield from _table("Pods", ("workload", "pods", "how", "why"), rows)


def _findings(review: Review) -> Iterator[str]:
    rows = [
        (
            f"{'❌' if f['level'] == 'error' else '⚠️'} {_place(review, str(f['file']))}line {f['line']}",
            f"`{f['rule']}`",
            _safe(f"{f['path']}: {f['message']}"),
            _safe(str(f["hint"])),
        )
        for f in review.findings
    ]
    yield from _table("Lint", ("", "rule", "finding", "fix"), rows)


def _place(review: Review, file: str) -> str:
    """Return the file of a finding; empty for the stack's own."""
    return "" if file.endswith(f"/Pulumi.{review.stack}.yaml") else f"{_safe(file)} "


def _diagrams(review: Review) -> Iterator[str]:
    for title, text in (("before", review.diagram_before), ("after", review.diagram_after)):
        if text:
            yield from (
                "",
                f"<details><summary>Diagram {title}</summary>",
                "",
                "```mermaid",
                text.rstrip().replace("`", "'"),
                "```",
                "",
                "</details>",
            )


def _value(text: str) -> str:
    return _safe(text) or "–"


_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "\\": "&#92;"}
_SPECIAL = str.maketrans({**_ENTITIES, **{char: f"\\{char}" for char in "*_`[]"}, "@": "@\u200b"})

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
"""Control characters, those that some readers treat as line ends, and marks that change the direction of what follows."""


def _safe(text: str) -> str:
    """Escape text of a site: markup, the ends of table cells, mentions of users."""
    return _CONTROL.sub(" ", text).translate(_SPECIAL)
