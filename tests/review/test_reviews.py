"""The comment of each kind of change, word for word. To accept new words: UPDATE_GOLDEN=1, then read the diff."""

import os
import re
from functools import cache
from pathlib import Path

import pytest

from multus_site.model.catalog import Catalog
from multus_site.review.markdown import MARK, markdown
from tests.graph import recording
from tests.review.changes import CHANGES
from tests.review.engine import review

GOLDEN = Path(__file__).parent / "golden"


def several_releases():
    """A catalogue with two releases of two plugins."""
    there = {
        release: {"amd64": {name: {"url": f"http://10.1.1.1:8080/{release}/{name}", "sha256": f"{i}{j}" * 32} for j, name in enumerate(("macvlan", "bridge", "ipvlan"))}}
        for i, release in enumerate(("1.9.1", "1.8.0"))
    }  # fmt: skip
    return recording.CATALOG.model_copy(
        update={"cni_plugins": Catalog.model_validate({"cniPlugins": there}).cni_plugins}
    )


@pytest.fixture(autouse=True, scope="module")
def place(tmp_path_factory):
    """A project's folder of its own, and a catalogue."""
    monkeypatch, tmp_path = pytest.MonkeyPatch(), tmp_path_factory.mktemp("project")
    monkeypatch.chdir(tmp_path)
    for name in ("KUBESPRAY_SOURCE", "KUBESPRAY_STANDIN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MULTUS_SITE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(recording, "CATALOG", several_releases())
    yield
    monkeypatch.undo()


@cache
def reviewed(name):
    return review(*CHANGES[name], catalog=recording.CATALOG)


@pytest.mark.parametrize("name", CHANGES)
def test_reads_as_written(name):
    text = markdown(reviewed(name))
    file = GOLDEN / f"{name.replace(' ', '-')}.md"
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    assert text == file.read_text()


def test_every_golden_has_a_change():
    assert {file.stem for file in GOLDEN.glob("*.md")} == {name.replace(" ", "-") for name in CHANGES}


@pytest.mark.parametrize("name", CHANGES)
def test_dangers_come_first(name):
    text = markdown(reviewed(name)).partition("<details>")[0]
    marked = re.findall("|".join(MARK[level] for level in ("danger", "care")), text)
    sections = text.split("\n### ")
    if MARK["danger"] in text:
        assert sections[1].startswith(("⛔ Dangerous", "❌ Errors"))
    for section in sections[1:]:
        marks = re.findall(rf"^(?:- |\| )({MARK['danger']}|{MARK['care']}|{MARK['note']})", section, re.MULTILINE)
        order = [list(MARK.values()).index(mark) for mark in marks]
        assert order == sorted(order), section
    assert marked or name in CALM


CALM = {
    "nothing", "key order", "new site", "node added", "replicas", "workload added", "node of split ranges", "network added", "raw network",
    "plugin version", "plugin added", "limits of machines", "two steps at once", "rack dedicated no more",
}  # fmt: skip


@pytest.mark.parametrize("name", ["nothing", "key order"])
def test_nothing_is_nothing(name):
    found = reviewed(name).as_json()
    said = {key for key, value in found.items() if value}
    assert said == {"stack", "site", "base", "counts"}
    assert set(found["counts"]) == {"same"}
