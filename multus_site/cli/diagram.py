"""`multus-site diagram`: the network of a site as a picture."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from multus_site.cli.arguments import SiteName
from multus_site.cli.usage_error import usage_error, write, write_bytes


class Format(StrEnum):
    """Format of the picture."""

    svg = "svg"
    png = "png"
    mermaid = "mermaid"
    dot = "dot"


class Theme(StrEnum):
    """Colours on white or on black."""

    light = "light"
    dark = "dark"


def diagram(
    site: SiteName,
    output: Annotated[
        Format | None,
        typer.Option(
            "--format", help="Format of the picture. Default: by the ending of FILE, else svg.", show_default=False
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="File to write.")] = None,
    changed: Annotated[
        Path | None,
        typer.Option(
            "--what-if",
            metavar="FILE",
            help="A changed stack file: draw before and after in one picture.",
            show_default=False,
        ),
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="Show the addresses that pods had at the last `up`.")] = False,
    theme: Annotated[
        Theme | None, typer.Option(help="Theme of svg (default: the reader's theme) or png (default: light).")
    ] = None,
) -> None:
    """Draw a site: nodes, NICs, segments, networks and workloads.

    It reads only the site file, with --what-if another one, and with --live the addresses of the last `pulumi up`.
    Exit status: 0, 2 for a usage error.
    """
    from multus_site.cli import stacks  # a command's imports are its own: others start without them
    from multus_site.render.diagram import cards, layout, mermaid, svg, what_if
    from multus_site.render.diagram.live import pod_interfaces

    output = output or _by_ending(out)
    stack = stacks.read(site)
    pods = pod_interfaces(stack.outputs().get("verification", {})) if live else []
    drawn = cards.diagram(stack.site, pods)
    after = cards.diagram(stacks.read(str(changed)).site) if changed else None
    if after is not None and output not in {Format.svg, Format.png}:
        usage_error(
            f"--what-if draws one picture of two sites, as svg or png; leave out --what-if, or --format {output}"
        )

    def picture_of(theme: str | None) -> str:
        return svg.svg(drawn, theme) if after is None else what_if.what_if(drawn, after, theme)

    if output is Format.png:
        if out is None and sys.stdout.isatty():
            usage_error("a PNG cannot be shown on a terminal; name a file: --out FILE.png")
        picture = svg.png(picture_of(theme or "light"))
        if out is None:
            sys.stdout.buffer.write(picture)
        else:
            write_bytes(out, picture)
            print(_written(out, output, stack.name))
        return
    text = {
        Format.svg: lambda: picture_of(theme),
        Format.mermaid: lambda: mermaid.mermaid(drawn),
        Format.dot: lambda: layout.dot(drawn),
    }[output]()
    if out is None:
        print(text, end="")
    else:
        write(out, text)
        print(_written(out, output, stack.name))


_ENDINGS = {
    ".svg": Format.svg,
    ".png": Format.png,
    ".mmd": Format.mermaid,
    ".mermaid": Format.mermaid,
    ".dot": Format.dot,
}


def _by_ending(out: Path | None) -> Format:
    """The format that a file's name asks for; svg without a file or an ending. Exits 2 for an ending that is none of ours."""
    if out is None or not out.suffix:
        return Format.svg
    if out.suffix.lower() not in _ENDINGS:
        usage_error(
            f"{out}: no picture has the ending {out.suffix}; use one of {', '.join(_ENDINGS)}, or name the --format"
        )
    return _ENDINGS[out.suffix.lower()]


def _written(out: Path, output: Format, stack: str) -> str:
    kind = {Format.mermaid: "Mermaid", Format.dot: "Graphviz"}.get(output, output.upper())
    return f"{out} written: {kind}, the network of {stack}"
