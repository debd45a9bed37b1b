"""`multus-site comment`: a text as one comment under the pull request that a pipeline runs for, edited from then on."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from multus_site.cli.usage_error import wrong_use


def comment(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Markdown, or - for standard input.", show_default=False)],
    key: Annotated[str, typer.Option(metavar="KEY", help="Tells comments of one pull request apart.")] = "review",
) -> None:
    """Post a text under a pull request of GitHub or a merge request of GitLab; the comment of an earlier run is edited.

    An empty text makes no comment, and says in one that is there that nothing is left to say. Where and as whom is in the
    variables that the pipeline sets, and in GITHUB_TOKEN or GITLAB_TOKEN. Exit status: 0, 1 if the service refuses, 2 for wrong use.
    """
    from multus_site.cli import files, hosting  # a command's imports are its own: others start without them

    try:
        text = sys.stdin.read() if file == "-" else files.read(Path(file))
        service = hosting.service(os.environ)
    except (files.FilesError, hosting.NoRequestError) as error:
        wrong_use(str(error))
    try:
        print(hosting.publish(service, text, key))
    except hosting.RefusedError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None
