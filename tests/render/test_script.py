"""Scripts for nodes: their variables reach a real shell unharmed."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render import script as rendered


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("node")
    (path / "echo.sh").write_text("printf '%s' \"$VALUE\"\n")
    return path


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=60))
def test_any_value_comes_out_as_it_went_in(folder, value):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendered, "_FOLDER", folder)
        text = rendered.script("echo", {"VALUE": value})
    done = subprocess.run(["sh", "-s"], input=text.encode(), capture_output=True, check=True)
    assert done.stdout.decode() == value


def test_equal_variables_give_equal_text_whatever_their_order():
    one = rendered.script("facts", {"NODE": "node1", "UPLINKS": "ens6"})
    two = rendered.script("facts", {"UPLINKS": "ens6", "NODE": "node1"})
    assert one == two
    assert one.startswith("NODE=node1\nUPLINKS=ens6\n")
