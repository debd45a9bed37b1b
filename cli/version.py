"""`python -m cli --version`: the version of this program, which pyproject.toml says and nothing else."""

import tomllib
from pathlib import Path
from typing import Annotated

import typer

_PROJECT = Path(__file__).parents[1] / "pyproject.toml"


def _print(asked: bool) -> None:
    if asked:
        print(f"multus-site {tomllib.loads(_PROJECT.read_text(encoding='utf-8'))['project']['version']}")
        raise typer.Exit


def version(
    version: Annotated[
        bool, typer.Option("--version", callback=_print, is_eager=True, help="Print the version of this program.")
    ] = False,
) -> None:
    """Multi-interface Kubernetes pods at telecom sites, as code."""
    del version
