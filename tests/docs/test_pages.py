"""The committed pages are current and complete, and every link in them leads somewhere."""

import json
import re
from pathlib import Path

import pytest

from docs import generate
from multus_site.cli.schema import schema_text
from multus_site.lint.registry import RULES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
WRITTEN = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]


@pytest.mark.parametrize("name", generate.PAGES)
def test_committed_page_is_current(name):
    assert (DOCS / name).read_text() == generate.generated(name), "run: make docs"


def test_a_page_without_its_markers_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(generate, "FOLDER", tmp_path)
    (tmp_path / "policy.md").write_text("<!-- end of policies --> <!-- generated: policies -->")
    with pytest.raises(ValueError, match=r"docs/policy\.md has no <!-- generated: policies -->"):
        generate.generated("policy.md")


def test_every_key_is_on_the_page():
    page = generate.generated("site.md")
    for name, definition in json.loads(schema_text())["$defs"].items():
        assert f"\n## {name}\n" in page
        for key in definition.get("properties", {}):
            assert f"\n| `{key}` | " in page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def test_every_key_is_described_and_has_an_example():
    for line in generate.site_keys().splitlines():
        if line.startswith("| `"):
            key, _, default, example, what = (cell.strip() for cell in line.strip("|").split("|"))
            assert default, key
            assert what, key
            assert example, key


def test_every_rule_is_on_the_page():
    page = generate.generated("linter.md")
    assert all(f"**{code}** ({rule.level}): {rule.title}" in page for code, rule in RULES.items())


def test_every_code_is_in_the_index_once():
    codes = [code.code for code in generate.codes()]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", _prose(page)):
        file, _, anchor = target.partition("#")
        if ":" in file:
            continue
        linked = page.parent / file if file else page
        assert linked.exists(), target
        if anchor:
            assert anchor in _anchors(linked), target


def _prose(page):
    """The text without code."""
    return re.sub(r"^ *```.*?^ *```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def _anchors(page):
    """Anchors of headings, as GitHub makes them, and those that are written as <a id>."""
    text = re.sub(r"^ *```.*?^ *```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings} | set(
        re.findall(r'<a id="([^"]+)">', text)
    )
