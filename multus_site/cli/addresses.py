"""`multus-site addresses`: the address plan of a site, and the addresses in use."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from multus_site.cli.usage_error import usage_error

if TYPE_CHECKING:
    from multus_site.render.address_plan import Line


def addresses(
    site: Annotated[str, typer.Argument(help="A site's name, or its stack file.")],
    kubeconfig: Annotated[
        Path | None, typer.Option(help="Kubeconfig of the running cluster, to show the addresses in use.")
    ] = None,
    context: Annotated[str | None, typer.Option(help="Context of the kubeconfig.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
) -> None:
    """Print the address plan of a site: ranges, and who may use them.

    With --kubeconfig or --context it shows the addresses in use too, and those that host-local has reserved on the nodes.
    Exit status: 0, 1 if an address is taken twice or outside the ranges of its network, 2 for a usage error.
    """
    import asyncio  # a command's imports are its own

    from multus_site.cli import stacks
    from multus_site.render import address_plan

    read = stacks.read(site).site
    live: list[address_plan.Taken] = []
    held: list[address_plan.Reserved] = []
    notes: list[str] = []
    if kubeconfig is not None or context is not None:
        from multus_site.verify.addresses import LiveAddressesError  # of an extra
        from multus_site.verify.addresses import read as read_live

        try:
            found = asyncio.run(read_live(str(kubeconfig) if kubeconfig else None, context))
        except LiveAddressesError as error:
            usage_error(str(error))
        live, held, notes = list(found.taken), list(found.reserved), [*found.unread, *found.leaked]
    lines = address_plan.plan(read, live, held)
    wrong = [
        *_twice(lines),
        *(f"{t.address} of {t.pod} is in no range of {t.network}" for t in address_plan.outside(read, live)),
    ]
    if as_json:
        print(json.dumps({"lines": [line.row() for line in lines], "wrong": wrong, "notes": notes}, indent=2))
    else:
        print("\n".join(_text(lines, asked_live=kubeconfig is not None or context is not None)))
    for sentence in (*wrong, *notes):
        print(sentence, file=sys.stderr)
    raise typer.Exit(1 if wrong else 0)


def _twice(lines: "list[Line]") -> list[str]:
    found = []
    for line in lines:
        holders: dict[str, list[str]] = {}
        for t in line.taken:
            holders.setdefault(t.address, []).append(t.pod)
        found += [
            f"{address} of {line.network} is in use by {' and '.join(pods)}"
            for address, pods in holders.items()
            if len(pods) > 1
        ]
    return found


def _text(lines: "list[Line]", *, asked_live: bool) -> list[str]:
    heads = [
        "network",
        "ipam",
        "range",
        "gateway",
        "addresses",
        "requested",
        *(["in use", "reserved", "full"] if asked_live else []),
    ]
    rows = []
    for line in lines:
        held = str(len(line.reserved)) if line.ipam == "host-local" else "-"
        live = [str(len(line.taken)), held, f"{line.full:.0%}"] if asked_live else []
        size = str(line.size) if line.size else "-"
        rows.append([line.network, line.ipam, line.range, line.gateway or "-", size, str(line.asked), *live])
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    shown = [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in [heads, *rows]
    ]
    out = [shown[0]]
    for line, text in zip(lines, shown[1:], strict=True):
        out.append(text)
        out += [f"    for {who}" for who in line.who]
        out += [f"    {t.address}  {t.pod} on {t.node}" for t in line.taken]
    return out
