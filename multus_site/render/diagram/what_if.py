"""A site before and after a change in one picture, one above the other, with a word on each card that differs."""

from dataclasses import replace

from multus_site.render.diagram.cards import Diagram
from multus_site.render.diagram.svg import measured


def what_if(before: Diagram, after: Diagram, theme: str | None = None) -> str:
    """The SVG document. `theme`: light or dark; None follows the reader's settings."""
    old, new = _content(before), _content(after)
    pictures = [
        _marked(before, "Before", {key: "changes" if key in new else "removed" for key in _other(old, new)}),
        _marked(after, "After", {key: "changed" if key in old else "new" for key in _other(new, old)}),
    ]
    inner, top, width = [], 0, 0.0
    for number, picture in enumerate(pictures):
        text, wide, high = measured(picture, theme)
        text = text.replace('"diagram-title', f'"diagram-title{number}').replace(
            "diagram-text", f"diagram-text{number}"
        )
        inner.append(text.replace("<svg ", f'<svg y="{top}" ', 1))
        top, width = top + round(high), max(width, wide)
    colours = '<rect class="paper" width="100%" height="100%"/>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" class="diagram" viewBox="0 0 {width:.0f} {top}" '
    return f'{head}width="{width:.0f}" height="{top}">\n{colours}\n{"".join(inner)}</svg>\n'


def _content(picture: Diagram) -> dict[str, object]:
    """Card → what it says, and what it is attached to; its colour does not count."""
    return {
        card.id: (replace(card, colour=None), {link.tail[0] for link in picture.links if link.head[0] == card.id})
        for card in picture.cards
    }


def _other(own: dict[str, object], theirs: dict[str, object]) -> list[str]:
    """The cards that the other picture lacks or shows otherwise."""
    return [key for key in own if own[key] != theirs.get(key)]


def _marked(picture: Diagram, when: str, words: dict[str, str]) -> Diagram:
    """The picture with a word on each of some cards."""
    cards = tuple(
        replace(card, subtitle=f"{card.subtitle} · {words[card.id]}" if card.subtitle else words[card.id])
        if card.id in words
        else card
        for card in picture.cards
    )
    return replace(picture, title=f"{when}: {picture.title[0].lower()}{picture.title[1:]}", cards=cards)
