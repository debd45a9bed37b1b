"""`python -m cli policies`: what the organisation's policies say of a site, before anything is applied."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer


def policies(
    stack: Annotated[str, typer.Argument(metavar="STACK", help="Name of a stack, or its file.", show_default=False)],
    settings: Annotated[
        Path, typer.Option("--settings", metavar="FILE", help="The organisation's settings, JSON (docs/policy.md).")
    ] = Path("policy/organisation.json"),
) -> None:
    """Preview a stack with the policy pack of this project. A stack that is not there yet is previewed as a new one.

    Exit status: 0 if no mandatory policy is violated, 1 if one is or the preview has errors, 2 for wrong use.
    """
    from cli import previewing, stacks  # a command's imports are its own: others start without them
    from cli.wrong_use import wrong_use

    if not settings.is_file():
        wrong_use(
            f"there is no {settings}; name the organisation's settings: --settings FILE. A file with {{}} has none"
        )
    read = stacks.read(stack)
    there = previewing.known(read).there
    with (
        tempfile.TemporaryDirectory(prefix="multus-site-") as name,
        previewing.place(read, Path(name), there=there) as (folder, environment),
    ):
        options = ("--policy-pack", "policy", "--policy-pack-config", str(settings.resolve()))
        done = read.pulumi("preview", *options, seconds=previewing.SECONDS, folder=folder, environment=environment)
    print(done.stdout + done.stderr, end="")
    raise typer.Exit(1 if done.returncode else 0)
