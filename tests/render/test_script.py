"""Scripts for nodes: variables reach a real shell unharmed, comments are taken out, and files that are included come along."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multus_site import scripts
from multus_site.render import script as rendered


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Writes scripts, which are rendered instead of the package's."""
    monkeypatch.setattr(scripts, "FOLDER", tmp_path)

    def write(**texts):
        for name, text in texts.items():
            (tmp_path / f"{name}.sh").write_text(text)

    return write


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=60))
def test_any_value_comes_out_as_it_went_in(tmp_path_factory, value):
    folder = tmp_path_factory.mktemp("scripts")
    (folder / "echo.sh").write_text("printf '%s' \"$VALUE\"\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scripts, "FOLDER", folder)
        text = rendered.script("echo", {"VALUE": value})
    done = subprocess.run(["sh", "-s"], input=text.encode(), capture_output=True, check=True)
    assert done.stdout.decode() == value


def test_equal_variables_give_equal_text_whatever_their_order():
    one = rendered.script("facts", {"NODE": "node1", "UPLINKS": "ens6"})
    two = rendered.script("facts", {"UPLINKS": "ens6", "NODE": "node1"})
    assert one == two
    assert one.startswith("NODE=node1\nUPLINKS=ens6\n")


DATA = """# The job.
set -eu # it's a job
count() { echo "$# ${1#a}"; } # "
cat <<EOF
# $(uname) wrote this
    # and this
EOF
    # A comment.
printf '%s\\n' 'one
# two' "three \\"
# four" \\# five
cat <<-'END'
# six "
\tEND
# Another comment.
count abc
"""
COMMENTS = {"# The job.", "    # A comment.", "# Another comment."}


def test_only_comments_are_taken_out(files):
    files(job=DATA)
    text = rendered.script("job", {})
    assert text.splitlines() == [line for line in DATA.splitlines() if line not in COMMENTS]
    outputs = [
        subprocess.run(["sh", "-s"], input=form, text=True, capture_output=True, check=True).stdout
        for form in (DATA, text)
    ]
    assert outputs[0] == outputs[1]
    assert "# two" in outputs[0]


def test_files_are_included_where_they_are_needed(files):
    files(
        job="# include: always\n# include: sometimes if WANTED\necho $WANTED\n",
        always="# A part.\nwho() { hostname; }\n",
        sometimes="# include: deeper\nsomeone\n",
        deeper="someone() { :; }\n",
    )
    assert rendered.script("job", {"WANTED": ""}) == "WANTED=''\nwho() { hostname; }\necho $WANTED\n"
    assert rendered.script("job", {"WANTED": "1"}) == (
        "WANTED=1\nwho() { hostname; }\nsomeone() { :; }\nsomeone\necho $WANTED\n"
    )


@pytest.mark.parametrize("file", sorted(scripts.FOLDER.glob("*.sh")), ids=lambda file: file.stem)
def test_no_script_loses_more_than_comments(file):
    """Every line of ours that begins with a hash is a comment; the shell takes both forms."""
    text = rendered.script(file.stem, {})
    assert not [line for line in text.splitlines() if line.lstrip().startswith("#")]
    shown = [
        subprocess.run(["sh", "-n"], input=form, text=True, capture_output=True, check=False)
        for form in (file.read_text(), text)
    ]
    assert [done.returncode for done in shown] == [0, 0], shown
