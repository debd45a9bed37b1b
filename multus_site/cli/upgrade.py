"""`multus-site upgrade`: checks sites for this release, and rewrites the state of stacks that an earlier release applied."""

import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from multus_site.cli.stacks import Stack, last_line, read
from multus_site.cli.upgrade_check import examine, print_report
from multus_site.cli.usage_error import usage_error
from multus_site.review.recorded_commands import StateError, rewrite


def upgrade(
    site: Annotated[
        str | None, typer.Argument(metavar="SITE", help="A site: its name, or its stack file.", show_default=False)
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Change nothing; list what an upgrade to this release requires, for all sites."),
    ] = False,
) -> None:
    """Check sites after an upgrade, or rewrite the state of a stack.

    Releases 0.1.0 and 0.2.0 recorded command lines of modules that have moved since. Rewriting them is
    needed once per stack, before 0.4.0, or before a repository outside our checkout installs the package. It connects to no node.
    Exit status: 0; with --check 0 if there is nothing to do, 1 if there is, 2 if something could not be checked; 2 for a usage error.
    """
    if check:
        raise typer.Exit(print_report(examine(site)))
    if site is None:
        usage_error("which site? Name one: multus-site upgrade dallas; or check them all: multus-site upgrade --check")
    stack = read(site)
    try:
        state, changed = rewrite(json.loads(_must(stack, "export")))
    except StateError as error:
        usage_error(f"stack {stack.name}: {error}")
    if not changed:
        typer.echo(f"stack {stack.name}: its command lines are up to date; nothing to do")
        return
    with tempfile.TemporaryDirectory(prefix="multus-site-") as folder:
        file = Path(folder) / "state.json"
        file.write_text(json.dumps(state), encoding="utf-8")
        _must(stack, "import", "--file", str(file))
    typer.echo(f"stack {stack.name}: {len(changed)} command lines rewritten. Next: pulumi preview --stack {stack.name}")


def _must(stack: Stack, *arguments: str) -> str:
    """The output of `pulumi stack`. Exits 2 with the last line of its error if it fails."""
    done = stack.pulumi("stack", *arguments)
    if done.returncode:
        last = last_line(done)
        usage_error(
            f"pulumi stack {arguments[0]} of stack {stack.name}: {last}; pulumi stack ls shows the stacks of this backend"
        )
    return done.stdout
