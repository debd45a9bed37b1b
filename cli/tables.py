"""Results as people read them in a terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table


def checks_table(site: str, verification: Mapping[str, Any], seconds: float) -> None:
    """A line for each thing that was looked at, with the checks that it passed and what it failed."""
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
        table.add_row("[red]✗[/]" if failed else "[green]✓[/]", about, interface, network, "\n".join(lines))
    console = Console(width=None if Console().is_terminal else 160)
    console.print(table)
    bad = sum(not c["ok"] for c in verification["checks"])
    count = len(verification["checks"])
    verdict = f"{bad} of {count} checks failed" if bad else f"all {count} checks passed"
    console.print(f"{site}: {verdict}, {seconds:.0f} s", highlight=False)


def _plain(text: str) -> str:
    return text.replace("[", r"\[")
