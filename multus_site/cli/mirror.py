"""`multus-site mirror plan|fetch|verify|serve`: the artifacts of an air-gapped site, in a portable folder."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from multus_site.cli.commands import SETTINGS
from multus_site.cli.project import in_project
from multus_site.cli.usage_error import usage_error

if TYPE_CHECKING:
    from multus_site.model.catalog import Catalog
    from multus_site.model.site import Site

app = typer.Typer(**SETTINGS)

_Site = Annotated[Path, typer.Option("--site", help="The site's stack file, such as stacks/Pulumi.dallas.yaml.")]
_Folder = Annotated[Path, typer.Argument(help="The mirror's folder.")]
_Files = Annotated[str | None, typer.Option(help="URL of another mirror's files, used instead of the original hosts.")]
_Registry = Annotated[str | None, typer.Option(help="Another mirror's registry, used instead of the original ones.")]


@app.callback()
def mirror() -> None:
    """List, download, check and serve what an air-gapped site needs."""


@app.command()
@in_project
def plan(
    site: _Site,
    files_from: _Files = None,
    registry_from: _Registry = None,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,  # typer's way
) -> None:
    """List the files, images, packages and wheels that a site needs."""
    from multus_site.cli import mirror_report
    from multus_site.mirror.planning import planned
    from multus_site.mirror.upstream import Upstream

    with Upstream(files_from, registry_from) as upstream, _explained():
        contents = planned(*_read(site), upstream)
    print(contents.as_json() if json else mirror_report.plan(contents), end="")
    for note in contents.notes:
        print(f"unknown: {note}", file=sys.stderr)
    raise typer.Exit(1 if contents.notes else 0)


@app.command()
@in_project
def fetch(folder: _Folder, site: _Site, files_from: _Files = None, registry_from: _Registry = None) -> None:
    """Download everything into a folder.

    Run it again to continue an interrupted download, or to download what changed.
    """
    from multus_site.cli import mirror_report
    from multus_site.mirror.fetching import fetch as fill
    from multus_site.mirror.planning import found_source, planned
    from multus_site.mirror.upstream import Upstream

    with Upstream(files_from, registry_from) as upstream, _explained():
        read, catalog = _read(site)
        contents = planned(read, catalog, upstream)
        failures = fill(contents, found_source(read).folder, folder, upstream, print)
    if failures:
        print("\n".join(failures), file=sys.stderr)
        again = "Run the same command again to continue"
        print(f"{len(failures)} downloads failed. {again}", file=sys.stderr)
        raise typer.Exit(1)
    print(mirror_report.fetched(contents, folder))


@app.command()
@in_project
def verify(folder: _Folder) -> None:
    """Check every file and every image of a folder against its digest."""
    from multus_site.cli import mirror_report
    from multus_site.mirror.fetching import verify as check

    with _explained():
        contents, wrong = check(folder)
    if wrong:
        print("\n".join(wrong), file=sys.stderr)
        print(f"{len(wrong)} problems; run multus-site mirror fetch again with this folder", file=sys.stderr)
        raise typer.Exit(1)
    print(f"{mirror_report.counts(contents)}: complete, all digests match")


@app.command()
@in_project
def serve(
    folder: _Folder,
    address: Annotated[str, typer.Option(help="Address to listen on.")] = "0.0.0.0",  # noqa: S104 # nodes are elsewhere
    files_port: Annotated[int, typer.Option(min=0, max=65535)] = 8080,
    registry_port: Annotated[int, typer.Option(min=0, max=65535)] = 5000,
) -> None:
    """Serve the folder over HTTP and as a registry.

    It runs until SIGTERM or Ctrl-C.
    """
    from multus_site.mirror.serve import serve as answer

    with _explained():
        answer(folder, address, files_port, registry_port)


def _read(path: Path) -> "tuple[Site, Catalog]":
    """The site and its catalogue."""
    from multus_site.model.load import UPSTREAM, CatalogError, SiteError, load_catalog, load_stack_file

    try:
        site = load_stack_file(path)
        return site, load_catalog(site.artifacts or UPSTREAM)
    except (SiteError, CatalogError) as error:
        usage_error(str(error))


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Turns MirrorError into a message and exit status 1."""
    from multus_site.mirror.contents import MirrorError

    try:
        yield
    except MirrorError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None
