"""Text of pods, networks and hosts where people read it: terminal, report, JUnit, review, CI logs."""

import json
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from multus_site.cli import reports
from multus_site.cli.tables import checks_table, throughput_table
from multus_site.cli.usage_error import usage_error
from multus_site.cni.network_status import MOST, StatusError, network_status
from multus_site.lint.finding import Finding
from multus_site.lint.registry import RULES
from multus_site.model.load import parse_site
from multus_site.render.report.content import Found
from multus_site.render.report.page import page
from multus_site.review.markdown import _safe
from multus_site.verify.__main__ import lines_of
from multus_site.verify.addresses import leaked
from multus_site.verify.checks import Check
from multus_site.verify.junit import junit
from multus_site.verify.observed import read_answer
from multus_site.verify.result import Result
from tests.graph.recording import lab_site

EVIL = "\x1b[2J\x9b31m\u202e[bold]</td><script>alert(1)</script>'\" onload=x ``` | [a](b) @all\n::error::x\r"


def obeyed(text):
    """What a terminal would obey in it, or a CI system at the beginning of a line."""
    return [c for c in text if not c.isprintable() and c != "\n"] + [x for x in text.splitlines() if x.startswith("::")]


def failed():
    return Check("web", "web-1", "node1", EVIL, EVIL, "network-status", ok=False, detail=EVIL)


def test_failures_and_their_evidence_on_a_terminal(capsys):
    result = Result([failed()], {}, [], evidence={f"events of {EVIL}": EVIL})
    assert obeyed("\n".join(lines_of(result))) == []
    checks_table("lab", result.output(), 1.0)
    shown = capsys.readouterr().out
    assert obeyed(shown) == []
    assert "[bold]" in shown  # text, no markup of the table's


def test_reasons_to_skip_on_a_terminal(capsys):
    throughput_table([], {"internal": EVIL})
    shown = capsys.readouterr().out
    assert obeyed(shown) == []
    assert "[bold]" in shown


def test_errors_on_a_terminal(capsys):
    with pytest.raises(Exception):  # noqa: B017, PT011 - typer's own way out
        usage_error(EVIL.replace("\n::", " ::"))
    assert obeyed(capsys.readouterr().err) == []


def test_findings_are_lines_of_ours_alone():
    found = Finding(rule=next(iter(RULES)), level="error", file=f"a{EVIL}.yaml", document=1, line=1, column=1, path=EVIL, message=EVIL, hint=EVIL)  # fmt: skip
    assert obeyed(reports.text([found])) == []


class Tags(HTMLParser):
    """Elements and attributes that a browser sees."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, tuple(sorted(name for name, _ in attributes))))


def tags(text):
    parser = Tags()
    parser.feed(text)
    return parser.seen


def found(text):
    """Results with the same shape, whatever the text is."""
    check = {"workload": "samplepod", "pod": text, "node": "node2", "interface": text, "network": text, "check": text, "ok": False, "detail": text}  # fmt: skip
    interface = {"interface": "net1", "addresses": [text], "mac": text, "network": text}
    pods = [{"workload": "samplepod", "pod": text, "node": "node2", "interfaces": [interface]}]
    nodes = [{"node": text, "versions": {"osImage": text, "kernelVersion": text, "kubeletVersion": text, "containerRuntimeVersion": text}, "images": {text: text}, "binaries": {text: text}, "uplinks": [{"name": text, "mac": text, "mtu": 1500}]}]  # fmt: skip
    return Found(verification={"checks": [check], "evidence": {text: text}, "pods": pods, "nodes": nodes}, verified="2026-12-01T00:00:00Z", written="2026-12-01T00:00:00Z")  # fmt: skip


def test_the_report_has_the_same_elements_whatever_a_pod_says():
    site = parse_site(lab_site(), source="x")
    plain, evil = (tags(page("lab", site, found(text))) for text in ("plain", EVIL))
    assert ("script", ()) not in evil
    assert evil == plain


def test_junit_is_xml():
    check = failed().row()
    document = ElementTree.fromstring(junit("lab", [check], {EVIL: EVIL}, 1.0))  # noqa: S314 - our own
    assert {element.tag for element in document.iter()} == {"testsuites", "testsuite", "testcase", "failure", "system-err"}  # fmt: skip


def test_a_cell_of_a_review_is_one_cell():
    shown = _safe(EVIL)
    assert obeyed(shown.replace("@\u200b", "@")) == []
    assert not any(mark in shown for mark in ("<", "|", "@all", "\n"))


def test_an_answer_of_a_node_is_printable():
    pods = {"u": {"error": EVIL}}
    node = {"error": EVIL, "evidence": {"ls": EVIL}, "files": [EVIL]}
    seen, inside = read_answer("node1", json.dumps({"node": node, "pods": pods}), ["u"])
    for text in (seen.error, seen.evidence["ls"], *seen.files, inside["u"].error):
        assert obeyed(text.replace("\n::", " ::")) == []


def test_the_holder_of_an_allocation_is_printable():
    spec = {"range": "10.1.0.0/24", "allocations": {"1": {"podref": EVIL}}}
    (line,) = leaked([{"metadata": {"name": "p"}, "spec": spec}], [])
    assert obeyed(line) == []


ENTRY = {"name": "default/a", "interface": "net1", "ips": ["10.1.10.5"]}


@pytest.mark.parametrize(
    "entries",
    [
        [{**ENTRY, "interface": EVIL}],
        [{**ENTRY, "name": EVIL}],
        [{**ENTRY, "ips": [1]}],
        [{**ENTRY, "ips": [True]}],
        [{**ENTRY, "ips": ["10.1.10.5"] * (MOST + 1)}],
        [ENTRY] * (MOST + 1),
    ],
)
def test_a_network_status_that_multus_never_writes_is_refused(entries):
    with pytest.raises(StatusError) as error:
        network_status(json.dumps(entries))
    assert obeyed(str(error.value)) == []


def test_a_network_status_without_end_is_refused():
    with pytest.raises(StatusError):
        network_status("[" * 200_000)
