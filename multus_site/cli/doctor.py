"""`multus-site doctor`: what this machine lacks for `pulumi up`."""

import json
from pathlib import Path

import typer

from multus_site.cli.arguments import TextOrJson


def doctor(output: TextOrJson = "text") -> None:
    """Check what this machine lacks for `pulumi up`, and what to type.

    Checks Python, extras, the pulumi CLI and its version, language host, providers, backend, passphrase, SSH key, ssh and git.
    It changes nothing. Exit status: 0 if the next step has all it needs, 1 otherwise.
    """
    from multus_site.cli import machine  # a command's imports are its own: others start without them
    from multus_site.cli.commands import styled

    found = list(machine.checks(Path.cwd()))
    if output == "json":
        print(json.dumps([check.row() for check in found], indent=2))
    else:
        colours = {"ok": "green", "missing": "red", "optional": "yellow"}
        width = max(len(check.name) for check in found)
        for check in found:
            print(f"{styled(f'{check.state:8}', fg=colours[check.state])}  {check.name:{width}}  {check.found}")
            if check.command:
                print(f"{'':{width + 10}}  type: {check.command}")
    raise typer.Exit(1 if any(check.state == "missing" for check in found) else 0)
