"""What a report says, out of a site and what was found of it: tables and figures, no HTML."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from multus_site.model.site import Site
from multus_site.render.diagram.cards import counted, span
from multus_site.render.network import network_facts


@dataclass(frozen=True)
class Found:
    """What is known beside the site; each part may be missing. `verified` and `measured`: when, ISO 8601."""

    verification: Mapping[str, Any] = field(default_factory=dict)
    verified: str = ""
    throughput: Sequence[Mapping[str, Any]] = ()
    measured: str = ""
    timeline: Mapping[str, Any] | None = None
    written: str = ""


@dataclass(frozen=True)
class Cell:
    """One check of the matrix. `state`: passed, failed, or none where it does not apply."""

    state: str
    detail: str = ""


@dataclass(frozen=True)
class Line:
    """A row of the matrix."""

    subject: str
    about: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Matrix:
    """Subjects of one kind against the checks that they have."""

    title: str
    checks: tuple[str, ...]
    lines: tuple[Line, ...]


def matrices(checks: Iterable[Mapping[str, Any]]) -> list[Matrix]:
    """Checks by what they are about: interfaces, pods, nodes, networks."""
    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for check in checks:
        kinds.setdefault(_kind(check), []).append(check)
    order = ("Interfaces of pods", "Pods", "Nodes", "Networks")
    return [_matrix(title, kinds[title]) for title in order if title in kinds]


def _kind(check: Mapping[str, Any]) -> str:
    if check["workload"]:
        return "Interfaces of pods" if check["network"] else "Pods"
    return "Nodes" if check["node"] else "Networks"


def _matrix(title: str, checks: Sequence[Mapping[str, Any]]) -> Matrix:
    names = tuple(dict.fromkeys(c["check"] for c in checks))
    rows: dict[tuple[str, str], dict[str, Cell]] = {}
    for c in checks:
        subject = c["pod"] or c["workload"] or c["node"] or c["network"]
        about = " · ".join(
            filter(None, (c["node"] if c["pod"] else "", c["interface"] if c["network"] else "", c["network"]))
        )
        cells = rows.setdefault(
            (subject, about if c["workload"] and c["network"] else c["node"] if c["pod"] else ""), {}
        )
        said = " ".join(filter(None, (c["interface"] if not c["network"] else "", c["detail"])))
        known = cells.get(c["check"])
        if known is None or (known.state == "passed" and not c["ok"]):
            cells[c["check"]] = Cell("passed" if c["ok"] else "failed", said)
        elif known.state == "passed":
            cells[c["check"]] = Cell("passed", f"{known.detail}; {said}")
    nothing = Cell("none")
    return Matrix(
        title,
        names,
        tuple(
            Line(subject, about, tuple(cells.get(n, nothing) for n in names))
            for (subject, about), cells in rows.items()
        ),
    )


def failures(checks: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """What failed: about what, which check, what was found."""
    return [
        (
            " · ".join(filter(None, (c["pod"] or c["workload"], c["node"], c["interface"], c["network"]))),
            c["check"],
            c["detail"],
        )
        for c in checks
        if not c["ok"]
    ]


@dataclass(frozen=True)
class Use:
    """A range of addresses and who holds any of it."""

    network: str
    ipam: str
    range: str
    gateway: str
    size: int
    holders: tuple[tuple[str, str], ...]

    @property
    def percent(self) -> float:
        """How full."""
        return round(100 * len(self.holders) / self.size, 1) if self.size else 0.0


def addresses(site: Site, verification: Mapping[str, Any]) -> list[Use]:
    """The address plan, with what pods hold."""
    holders: dict[str, list[tuple[str, str]]] = {}
    names = {(w, i): a.name for w, workload in site.workloads.items() for i, a in workload.interfaces()}
    for pod in verification.get("pods", []):
        for seen in pod["interfaces"]:
            attached = names.get((pod["workload"], seen["interface"]))
            for address in seen["addresses"] if attached else []:
                holders.setdefault(str(attached), []).append((address.partition("/")[0], pod["pod"]))
    found = []
    for name, network in site.networks.items():
        facts = network_facts(name, network)
        for r in facts.ranges:
            held = tuple(h for h in holders.get(name, []) if r.contains(h[0]))
            found.append(Use(name, facts.ipam, span(r), str(r.gateway or ""), r.size, held))
    return found


def versions(site: Site) -> list[tuple[str, str]]:
    """What the site pins."""
    return [
        ("Kubespray", site.kubespray.version),
        ("CNI plugins", site.cni_plugins.version),
        ("Multus", site.multus.version),
        *((f"image of {name}", workload.image) for name, workload in site.workloads.items()),
    ]


def summary(site: Site, found: Found) -> list[tuple[str, str, str]]:
    """Four figures for the head of the page: value, what it is, and whether that is good, bad or neither."""
    checks = found.verification.get("checks", [])
    bad = sum(not c["ok"] for c in checks)
    lines = []
    if checks:
        lines.append((f"{len(checks) - bad} of {len(checks)}", "checks passed", "bad" if bad else "good"))
    else:
        lines.append(("not yet", "verified", "bad"))
    lines.append((str(len(site.nodes.hosts)), "nodes" if len(site.nodes.hosts) != 1 else "node", ""))
    running = len(found.verification.get("pods", []))
    lines.append((str(running), "pods on several networks" if running != 1 else "pod on several networks", ""))
    if spread := ratios(found.throughput):
        lines.append((spread, "of node to node, TCP over the site's networks", ""))
    return lines


def ratios(rows: Sequence[Mapping[str, Any]]) -> str:
    """What part of the bare nodes' TCP the site's networks reach: from the lowest figure to the highest; empty if none was taken."""
    found = sorted(
        float(r["ratioToNode"])
        for r in rows
        if r.get("ratioToNode") and r["network"] not in {"node", "pod-network"} and r["protocol"] == "tcp"
    )
    return "–".join(dict.fromkeys(f"{ratio:.2f}" for ratio in (found[0], found[-1]))) if found else ""


def of_node(row: Mapping[str, Any]) -> str:
    """A figure's ratio to the bare nodes, with the lowest and the highest of its rounds; empty where there is none."""
    if not row.get("ratioToNode"):
        return ""
    low, high = row.get("ratioToNodeRange") or (None, None)
    return f"{row['ratioToNode']:.2f}" + (f", {low:.2f}–{high:.2f}" if low != high else "")


def described(site: Site) -> str:
    """One sentence of what the site is."""
    return f"{counted(len(site.nodes.hosts), 'node')}, {counted(len(site.networks), 'network')}, {counted(len(site.workloads), 'workload')}"
