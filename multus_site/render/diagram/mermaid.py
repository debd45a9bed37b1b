"""The diagram as a Mermaid flowchart, which code hosting sites draw in pull requests and pages."""

from collections.abc import Iterator

from multus_site.render.diagram.cards import Card, Diagram


def mermaid(diagram: Diagram) -> str:
    """The text between ```mermaid and ```."""
    return "\n".join(_lines(diagram)) + "\n"


def _lines(diagram: Diagram) -> Iterator[str]:
    names = {card.id: f"c{i}" for i, card in enumerate(diagram.cards)}
    yield "flowchart LR"
    yield f"  accTitle: {_plain(diagram.title)}"
    yield f"  accDescr: {_plain(diagram.description)}"
    groups: dict[str, list[Card]] = {}
    for card in diagram.cards:
        groups.setdefault(card.group, []).append(card)
    for i, (group, cards) in enumerate(groups.items()):
        if group:
            yield f'  subgraph g{i}["{_plain(group)}"]'
        for card in cards:
            yield f'  {"  " if group else ""}{names[card.id]}["{_label(card)}"]'
        if group:
            yield "  end"
    rows = {card.id: {row.port: row.text for row in card.rows if row.port} for card in diagram.cards}
    for link in diagram.links:
        text = rows[link.tail[0]].get(link.tail[1]) or rows[link.head[0]].get(link.head[1])
        label = f'|"{_plain(text)}"|' if text else ""
        yield f"  {names[link.tail[0]]} ---{label} {names[link.head[0]]}"


def _label(card: Card) -> str:
    rows = ["  ".join(filter(None, (row.text, row.note, *row.cells))) for row in card.rows if not row.port or row.note]
    head = f"<b>{_plain(card.title)}</b><br/>{_plain(card.subtitle)}"
    return "<br/>".join([head, *map(_plain, rows)])


def _plain(text: str) -> str:
    """Text with Mermaid's special characters escaped (https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters)."""
    return text.replace("#", "#35;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")
