"""`multus-site --version`: the version of this program, which `multus_site.__version__` says and nothing else."""

from typing import Annotated

import typer

from multus_site import __version__


def _print(asked: bool) -> None:
    if asked:
        print(f"multus-site {__version__}")
        raise typer.Exit


def version(
    version: Annotated[
        bool, typer.Option("--version", callback=_print, is_eager=True, help="Print the version of this program.")
    ] = False,
) -> None:
    """Multi-interface Kubernetes pods at telecom sites, as code."""
    del version
