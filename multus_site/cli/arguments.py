"""Arguments and options that several commands take."""

from typing import Annotated, Literal

import typer

SiteName = Annotated[str, typer.Argument(metavar="SITE", help="Name of a stack, or its file.", show_default=False)]
StackName = Annotated[str, typer.Argument(metavar="STACK", help="Name of a stack, or its file.", show_default=False)]
TextOrJson = Annotated[Literal["text", "json"], typer.Option("--format", help="Output format.")]
