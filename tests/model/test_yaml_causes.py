"""What is wrong with a text that is not YAML, at the line of the cause."""

import pytest

from multus_site.model.yaml_documents import YamlMistakeError, documents

TEXTS = {
    "a quote that is never closed": ('a: 1\nb: "x\nc: 2\nd: 3\n', 2, 4, "the quote that opens here is never closed", "close it"),
    "a quote closed lines below": ('a: "b\nc: 1\nd: "e"\n', 1, 4, "closes on another line", "own line"),
    "a bracket never closed": ("a: [1,\nb: 2\n", 1, 4, "the [ that opens here is not closed", "write ]"),
    "a brace closed as a bracket": ("a: {b: [1, 2}}\n", 1, 8, "the [ that opens here is not closed", "write ]"),
    "an inner brace": ("a: {b: {c: 1}\nd: 2\n", 1, 4, "the { that opens here is not closed", "write }"),
    "a missing colon": ("a:\n  name dallas\n  b: 1\n", 2, 3, "no colon after 'name dallas'", "write key: value"),
    "a missing space": ("a:\n  name:dallas\n  b: 1\n", 2, 7, "no space after the colon", "write key: value"),
    "a comment between": ("name dallas\n# why\n\nb: 1\n", 1, 1, "no colon after 'name dallas'", "write key: value"),
    "a value and keys": ("a: x\n  b: 1\n", 2, 3, "as a part of 'a' on line 1, which has a value already", "indent it like 'a'"),
    "two colons": ("a: b: c\n", 1, 5, "a second colon on this line", "in quotes"),
    "a tab": ("a:\n\tb: 1\n", 2, 1, "a tab in the indentation", "indent with spaces"),
    "spaces and a tab": ("a:\n  b: 1\n  \tc: 1\n", 3, 1, "a tab in the indentation", "indent with spaces"),
    "between two levels": ("a:\n  b:\n    c: 1\n   d: 2\n", 4, 4, "indented by 3 spaces", "(0, 2, 4 spaces)"),
    "a key in a list": ("a:\n- x\n- y\nb: 1\n- z\n", 5, 1, "a list entry among the keys", "indent it below its key"),
    "an entry without a dash": ("a:\n  - x\n  b: 1\n", 3, 3, "not an entry of the list that begins on line 2", "begin it with -"),
    "a star": ("a: *\n", 1, 4, "a text cannot begin with *", 'such as "*"'),
    "an at sign": ("a: @b\n", 1, 4, "a text cannot begin with @", 'such as "@"'),
    "an alias to nothing": ("a: *b\n", 1, 4, "*b refers to an anchor that is not there", "in quotes"),
    "an apostrophe": ("a: 'it's'\nb: 1\n", 1, 8, "\"s'\" after the end of a value", "the whole value in quotes"),
    "an escape": ('a: "c:\\dir"\n', 1, 7, "\\d is not an escape in double quotes", "in single quotes"),
    "a list beside its key": ("a: - b\n", 1, 4, "a list begins on the line of its key", "on the next line"),
    "a bracket too many": ("a: ]\n", 1, 4, "a text cannot begin with ]", "in quotes"),
    "a key twice": ("a: 1\nb:\n  c: 1\n  c: 2\n", 4, 3, "the key 'c' is there twice: on line 3 and here", "keep one"),
    "in a second document": ("x: 1\n---\na: 1\nb: 1\na: 2\n", 5, 1, "the key 'a' is there twice: on line 3 and here", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_is_said_where_its_cause_is(name):
    text, line, column, what, right = TEXTS[name]
    with pytest.raises(YamlMistakeError) as caught:
        [document.data() for document in documents(text)]
    found = caught.value
    assert what in found.message
    assert right in found.right
    assert (found.line, found.column) == (line, column)
