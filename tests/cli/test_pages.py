"""The committed pages are those that the model and the rules give, and they leave nothing out."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from multus_site.__main__ import app
from multus_site.cli.pages import PAGES
from multus_site.cli.schema import schema_text
from multus_site.lint.registry import RULES

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", PAGES)
def test_committed_page_is_current(name):
    assert (DOCS / name).read_text() == PAGES[name](), "run: multus-site docs"


def test_every_key_is_on_the_page():
    page = PAGES["site.md"]()
    for name, definition in json.loads(schema_text())["$defs"].items():
        assert f"\n## {name}\n" in page
        for key in definition.get("properties", {}):
            assert f"\n| `{key}` | " in page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def test_every_key_is_described_and_has_an_example():
    for line in PAGES["site.md"]().splitlines():
        if line.startswith("| `"):
            key, _, default, example, what = (cell.strip() for cell in line.strip("|").split("|"))
            assert default, key
            assert what, key
            assert example, key


def test_every_rule_is_on_the_page():
    page = PAGES["linter.md"]()
    assert all(f"**{code}** ({rule.level}): {rule.title}" in page for code, rule in RULES.items())


def test_links_lead_to_parts():
    page = PAGES["site.md"]()
    for link in {part.partition(")")[0] for part in page.split("](#")[1:]}:
        assert f"\n## {link}\n" in page.lower()


def test_writes_them(tmp_path):
    result = CliRunner().invoke(app, ["docs", str(tmp_path)])
    assert result.exit_code == 0
    assert {file.name for file in tmp_path.iterdir()} == set(PAGES)
