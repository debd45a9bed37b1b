"""The diagram as SVG with a light and a dark theme, and as PNG with one of them."""

from collections.abc import Iterator
from importlib.resources import files
from xml.sax.saxutils import escape, quoteattr

from multus_site.render.diagram.cards import Card, Diagram, Row
from multus_site.render.diagram.layout import FONT, PADDING, TITLE_FONT, Box, Layout, Point, place

_MARGIN = 16.0
_HEAD = 48.0

_LIGHT = {
    "paper": "#ffffff", "card": "#ffffff", "edge": "#c3cad3", "text": "#1b2430", "dim": "#57606e", "frame": "#f2f4f7",
    "head": "#eef1f5",
}  # fmt: skip
_DARK = {
    "paper": "#11161d", "card": "#1a212b", "edge": "#46515f", "text": "#e8edf3", "dim": "#a3aebb", "frame": "#161c25",
    "head": "#242d39",
}  # fmt: skip
_SEGMENTS_LIGHT = ("#0b5cad", "#b14400", "#19703a", "#7a3fb5", "#b0246b", "#0b7285", "#7a5b00", "#4a5568")
_SEGMENTS_DARK = ("#6cb1ff", "#ffa057", "#5fd08a", "#c79bff", "#ff8cc0", "#4fd0e3", "#e0bf4a", "#b3bfcc")
_DASHES = ("", "7 3", "2 3", "9 3 2 3")
"""Colours repeat after eight segments, with another dash."""

SANS = "Roboto, 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif"


def svg(diagram: Diagram, theme: str | None = None) -> str:
    """The SVG document. `theme`: light or dark; None follows the reader's settings."""
    return measured(diagram, theme)[0]


def measured(diagram: Diagram, theme: str | None) -> tuple[str, float, float]:
    """The SVG document, its width and its height."""
    layout = place(diagram)
    width, height = layout.width + 2 * _MARGIN, layout.height + 2 * _MARGIN + _HEAD
    return "\n".join(_document(diagram, layout, _style(diagram, theme), width, height)) + "\n", width, height


def png(document: str, zoom: int = 2) -> bytes:
    """The PNG image of an SVG document with one theme, `zoom` pixels per point, with an installed font so that it looks the same everywhere."""
    import resvg_py  # an extra

    folder = files("font_roboto") / "files"
    faces = [str(folder / f"Roboto-{face}.ttf") for face in ("Regular", "Medium", "Bold")]
    picture = resvg_py.svg_to_bytes(
        svg_string=document,
        zoom=zoom,
        skip_system_fonts=True,
        font_files=faces,
        font_family="Roboto",
        sans_serif_family="Roboto",
    )
    return bytes(picture)


def _style(diagram: Diagram, theme: str | None) -> str:
    numbers = sorted({c.colour for c in diagram.cards if c.colour is not None})
    light, dark = _rules(_LIGHT, _SEGMENTS_LIGHT, numbers), _rules(_DARK, _SEGMENTS_DARK, numbers)
    common = (
        f".diagram text {{ font-family: {SANS}; font-size: {FONT:g}px }} "
        f".diagram .title {{ font-size: {TITLE_FONT:g}px; font-weight: 500 }} .diagram .sub {{ font-size: 11px }} "
        ".diagram .name { font-size: 18px; font-weight: 500 } .diagram .link { fill: none; stroke-width: 2 }"
    )
    if theme == "light":
        return f"{common}\n{light}"
    if theme == "dark":
        return f"{common}\n{dark}"
    return f"{common}\n{light}\n@media (prefers-color-scheme: dark) {{ {dark} }}\n@media print {{ {light} }}"


def _rules(colours: dict[str, str], segments: tuple[str, ...], numbers: list[int]) -> str:
    rules = [
        f".diagram .paper {{ fill: {colours['paper']} }}",
        f".diagram .card {{ fill: {colours['card']}; stroke: {colours['edge']} }}",
        f".diagram .head {{ fill: {colours['head']} }}",
        f".diagram .frame {{ fill: {colours['frame']}; stroke: {colours['edge']}; stroke-dasharray: 4 3 }}",
        f".diagram text {{ fill: {colours['text']} }}",
        f".diagram .sub, .diagram .note, .diagram .column {{ fill: {colours['dim']} }}",
        f".diagram .rule {{ stroke: {colours['edge']}; stroke-width: .6 }}",
        f".diagram .link {{ stroke: {colours['dim']} }}",
    ]
    for number in numbers:
        colour = segments[number % len(segments)]
        rules += [
            f".diagram .link.s{number}, .diagram .card.s{number} {{ stroke: {colour} }}",
            f".diagram .bar.s{number} {{ fill: {colour} }}",
        ]
    return " ".join(rules)


