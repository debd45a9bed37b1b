"""What `multus-site review` reads from files and commits: sites before and after, findings, catalogues, runs of Kubespray."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from multus_site.cli import git
from multus_site.kubespray.document import KubesprayError
from multus_site.kubespray.of_site import planned_from
from multus_site.kubespray.preview import row
from multus_site.lint.files import Linter
from multus_site.lint.finding import Finding
from multus_site.lint.segments import StackFile
from multus_site.model.catalog import Catalog
from multus_site.model.defaults import Defaults
from multus_site.model.load import (
    UPSTREAM,
    CatalogError,
    SiteError,
    defaults_beside,
    load_catalog,
    parse_catalog,
    parse_stack_text,
    read_text,
    stacks_beside,
)
from multus_site.model.site import Site
from multus_site.render import air_gap
from multus_site.review.data import Playbook
from multus_site.review.effects import Change


@dataclass(frozen=True)
class Base:
    """The commit to compare with: its description, and the stack file and defaults at that commit."""

    said: str = ""
    ref: str = ""
    text: str | None = None
    defaults: "Defaults | None" = None
    lines: Mapping[str, set[int] | None] = field(default_factory=dict)
    """Stack file, and defaults → lines that changed since; None or missing: all."""


def playbooks(runs: list[dict[str, Any]]) -> "list[Playbook]":

    return [Playbook(**{**run, "hosts": tuple(run["hosts"]), "limit": tuple(run["limit"])}) for run in runs]


def planned(change: "Change") -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """The runs of Kubespray from one site to the other, or why it cannot do them."""
    if change.old is None:
        return [], ()
    variables, later = (
        {**catalog.kubespray.variables, **site.kubespray.all_variables()}
        for site, catalog in ((change.old, change.old_catalog), (change.new, change.new_catalog))
    )
    try:
        return [row(run) for run in planned_from(change.old, change.new, variables, later)], ()
    except KubesprayError as error:
        return [], tuple(str(error).splitlines())


def site_at(held: Base) -> "Site | None":

    try:
        return parse_stack_text(held.text, source="", defaults=held.defaults) if held.text is not None else None
    except SiteError:
        return None


def findings_of(file: Path, lines: Mapping[str, set[int] | None]) -> "Iterator[Finding]":
    """Lint's findings on changed lines, and its errors on all lines, since they stop `up`. Raises SiteError if a file cannot be read."""
    linter, defaults = Linter(), defaults_beside(file)
    linter.add(read_text(file), str(file), defaults=defaults)
    if defaults is not None:
        linter.add(defaults.text, defaults.file, sure=True)  # what its comments allow
    linter.others += [StackFile(*other) for other in stacks_beside(file)]
    for finding in linter.findings():
        changed = lines.get(finding.file)
        if changed is None or finding.line in changed or finding.level == "error":
            yield finding


def catalog_of(site: "Site | None", ref: str) -> "Catalog":
    """The catalogue of a site, at a commit if one is given; empty if it cannot be read.

    A site that names no catalogue has that of the installed release, at every commit.
    """
    if site is None:
        return Catalog()
    path = Path(site.artifacts) if site.artifacts else UPSTREAM
    text = git.at(ref, path) if ref and site.artifacts else None
    try:
        return air_gap.catalog(site, parse_catalog(text, str(path)) if text is not None else load_catalog(path))
    except CatalogError:
        return Catalog()  # the preview says so
