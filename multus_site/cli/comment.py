"""`multus-site comment`: posts a text as one comment on a pull request, and edits it later."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from multus_site.cli.usage_error import usage_error


def comment(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Markdown, or - for standard input.", show_default=False)
    ],
    key: Annotated[
        str, typer.Option(metavar="KEY", help="Identifies the comment, if a pull request has several.")
    ] = "review",
) -> None:
    """Post a text as a comment on a pull request or merge request.

    A later run edits the comment. An empty text adds no comment, and replaces an existing one with a note that the change
    no longer affects any site. The variables of the pipeline (GitHub, GitLab) select the request; GITHUB_TOKEN or GITLAB_TOKEN
    is the token. Exit status: 0, 1 if the service refuses, 2 for a usage error.
    """
    from multus_site.cli import files, hosting  # a command's imports are its own: others start without them

    try:
        text = sys.stdin.read() if str(file) == "-" else files.read(file)
        service = hosting.service(os.environ)
    except (files.FilesError, hosting.NoRequestError) as error:
        usage_error(str(error))
    try:
        print(hosting.publish(service, text, key))
    except hosting.RefusedError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None
