"""Text of other people in messages: what a terminal would obey is shown as an escape."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multus_site.model.printable import cleaned, first_line, printable, short
from multus_site.ssh.answers import json_object

HOSTILE = [
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x9b31m",
    "\u202egnp.exe",
    "a\nb",
    "a\rb",
    "\x7f",
    "\u2028",
    "\ud800",
    "\u200f",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_terminal_obeys_is_an_escape(text):
    for shown in (printable(text), short(text), first_line(f"x{text}")):
        assert shown.isprintable()
        shown.encode()


@given(st.text())
def test_lines_stay_where_they_may(text):
    shown = printable(text, lines=True)
    assert all(c.isprintable() or c in "\n\t" for c in shown)
    assert shown.count("\n") == text.count("\n")


def test_plain_text_stays_as_it_is():
    text = "Zürich ⛔ node1: 10.1.1.5 'x' \\n"
    assert printable(text) == short(text) == cleaned(text) == text


def test_answers_of_programs_are_printable_all_the_way_down():
    said = {"a\x1b": ["\x9b1m", {"b": "\u202e"}], "n": 1, "none": None, "lines": "a\nb"}
    found = json_object(json.dumps(said), "it")
    assert found == {"a\\x1b": ["\\x9b1m", {"b": "\\u202e"}], "n": 1, "none": None, "lines": "a\nb"}
