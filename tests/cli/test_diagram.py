"""`multus-site diagram`, as people call it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from multus_site.__main__ import app


def call(*arguments):
    return CliRunner().invoke(app, ["diagram", *arguments])


@pytest.mark.parametrize(
    ("form", "begin"), [("svg", "<svg "), ("mermaid", "flowchart LR\n"), ("dot", "digraph site {\n")]
)
def test_each_form_goes_to_standard_output(form, begin):
    done = call("lab", "--format", form)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(begin)
    assert "macvlan-external" in done.stdout


def test_a_file_is_written(tmp_path):
    for name in ("site.svg", "site.png"):
        done = call("stacks/Pulumi.lab.yaml", "--format", name[-3:], "--out", str(tmp_path / name))
        assert done.exit_code == 0, done.output
        assert done.stdout == f"{tmp_path / name} written: {name[-3:].upper()}, the network of lab\n"
        assert (tmp_path / name).stat().st_size > 5000


def test_a_site_that_is_not_there_names_those_that_are():
    done = call("dalas")
    assert done.exit_code == 2
    assert (
        done.stderr.strip()
        == "stacks/Pulumi.dalas.yaml does not exist; sites of this project: lab. Name one of them, or a stack file"
    )


def test_a_broken_site_is_told_with_every_mistake(tmp_path):
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text("config:\n  multus-site:site:\n    name: X\n    nodes: {backend: existing, hosts: {}}\n")
    done = call(str(file))
    assert done.exit_code == 2
    assert f"{file}:3: name:" in done.stderr
    assert f"{file}:4: nodes.hosts:" in done.stderr


def test_a_folder_that_is_not_there_is_a_usage_error(tmp_path):
    done = call("lab", "--out", str(tmp_path / "no" / "x.svg"))
    assert done.exit_code == 2
    assert "cannot be written" in done.stderr


@pytest.mark.parametrize(
    ("name", "begin"),
    [("d.png", b"\x89PNG"), ("d.SVG", b"<svg"), ("d.mmd", b"flowchart"), ("d.dot", b"digraph"), ("d", b"<svg")],
)
def test_the_ending_of_a_file_is_its_format(name, begin, tmp_path):
    done = call("stacks/Pulumi.lab.yaml", "-o", str(tmp_path / name))
    assert done.exit_code == 0, done.output
    assert (tmp_path / name).read_bytes().lstrip().startswith(begin)


def test_an_ending_of_no_picture_is_a_usage_error(tmp_path):
    done = call("stacks/Pulumi.lab.yaml", "-o", str(tmp_path / "d.jpg"))
    assert done.exit_code == 2
    assert "use one of .svg, .png" in done.output
    assert not (tmp_path / "d.jpg").exists()


def test_before_and_after_are_one_picture(tmp_path):
    changed = tmp_path / "Pulumi.lab.yaml"
    changed.write_text(Path("stacks/Pulumi.lab.yaml").read_text().replace("macvlan-external", "macvlan-outside"))
    done = call("stacks/Pulumi.lab.yaml", "--what-if", str(changed), "-o", str(tmp_path / "d.svg"))
    assert done.exit_code == 0, done.output
    drawn = (tmp_path / "d.svg").read_text()
    assert (
        drawn.index("Before: network of lab")
        < drawn.index("macvlan-external")
        < drawn.index("After: network of lab")
        < drawn.index("macvlan-outside")
    )
    png = call("stacks/Pulumi.lab.yaml", "--what-if", str(changed), "-o", str(tmp_path / "d.png"))
    assert png.exit_code == 0, png.output
    assert (tmp_path / "d.png").read_bytes().startswith(b"\x89PNG")
    assert call("stacks/Pulumi.lab.yaml", "--what-if", str(changed), "--format", "dot").exit_code == 2
    assert call("stacks/Pulumi.lab.yaml", "--what-if", str(tmp_path / "no.yaml")).exit_code == 2
