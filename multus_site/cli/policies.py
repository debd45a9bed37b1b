"""`multus-site policies`: checks a site against the policies of the organisation."""

import tempfile
from pathlib import Path

import typer

from multus_site.cli.arguments import StackName


def policies(
    stack: StackName,
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