def _document(diagram: Diagram, layout: Layout, style: str, width: float, height: float) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="diagram" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img" aria-labelledby="diagram-title diagram-text">'
    )
    yield f'<title id="diagram-title">{escape(diagram.title)}</title>'
    yield f'<desc id="diagram-text">{escape(diagram.description)} {escape(" ".join(link.label + "." for link in diagram.links))}</desc>'
    yield f"<style>{style}</style>"
    yield f'<rect class="paper" width="{width:.0f}" height="{height:.0f}"/>'
    yield f'<text class="name" x="{_MARGIN:g}" y="28">{escape(diagram.title)}</text>'
    yield f'<text class="sub" x="{_MARGIN:g}" y="45">{escape(diagram.description)}</text>'
    yield f'<g transform="translate({_MARGIN:g} {_MARGIN + _HEAD:g})">'
    for title, box in layout.groups.items():
        yield f'<rect class="frame" {_at(box)} rx="10"/>'
        yield _text(box.x + 12, box.y + 17, title, "sub")
    for link, curve in zip(diagram.links, layout.curves, strict=True):
        number = link.colour
        dash = _DASHES[(number or 0) // len(_SEGMENTS_LIGHT) % len(_DASHES)]
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        kind = "link" if number is None else f"link s{number}"
        yield f'<path class="{kind}"{dashed} d="{_path(curve)}"><title>{escape(link.label)}</title></path>'
    for card in diagram.cards:
        yield from _card(card, layout.cards[card.id])
    yield "</g>"
    yield "</svg>"


def _card(card: Card, box: Box) -> Iterator[str]:
    line = box.height / (2 + len(card.rows))
    colour = "" if card.colour is None else f" s{card.colour}"
    yield f"<g><title>{escape(card.title)}</title>"
    yield f'<rect class="card{colour}" {_at(box)} rx="6"/>'
    x, y, right, bottom = box.x, box.y, box.x + box.width, box.y + (box.height if not card.rows else 2 * line)
    # The head has round corners at the top and square ones at the bottom.
    below = (
        f"V {bottom:.1f} H {x + 0.5:.1f}"
        if card.rows
        else f"V {bottom - 6:.1f} a 6 6 0 0 1 -6 5.5 H {x + 6:.1f} a 6 6 0 0 1 -5.5 -6"
    )
    yield (
        f'<path class="head" d="M {x + 0.5:.1f} {y + 6:.1f} a 5.5 5.5 0 0 1 5.5 -5.5 H {right - 6:.1f} '
        f'a 5.5 5.5 0 0 1 5.5 5.5 {below} Z"/>'
    )
    if card.colour is not None:
        yield f'<rect class="bar{colour}" x="{x:.1f}" y="{y + 6:.1f}" width="4" height="{2 * line - 12:.1f}" rx="2"/>'
    yield _text(x + PADDING, y + line * 0.85, card.title, "title")
    yield _text(x + PADDING, y + line * 1.65, card.subtitle, "sub")
    for i, row in enumerate(card.rows):
        top = y + (2 + i) * line
        yield f'<path class="rule" d="M {x:.1f} {top:.1f} H {right:.1f}"/>'
        yield from _row(row, x, right, top + line * 0.68)
    yield "</g>"


def _row(row: Row, left: float, right: float, baseline: float) -> Iterator[str]:
    if row.cells:
        each = (right - left - 2 * PADDING) / max(len(row.cells), 2)
        for i, cell in enumerate(row.cells):
            yield _text(left + PADDING + i * each, baseline, cell)
        return
    yield _text(left + PADDING, baseline, row.text)
    if row.note:
        yield _text(right - PADDING, baseline, row.note, "note", end=True)


def _text(x: float, y: float, text: str, kind: str = "", *, end: bool = False) -> str:
    attributes = (f" class={quoteattr(kind)}" if kind else "") + (' text-anchor="end"' if end else "")
    return f'<text x="{x:.1f}" y="{y:.1f}"{attributes} xml:space="preserve">{escape(text)}</text>'


def _at(box: Box) -> str:
    return f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'


def _path(curve: tuple[Point, ...]) -> str:
    (x, y), *rest = curve
    return f"M {x:.1f} {y:.1f} C " + " ".join(f"{px:.1f} {py:.1f}" for px, py in rest)
