"""The end of `make lab`: the table of pods and interfaces, the times, and the next commands."""

import re
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

NEXT = """Next commands:
  make lab-shell   a shell with kubectl and pulumi pointing at the lab
  make test        all tests, on this lab too
  make lab-down    takes it down; the cache stays, so the next make lab is quick"""


def show(
    console: Console, verification: Mapping[str, Any], changes: Mapping[str, int], times: Mapping[str, float]
) -> None:
    """Prints the results as a table, then the times and the next commands."""
    console.print()
    console.print(table(verification))
    changed = ", ".join(f"{n} {op}" for op, n in changes.items() if op != "same") or "nothing to do"
    console.print(
        f"pulumi up: {changed}, {changes.get('same', 0)} unchanged; all stages took {sum(times.values()):.0f} s"
    )
    console.print()
    console.print(NEXT, highlight=False)


def table(verification: Mapping[str, Any]) -> Table:
    """One row per pod and interface: pod, node, interface, network, address, gateway ping."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for check in verification["checks"]:
        if not (check["pod"] and check["network"]):
            continue
        row = rows.setdefault((check["pod"], check["interface"]), {"node": check["node"], "network": check["network"]})
        row[check["check"]] = _cell(check)
    shown = Table(title="Proof: " + ("every check passed" if verification["passed"] else "checks failed"))
    for column in ("pod", "node", "interface", "network", "address", "gateway ping"):
        shown.add_column(column, overflow="fold")
    for (pod, interface), row in rows.items():
        shown.add_row(pod, row["node"], interface, row["network"], row.get("address", ""), row.get("gateway-ping", ""))
    return shown


def _cell(check: Mapping[str, Any]) -> str:
    detail = str(check["detail"])
    mark = "[green]✓[/]" if check["ok"] else "[red]✗[/]"
    if check["check"] == "gateway-ping":
        gateway = detail.partition(":")[0]
        times = re.search(r"= [\d.]+/([\d.]+)/", detail)
        return f"{mark} {gateway}" + (f", {times[1]} ms" if times else "")
    return f"{mark} {detail.partition(';')[0]}"
