"""Which text the places of a site's mistakes are told in."""

import pytest

from components.load_config import text_of

STACK = """\
config:
  multus-site:site:
    name: dallas
    kubespray: {variables: {port: 6443, secret: {secure: v1:abc}}}
    nodes: [a, b]
"""
READ = {"name": "dallas", "kubespray": {"variables": {"port": 6443, "secret": "x"}}, "nodes": ["a", "b"]}


@pytest.mark.parametrize(
    ("read", "same"),
    [
        (READ, True),
        ({**READ, "name": "austin"}, False),
        ({**READ, "nodes": ["a"]}, False),
        ({**READ, "nodes": ["b", "a"]}, False),
        ({**READ, "more": 1}, False),
        (None, False),
    ],
)
def test_the_stack_file_where_pulumi_has_read_it(read, same, tmp_path):
    file = tmp_path / "Pulumi.dallas.yaml"
    file.write_text(STACK)
    assert text_of(str(file), read) == (STACK if same else None)


@pytest.mark.parametrize("content", [None, b"config: [", b"\xff\xfe", b""])
def test_no_text_where_there_is_none(content, tmp_path):
    file = tmp_path / "Pulumi.dallas.yaml"
    if content is not None:
        file.write_bytes(content)
    assert text_of(str(file), READ) is None
