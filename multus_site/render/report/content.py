"""The content of a report, from a site and its results: tables and figures, no HTML."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from multus_site.model.site import Site
from multus_site.render.diagram.cards import counted, span
from multus_site.render.network import network_facts


@dataclass(frozen=True)
class Found:
    """Results for a site; each part can be missing. `verified`, `measured` and `written`: times, ISO 8601."""

    verification: Mapping[str, Any] = field(default_factory=dict)
    verified: str = ""
    throughput: Sequence[Mapping[str, Any]] = ()
    measured: str = ""
    timeline: Mapping[str, Any] | None = None
    written: str = ""


@dataclass(frozen=True)
class Cell:
    """One check of a matrix. `state`: passed, failed, or none if it does not apply."""

    state: str
    detail: str = ""


@dataclass(frozen=True)
class Line:
    """A row of a matrix."""

    subject: str
    about: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Matrix:
    """Subjects of one kind in rows, their checks in columns."""

    title: str
    checks: tuple[str, ...]
    lines: tuple[Line, ...]


def matrices(checks: Iterable[Mapping[str, Any]]) -> list[Matrix]:
    """One matrix for each kind of subject: interfaces, pods, nodes, networks."""
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
        detail = " ".join(filter(None, (c["interface"] if not c["network"] else "", c["detail"])))
        known = cells.get(c["check"])
        if known is None or (known.state == "passed" and not c["ok"]):
            cells[c["check"]] = Cell("passed" if c["ok"] else "failed", detail)
        elif known.state == "passed":
            cells[c["check"]] = Cell("passed", f"{known.detail}; {detail}")
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
    """Failed checks: subject, check, what was found."""
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
    """A range of addresses and the pods that hold addresses of it."""

    network: str
    ipam: str
    range: str
    gateway: str
    size: int
    holders: tuple[tuple[str, str], ...]

    @property
    def percent(self) -> float:
        """Used part of the range, in percent."""
        return round(100 * len(self.holders) / self.size, 1) if self.size else 0.0


def addresses(site: Site, verification: Mapping[str, Any]) -> list[Use]:
    """The address plan with the addresses that pods hold."""
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
    """Pinned versions and images."""
    return [
        ("Kubespray", site.kubespray.version),
        ("CNI plugins", site.cni_plugins.version),
        ("Multus", site.multus.version),
        *((f"image of {name}", workload.image) for name, workload in site.workloads.items()),
    ]


def summary(site: Site, found: Found) -> list[tuple[str, str, str]]:
    """Figures for the head of the page: value, label, and good, bad or empty."""
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
        lines.append((spread, "of node-to-node TCP throughput on the site's networks", ""))
    return lines


def ratios(rows: Sequence[Mapping[str, Any]]) -> str:
    """TCP throughput of the site's networks relative to the bare nodes, lowest–highest; empty without measurements."""
    found = sorted(
        float(r["ratioToNode"])
        for r in rows
        if r.get("ratioToNode") and r["network"] not in {"node", "pod-network"} and r["protocol"] == "tcp"
    )
    return "–".join(dict.fromkeys(f"{ratio:.2f}" for ratio in (found[0], found[-1]))) if found else ""


def of_node(row: Mapping[str, Any]) -> str:
    """The ratio of a measurement to the bare nodes, with the lowest and the highest of its rounds; empty without one."""
    if not row.get("ratioToNode"):
        return ""
    low, high = row.get("ratioToNodeRange") or (None, None)
    return f"{row['ratioToNode']:.2f}" + (f", {low:.2f}–{high:.2f}" if low != high else "")


def described(site: Site) -> str:
    """The site in one line."""
    return f"{counted(len(site.nodes.hosts), 'node')}, {counted(len(site.networks), 'network')}, {counted(len(site.workloads), 'workload')}"
