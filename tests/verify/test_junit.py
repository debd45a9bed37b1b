"""JUnit XML: a suite for each thing that was looked at, a case for each check, and the evidence where something failed."""

from xml.etree import ElementTree

from multus_site.verify.junit import junit


def check(ok, **changes):
    whole = {
        "workload": "samplepod",
        "pod": "samplepod-1",
        "node": "node2",
        "interface": "net1",
        "network": "default/internal",
        "check": "address",
        "ok": ok,
        "detail": "10.1.10.200/24",
    }
    return {**whole, **changes}


CHECKS = [
    check(True, workload="", pod="", node="", interface="", check="attachment"),
    check(True, workload="", pod="", interface="", network="", check="multus-conf"),
    check(True),
    check(False, check="gateway-ping", detail='<no> "answer" \x1b[31m'),
]


def parsed():
    text = junit("lab", CHECKS, {"Multus on node2": "error & more\x00\ud800\uffff"}, 4.25)
    return ElementTree.fromstring(text)  # noqa: S314 - our own


def test_counts_are_those_of_the_checks():
    root = parsed()
    assert (root.get("tests"), root.get("failures"), root.get("time")) == ("4", "1", "4.2")
    assert [(s.get("name"), s.get("tests"), s.get("failures")) for s in root] == [
        ("network default/internal", "1", "0"),
        ("node node2", "1", "0"),
        ("pod samplepod-1", "2", "1"),
    ]


def test_a_failure_says_what_and_comes_with_the_evidence():
    (failure,) = parsed().iter("failure")
    assert failure.get("type") == "gateway-ping"
    assert failure.get("message") == '<no> "answer" [31m'
    (evidence,) = parsed().iter("system-err")
    assert evidence.text == "Multus on node2:\nerror & more"
