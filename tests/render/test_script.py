"""Scripts for nodes: their variables reach a real shell unharmed."""

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multus_site.render import script as rendered


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


@pytest.mark.parametrize(
    "file", sorted((Path(__file__).parents[2] / "multus_site" / "scripts").glob("*.sh")), ids=lambda file: file.stem
)
def test_comments_stay_at_home_and_all_else_goes(file):
    """Nothing that a shell would read begins with a hash: not in a here-document, not in a quoted text of several lines."""
    lines = file.read_text().splitlines()
    text = rendered.script(file.stem, {})
    assert text.splitlines() == [line for line in lines if not line.lstrip(" ").startswith("#")]
    here = None
    for line in lines:
        if here is None and (begun := re.search(r"<<-?([A-Z]+)", line)):
            here = begun[1]
        elif here is not None and line.strip() == here:
            here = None
        assert here is None or not line.lstrip().startswith("#")
    shown = [
        subprocess.run(["sh", "-n"], input=form, text=True, capture_output=True, check=False)
        for form in (file.read_text(), text)
    ]
    assert [done.returncode for done in shown] == [0, 0], shown
