"""Compares two stack files, for `multus-site review OLD NEW`: without pulumi, a state or a commit."""

from pathlib import Path
from typing import Any

from multus_site.cli import stacks
from multus_site.cli.compared_files import Base, catalog_of, findings_of, planned, playbooks, site_at
from multus_site.cli.usage_error import usage_error
from multus_site.model.load import SiteError, defaults_beside, load_stack_file, parse_stack_text, read_text
from multus_site.review.compose import compose
from multus_site.review.data import Review
from multus_site.review.effects import Change
from multus_site.review.preview import Preview


def two_files(before: str, after: Path) -> tuple[str, Path, Base]:
    """The stack's name and file after a change, and the file before it. Exits 2 if one of them cannot be read."""
    name, file = stacks.name_and_file(str(after))
    _, old = stacks.name_and_file(before)
    for path in (old, file):
        if not path.exists():
            usage_error(f"{path} does not exist; name two stack files, the one before the change first")
    try:
        text, defaults = read_text(old), defaults_beside(old)
        parse_stack_text(text, source=str(old), defaults=defaults)  # else nothing can be compared
    except SiteError as error:
        usage_error(str(error))
    return name, file, Base(f"as {old} declares it", "", text, defaults)


def compared(name: str, file: Path, held: Base) -> Review:
    """The review of two files, from what they declare alone."""
    rows: tuple[dict[str, Any], ...] = ()
    try:
        rows = tuple(finding.data() for finding in findings_of(file, {}))
        new = load_stack_file(file)
    except SiteError as error:
        return Review(name, name, held.said, "compared", findings=rows, errors=() if rows else tuple(error.lines()))
    old = site_at(held)
    change = Change(old, new, catalog_of(old, ""), catalog_of(new, ""))
    runs, refused = planned(change)
    return compose(name, held.said, change, Preview(errors=refused), playbooks(runs), rows, stateless="compared")
