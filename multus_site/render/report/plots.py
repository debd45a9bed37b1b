"""Plots as SVG: throughput as bars with their spread, stages of an update as a timeline. The page's CSS has the colours."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from multus_site.render.report.content import of_node

REFERENCES = ("node", "pod-network")
_WIDTH, _LEFT, _RIGHT, _BAR, _GAP = 760.0, 190.0, 160.0, 20.0, 8.0


def throughput_plots(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """(title, SVG) for each protocol and number of streams; each direction has its own bars."""
    kinds: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for row in rows:
        kinds.setdefault((str(row["protocol"]), int(row["streams"])), []).append(row)
    return [
        (title, _bars(title, found))
        for (protocol, streams), found in sorted(kinds.items())
        for title in [f"{protocol.upper()}, {streams} stream{'s' if streams > 1 else ''}"]
    ]


def _bars(title: str, rows: Sequence[Mapping[str, Any]]) -> str:
    ordered = sorted(rows, key=lambda r: (r["from"], r["network"] not in REFERENCES, r["network"]))
    most = max(float(r["gbitsPerSecond"]) + float(r["stddev"]) for r in ordered) or 1.0
    scale = (_WIDTH - _LEFT - _RIGHT) / most
    height = (len(ordered) + len({r["from"] for r in ordered})) * (_BAR + _GAP) + 28
    return "\n".join(_bar_lines(title, ordered, most, scale, height))


def _bar_lines(
    title: str, rows: Sequence[Mapping[str, Any]], most: float, scale: float, height: float
) -> Iterator[str]:
    values = "; ".join(f"{_name(r)} from {r['from']} to {r['to']}: {r['gbitsPerSecond']} Gbit/s" for r in rows)
    yield f'<svg class="plot" viewBox="0 0 {_WIDTH:.0f} {height:.0f}" role="img" aria-label="{_attribute(f"{title}. {values}")}">'
    for tick in _ticks(most):
        x = _LEFT + tick * scale
        yield f'<path class="grid" d="M {x:.1f} 0 V {height - 22:.1f}"/>'
        yield f'<text class="tick" x="{x:.1f}" y="{height - 6:.1f}" text-anchor="middle">{tick:g}</text>'
    yield f'<text class="tick" x="{_WIDTH:.1f}" y="{height - 6:.1f}" text-anchor="end">Gbit/s</text>'
    y, direction = 2.0 - _BAR - _GAP, ""
    for row in rows:
        y += _BAR + _GAP
        if row["from"] != direction:
            direction = row["from"]
            way = escape(f"{row['from']} → {row['to']}")
            yield f'<text class="direction" x="{_LEFT:.1f}" y="{y + 15:.1f}">{way}</text>'
            y += _BAR + _GAP
        mean, spread = float(row["gbitsPerSecond"]), float(row["stddev"])
        kind = f"bar {row['network']}" if row["network"] in REFERENCES else "bar network"
        yield f'<text x="{_LEFT - 10:.1f}" y="{y + 14:.1f}" text-anchor="end">{escape(_name(row))}</text>'
        yield f'<rect class="{kind}" x="{_LEFT:.1f}" y="{y:.1f}" width="{max(1, mean * scale):.1f}" height="{_BAR:.0f}" rx="2"/>'
        if spread:
            left, right = _LEFT + max(0, mean - spread) * scale, _LEFT + (mean + spread) * scale
            middle = y + _BAR / 2
            yield f'<path class="spread" d="M {left:.1f} {middle:.1f} H {right:.1f} M {left:.1f} {middle - 4:.1f} v 8 M {right:.1f} {middle - 4:.1f} v 8"/>'
        part = of_node(row) if row["network"] != "node" else ""
        x = _LEFT + (mean + spread) * scale + 8
        yield f'<text class="value" x="{x:.1f}" y="{y + 14:.1f}">{mean:.2f}{f" ({part})" if part else ""}</text>'
    yield "</svg>"


def _name(row: Mapping[str, Any]) -> str:
    return {"node": "bare nodes", "pod-network": "pod network"}.get(str(row["network"]), str(row["network"]))


def _ticks(most: float) -> list[float]:
    """Ticks at round steps, at most seven."""
    step = next(s * 10**power for power in range(-3, 4) for s in (1, 2, 5) if most / (s * 10**power) <= 6)
    return [round(i * step, 6) for i in range(int(most / step) + 1)]


def timeline_plot(timeline: Mapping[str, Any]) -> str:
    """Stages of an update as bars over its seconds."""
    stages, total = timeline["stages"], float(timeline["seconds"]) or 1.0
    scale = (_WIDTH - _LEFT - 70) / total
    height = len(stages) * (_BAR + _GAP) + 28
    values = "; ".join(f"{s['name']} {s['seconds']:.0f} s from second {s['begun']:.0f}" for s in stages)
    lines = [f'<svg class="plot" viewBox="0 0 {_WIDTH:.0f} {height:.0f}" role="img" aria-label="{_attribute(values)}">']
    for tick in _ticks(total):
        x = _LEFT + tick * scale
        lines.append(f'<path class="grid" d="M {x:.1f} 0 V {height - 22:.1f}"/>')
        lines.append(f'<text class="tick" x="{x:.1f}" y="{height - 6:.1f}" text-anchor="middle">{tick:g} s</text>')
    for i, stage in enumerate(stages):
        y, x = i * (_BAR + _GAP) + 2, _LEFT + stage["begun"] * scale
        width = max(2.0, stage["seconds"] * scale)
        lines.append(f'<text x="{_LEFT - 10:.1f}" y="{y + 14:.1f}" text-anchor="end">{escape(stage["name"])}</text>')
        lines.append(
            f'<rect class="bar network" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{_BAR:.0f}" rx="2"/>'
        )
        lines.append(f'<text class="value" x="{x + width + 6:.1f}" y="{y + 14:.1f}">{stage["seconds"]:.1f} s</text>')
    return "\n".join([*lines, "</svg>"])


def _attribute(text: str) -> str:
    return escape(text, {'"': "&quot;"})
