"""Each example lints as it stands, keeps the policies, builds its graph, and has a current picture."""

import json
import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from multus_site.__main__ import app
from multus_site.model.load import UPSTREAM, defaults_beside, load_catalog, parse_site, site_data
from tests.graph.recording import record

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = sorted(EXAMPLES.rglob("Pulumi.*.yaml"))
PICTURES = sorted(EXAMPLES.rglob("*.svg"))


def name_of(file):
    return file.name.removeprefix("Pulumi.").removesuffix(".yaml")


def run(*arguments):
    return CliRunner().invoke(app, [str(one) for one in arguments])


def test_all_together_lint_without_a_finding():
    done = run("lint", "--format", "json", EXAMPLES)
    assert (done.exit_code, json.loads(done.stdout)) == (0, [])


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_copy_with_a_misspelled_key_is_refused(file, tmp_path):
    """What the examples pass is a check of them."""
    text = file.read_text().replace("multus-site:site:\n", "multus-site:site:\n    netwroks: {}\n", 1)
    copy = tmp_path / file.name
    copy.write_text(text)
    (tmp_path / "defaults.yaml").write_text(
        (file.parent / "defaults.yaml").read_text() if (file.parent / "defaults.yaml").exists() else "{}"
    )
    done = run("lint", "--format", "json", copy)
    assert done.exit_code == 1
    assert [one["path"] for one in json.loads(done.stdout) if "netwroks" in one["path"]]


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_the_graph_has_every_network_and_workload(file):
    text = file.read_text()
    defaults = defaults_beside(str(file))
    site = parse_site(site_data(yaml.safe_load(text)), source=str(file), text=text, defaults=defaults)
    assert site.name == name_of(file)
    data = site_data(yaml.safe_load(text))
    graph = record(data if defaults is None else defaults.under(data), catalog=load_catalog(UPSTREAM), preview=True)
    for network in site.networks:
        assert f"NetworkAttachment {site.name}-{network}" in graph
    for workload in site.workloads:
        assert f"Workload {site.name}-{workload}" in graph


@pytest.mark.parametrize("picture", PICTURES, ids=lambda file: file.stem)
def test_the_picture_is_current(picture, tmp_path):
    done = run("diagram", picture.with_name(f"Pulumi.{picture.stem}.yaml"), "-o", tmp_path / "new.svg")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "new.svg").read_text() == picture.read_text(), (
        f"run: multus-site diagram {picture.with_name(f'Pulumi.{picture.stem}.yaml')} -o {picture}"
    )


def test_the_page_shows_every_site_and_picture():
    page = (EXAMPLES / "README.md").read_text()
    links = set(re.findall(r"\]\(([^)]+)\)", page))
    for file in FILES:
        assert file.name in links or file.parent.name in links
    for picture in PICTURES:
        assert str(picture.relative_to(EXAMPLES)) in links
    assert all((EXAMPLES / link).exists() for link in links)
