"""`multus-site policies`: checks a site against the policies of the organisation."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer


def policies(
    stack: Annotated[str, typer.Argument(metavar="STACK", help="Name of a stack, or its file.", show_default=False)],
) -> None:
    """Check a stack against the policies of the organisation.

    It previews the stack with the policy pack of this project and the settings in policy/organisation.json. A stack that does not
    exist yet is previewed as a new one.
    Exit status: 0 if no mandatory policy is violated, 1 if one is or the preview has errors, 2 for a usage error.
    """
    from multus_site.cli import stack_preview, stacks  # a command's imports are its own: others start without them

    read = stacks.read(stacks.own(stack)[0])
    there = stack_preview.known(read).there
    with (
        tempfile.TemporaryDirectory(prefix="multus-site-") as name,
        stack_preview.place(read, Path(name), there=there) as (folder, environment),
    ):
        command = ("preview", "--policy-pack", "policy")
        done = read.pulumi(*command, seconds=stack_preview.SECONDS, folder=folder, environment=environment)
    print(done.stdout + done.stderr, end="")
    raise typer.Exit(1 if done.returncode else 0)
