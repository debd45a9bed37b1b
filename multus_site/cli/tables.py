"""Results as tables for a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from multus_site.model.printable import printable
from multus_site.render.report.content import of_node
from multus_site.render.timeline import Timeline

BAR = 50
"""Width of the bar of a whole update."""


def checks_table(site: str, verification: Mapping[str, Any], seconds: float) -> None:
    """Prints a line per checked object, with its failed and passed checks."""
    rows: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for check in verification["checks"]:
        about = check["pod"] or check["workload"] or (f"node {check['node']}" if check["node"] else "network")
        rows.setdefault((about, check["interface"], check["network"]), []).append(check)
    table = Table(show_edge=False, pad_edge=False)
    for column in ("", "what", "interface", "network", "checks"):
        table.add_column(column, overflow="fold")
    for (about, interface, network), checks in rows.items():
        failed = [c for c in checks if not c["ok"]]
        passed = ", ".join(dict.fromkeys(c["check"] for c in checks if c["ok"]))
        lines = [f"[red]{c['check']}[/]: {_plain(c['detail'])}" for c in failed] + ([passed] if passed else [])
        mark = "[red]✗[/]" if failed else "[green]✓[/]"
        table.add_row(mark, _plain(about), _plain(interface), _plain(network), "\n".join(lines))
    console = Console(width=None if Console().is_terminal else 160)
    console.print(table)
    bad = sum(not c["ok"] for c in verification["checks"])
    count = len(verification["checks"])
    verdict = f"{bad} of {count} checks failed" if bad else f"all {count} checks passed"
    console.print(f"{site}: {verdict}, {seconds:.0f} s", highlight=False)


def _plain(text: str) -> str:
    """Text of others in a cell: no markup of rich's, nothing that a terminal obeys."""
    return escape(printable(text))


def timeline_table(found: Timeline, tasks: Sequence[tuple[str, float]]) -> None:
    """Prints stages as bars, the chain that determined the total time, and Ansible's slowest tasks."""
    console = Console(width=None if Console().is_terminal else 120)
    console.print(f"update of {found.started:%Y-%m-%d %H:%M:%S} UTC, {found.seconds:.0f} s", highlight=False)
    table = Table(show_edge=False, pad_edge=False)
    table.add_column("stage")
    table.add_column("from s", justify="right")
    table.add_column("took s", justify="right")
    table.add_column("")
    whole = found.seconds or 1.0
    for span in found.stages:
        left = round(span.begun / whole * BAR)
        width = max(1, round(span.seconds / whole * BAR))
        bar = " " * min(left, BAR - 1) + "█" * min(width, BAR - min(left, BAR - 1))
        table.add_row(_plain(span.name), f"{span.begun:.1f}", f"{span.seconds:.1f}", bar)
    console.print(table)
    chain = Table(title="What determined the total time", title_justify="left", show_edge=False, pad_edge=False)
    chain.add_column("resource")
    chain.add_column("took s", justify="right")
    for span in found.critical:
        chain.add_row(_plain(span.name), f"{span.seconds:.1f}")
    console.print(chain)
    if tasks:
        slow = Table(title="Ansible's slowest tasks", title_justify="left", show_edge=False, pad_edge=False)
        slow.add_column("task", overflow="fold")
        slow.add_column("took s", justify="right")
        for task, seconds in tasks:
            slow.add_row(_plain(task), f"{seconds:.1f}")
        console.print(slow)


def throughput_table(rows: Sequence[Mapping[str, Any]], skipped: Mapping[str, str]) -> None:
    """Prints a row per figure, and below it what was skipped and why."""
    table = Table(show_edge=False, pad_edge=False)
    columns = (
        "network",
        "kind",
        "from",
        "to",
        "Gbit/s",
        "±",
        "of node",
        "of link",
        "retransmits",
        "loss %",
        "jitter ms",
        "µs",
    )
    for column in columns:
        table.add_column(column, justify="left" if column in columns[:4] else "right")
    for r in rows:
        optional = (
            "ratioToLink",
            "retransmits",
            "lossPercent",
            "jitterMilliseconds",
            "latencyMicroseconds",
        )
        table.add_row(
            r["network"],
            f"{r['protocol']} × {r['streams']}",
            r["from"],
            r["to"],
            f"{r['gbitsPerSecond']:.2f}",
            f"{r['stddev']:.2f}",
            of_node(r),
            *("" if r.get(key) is None else str(r[key]) for key in optional),
        )
    console = Console(width=None if Console().is_terminal else 160)
    console.print(table)
    for network, why in skipped.items():
        console.print(_plain(f"{network} was skipped: {why}"), highlight=False)
