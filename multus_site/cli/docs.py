"""`multus-site docs`: the pages that are made from the model and the rules."""

from pathlib import Path
from typing import Annotated

import typer

from multus_site.cli.usage_error import write


def docs(folder: Annotated[Path, typer.Argument(help="Folder of the pages.")] = Path("docs")) -> None:
    """Write docs/site.md, docs/linter.md and docs/preflight.md."""
    from multus_site.cli import pages

    for name, page in pages.PAGES.items():
        write(folder / name, page())
        print(folder / name)
