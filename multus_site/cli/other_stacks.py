"""The other stack files of a folder: those that are there, those that came since a commit, and those that went."""

from pathlib import Path
from typing import TYPE_CHECKING

from multus_site.cli import git
from multus_site.model.load import SiteError, parse_stack_text, stacks_beside

if TYPE_CHECKING:
    from multus_site.model.defaults import Defaults
    from multus_site.model.site import Site


def there(file: Path) -> "dict[str, Site]":
    """File → site of those beside a stack file; those that cannot be read are passed by."""
    return {other: site for other, _, site, _ in stacks_beside(file)}


def come(file: Path, ref: str) -> "dict[str, Site]":
    """Those that were not there at a commit."""
    before = git.files(ref, file.parent)
    return {other: site for other, site in there(file).items() if other not in before}


def gone(file: Path, ref: str, defaults: "Defaults | None") -> "dict[str, Site]":
    """Those that were there at a commit, with the defaults of then, and are not any more."""
    found = {}
    for name in git.files(ref, file.parent):
        path = Path(name)
        if path == file or path.exists() or not path.match("Pulumi.*.yaml"):
            continue
        try:
            found[name] = parse_stack_text(git.at(ref, path) or "", source=name, defaults=defaults)
        except SiteError:
            continue  # as it was, nothing can be told of it
    return found
