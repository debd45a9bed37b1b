"""A verification as JUnit XML, which CI systems show as tests (https://github.com/testmoapp/junitxml)."""

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree


def junit(site: str, checks: Sequence[Mapping[str, Any]], evidence: Mapping[str, str], seconds: float) -> str:
    """Return the document: a suite a node, network or workload, a case a check; failed suites carry the evidence."""
    root = ElementTree.Element(
        "testsuites",
        name=f"verification of {site}",
        tests=str(len(checks)),
        failures=str(sum(not c["ok"] for c in checks)),
        errors="0",
        time=f"{seconds:.1f}",
    )
    suites: dict[str, list[Mapping[str, Any]]] = {}
    for check in checks:
        suites.setdefault(_suite(check), []).append(check)
    for name, cases in suites.items():
        failures = sum(not c["ok"] for c in cases)
        counts = {"name": _printable(name), "tests": str(len(cases)), "failures": str(failures), "errors": "0"}
        suite = ElementTree.SubElement(root, "testsuite", counts)
        for check in cases:
            about = " ".join(filter(None, (check["check"], check["interface"], check["network"])))
            case = ElementTree.SubElement(
                suite, "testcase", name=_printable(about), classname=_printable(f"{site}.{name}").replace(" ", ".")
            )
            if not check["ok"]:
                failure = ElementTree.SubElement(
                    case, "failure", message=_printable(check["detail"]), type=check["check"]
                )
                failure.text = _printable(check["detail"])
        if failures and evidence:
            text = "\n\n".join(f"{title}:\n{body}" for title, body in evidence.items())
            ElementTree.SubElement(suite, "system-err").text = _printable(text)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(check: Mapping[str, Any]) -> str:
    if check["pod"]:
        return f"pod {check['pod']}"
    if check["workload"]:
        return f"workload {check['workload']}"
    return f"node {check['node']}" if check["node"] else f"network {check['network']}"


def _printable(text: str) -> str:
    """Remove characters that XML does not allow, such as terminal colours: https://www.w3.org/TR/xml/#charsets."""
    return "".join(
        c for c in text if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff"
    )
