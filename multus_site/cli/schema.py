"""`multus-site schema`: the JSON Schema of a stack file, for editors."""

from pathlib import Path
from typing import Annotated

import typer

from multus_site.cli.usage_error import write


def schema(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write it to a file, such as stacks/site.schema.json.")
    ] = None,
) -> None:
    """Print the JSON Schema of a stack file, for editors.

    Editors complete keys if the first line of the file is `# yaml-language-server: $schema=./site.schema.json`.
    """
    from multus_site.cli.schema_text import schema_text  # a command's imports are its own

    text = schema_text()
    if output is None:
        print(text, end="")
    else:
        write(output, text)
