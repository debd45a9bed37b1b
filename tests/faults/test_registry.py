"""The campaign's registry and judgements: what is green while broken fails, and the table says what was run."""

import json

import pytest

from lab.commands import Done
from lab.faults import kinds  # noqa: F401 - registers the faults
from lab.faults.campaign import Answer, Row, judge, load, store
from lab.faults.page import BEGIN, END, table, write
from lab.faults.registry import FAULTS, ITSELF, OWNER, UP, Fault, add


def nothing(_):
    yield


def a_fault(restored_by=OWNER, **says):
    return Fault("a", "something broken", nothing, says or {"verify": "uplink.*ens6"}, restored_by)


def test_the_campaign_has_every_kind_and_each_fault_says_what_is_expected():
    assert len(FAULTS) >= 46
    for fault in FAULTS.values():
        assert bool(fault.says) != bool(fault.why_silent), fault.name
        assert fault.restored_by in {UP, ITSELF, OWNER}


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (Fault("gateway-gone", "again", nothing, {"verify": "x"}, UP), "a fault of this name already"),
        (Fault("new", "w", nothing, {"vrfy": "x"}, UP), "no such command: vrfy"),
        (Fault("new", "w", nothing, {}, UP), "which command should say what"),
        (Fault("new", "w", nothing, {"verify": "x"}, UP, why_silent="y"), "which command should say what"),
    ],
)
def test_a_fault_without_an_expectation_is_refused(one, words):
    with pytest.raises(ValueError, match=words):
        add(one)
    assert "new" not in FAULTS


@pytest.mark.parametrize(
    ("done", "wrong"),
    [
        (Done(1, "node2  uplink  ens6 is down", ""), ""),
        (Done(2, "", "multus-site: uplink of node2: ens6 is gone"), ""),
        (Done(0, "every check passed", ""), "green while it is broken"),
        (Done(0, "uplink ens6 passed", ""), "green while it is broken"),
        (Done(1, "node2  uplink  ens7 is down", ""), "does not say /uplink.*ens6/"),
        (Done(1, "", ""), "does not say /uplink.*ens6/"),
        (Done(1, "uplink ens6", "Traceback (most recent call last):\n  File"), "a traceback"),
    ],
)
def test_an_answer_is_judged(done, wrong):
    assert judge(a_fault(), "verify", done).wrong == wrong


def test_findings_are_read_from_json():
    check = {"check": "uplink", "node": "node2", "interface": "ens6", "ok": False, "detail": "is\n  down"}
    answer = judge(
        a_fault(verify="ens6 uplink"),
        "verify",
        Done(1, json.dumps({"checks": [check, {**check, "ok": True}]}), "evidence"),
    )
    assert (answer.line, answer.wrong) == ("node2 ens6 uplink: is down", "")
    drift = {"nodes": [], "objects": [], "unreachable": {"node2": "No route to host"}}
    answer = judge(a_fault(drift="node2"), "drift", Done(2, json.dumps(drift), ""))
    assert (answer.line, answer.wrong) == ("node2 cannot be checked: No route to host", "")
    good = judge(a_fault(ITSELF, verify="passed"), "verify", Done(0, json.dumps({"checks": []}), ""))
    assert (good.line, good.wrong) == ("every check passed", "")


def test_what_heals_itself_may_have_healed_when_it_is_asked():
    assert judge(a_fault(ITSELF, verify="passed"), "verify", Done(0, "every check passed", "")).wrong == ""


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        (Row("a", "w", after="`up`, every check passes", well=True), []),
        (
            Row("a", "w", [Answer("verify", 0, "ok", "green while it is broken")], well=True),
            ["verify: green while it is broken"],
        ),
        (Row("a", "w", after="`up` fails: no"), ["after `up`: `up` fails: no"]),
        (Row("a", "w"), ["after `up`: not reached"]),
        (Row("a", "w", well=True, lost=["node2: reservation x"]), ["lost: node2: reservation x"]),
        (Row("a", "w", well=True, error="could not be run: y"), ["could not be run: y"]),
    ],
)
def test_a_row_that_is_not_as_it_should_be_says_why(row, wrong):
    assert row.wrong == wrong


def test_rows_are_kept_and_replaced(tmp_path):
    results = tmp_path / "faults" / "results.json"
    store(results, Row("a", "first", [Answer("verify", 1, "x")]))
    store(results, Row("b", "second"))
    store(results, Row("a", "again", lost=["y"]))
    assert load(results) == [Row("a", "again", lost=["y"]), Row("b", "second")]
    assert load(tmp_path / "none.json") == []


def test_the_table_is_written_between_its_markers_and_no_text_breaks_a_cell(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    rows = [
        Row("a", "a | b", [Answer("verify", 1, "x | `y`")], after="`up`, every check passes", well=True),
        Row("b", "broken", [Answer("drift", 0, "ok", "green while it is broken")], lost=["node2: z"]),
    ]
    rows[0].what = "first"
    write(page, rows)
    write(page, rows)
    text = page.read_text()
    assert text.startswith(f"before\n{BEGIN}\n\n| fault |")
    assert text.endswith(f"{END}\nafter\n")
    assert "old" not in text
    assert text.count("| first |") == 1
    assert r"verify: `x \| 'y'`" in text
    assert "| broken ✗ | drift: `ok` ✗ green while it is broken |" in text
    assert all(line.replace(r"\|", "").count("|") == 5 for line in table(rows).splitlines())


def test_a_page_without_markers_is_refused(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("nothing")
    with pytest.raises(ValueError, match="has no"):
        write(page, [])
