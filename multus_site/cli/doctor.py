"""`multus-site doctor`: what this machine lacks for `pulumi up`."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """Output format."""

    text = "text"
    json = "json"


def doctor(
    output: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.text,
) -> None:
    """Check what this machine lacks for `pulumi up`, and what to type.

    Checks Python, extras, the pulumi CLI and its version, language host, providers, backend, passphrase, SSH key, ssh and git.
    It changes nothing. Exit status: 0 if the next step has all it needs, 1 otherwise.
    """
    from multus_site.cli import machine  # a command's imports are its own: others start without them
    from multus_site.cli.commands import styled

    found = list(machine.checks(Path.cwd()))
    if output is Format.json:
        print(json.dumps([check.row() for check in found], indent=2))
    else:
        colours = {"ok": "green", "missing": "red", "optional": "yellow"}
        width = max(len(check.name) for check in found)
        for check in found:
            print(f"{styled(f'{check.state:8}', fg=colours[check.state])}  {check.name:{width}}  {check.found}")
            if check.command:
                print(f"{'':{width + 10}}  type: {check.command}")
    raise typer.Exit(1 if any(check.state == "missing" for check in found) else 0)
