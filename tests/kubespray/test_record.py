"""The record survives its three places, and the newest copy counts."""

from pathlib import Path

import pytest

from multus_site.kubespray.plan import as_applied
from multus_site.kubespray.record import Record, Store, from_pulumi, newest
from tests.kubespray.documents import document

BEFORE, AFTER = (as_applied(document(*roles), None) for roles in (("a:cew", "b:w"), ("a:cew", "b:w", "c:w")))
RECORD = Record("test", 3, BEFORE, "scale.yml", AFTER)


def test_json_and_back() -> None:
    assert Record.from_json(RECORD.to_json()) == RECORD


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", RECORD.to_json()[:-20], '{"applied": {"x": 1}}'])
def test_what_is_no_record_is_none(text: str) -> None:
    assert Record.from_json(text) is None


def test_a_playbook_is_begun_and_succeeds() -> None:
    begun = Record("test", 2, BEFORE).started("scale.yml", AFTER)
    assert begun == RECORD
    assert begun.succeeded(AFTER) == Record("test", 3, AFTER)
    # What a run was making is not forgotten by one that leads nowhere of its own.
    assert begun.started("cluster.yml", None).begun == AFTER


def test_store_replaces_at_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "record.json")
    assert store.read() is None
    store.write(RECORD)
    (tmp_path / "record.new").write_text("half a rec")
    assert store.read() == RECORD
    store.remove()
    assert store.read() is None


def test_the_copy_with_most_runs_counts() -> None:
    older = Record("test", 2)
    assert newest("test", [older, None, RECORD]) is RECORD
    assert newest("test", [RECORD, older]) is RECORD


def test_a_record_of_another_site_does_not_count() -> None:
    assert newest("other", [RECORD]) == Record("other")


def test_pulumi_gives_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_COMMAND_STDOUT", RECORD.to_json() + "\n")
    assert from_pulumi() == RECORD
    monkeypatch.delenv("PULUMI_COMMAND_STDOUT")
    assert from_pulumi() is None


def test_it_holds_no_secret() -> None:
    with_secret = as_applied(document("a:cew", password="correct horse"), None)  # noqa: S106 # a test's
    text = Record("test", 1, with_secret).to_json()
    assert "correct horse" not in text
    assert "KEY" not in text
