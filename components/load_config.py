"""The site and its catalogue, from the stack's configuration; mistakes stop the program before it creates a resource."""

from pathlib import Path

import pulumi

from multus_site.lint import StackFile, check_stack
from multus_site.model.catalog import Catalog
from multus_site.model.load import (
    UPSTREAM,
    CatalogError,
    SiteError,
    defaults_beside,
    load_catalog,
    parse_site,
    site_data,
    stacks_beside,
)
from multus_site.model.site import Site
from multus_site.model.yaml_documents import YamlMistakeError, documents
from multus_site.render import air_gap


def read_site(config: pulumi.Config) -> tuple[Site, Catalog]:
    """The stack's site and the catalogue of its files and images.

    Raises pulumi.RunError with every mistake and every error that lint finds, one per line; warnings are logged.
    """
    file = f"stacks/Pulumi.{pulumi.get_stack()}.yaml"
    data = config.get_object("site")
    text = text_of(file, data)
    source = file if text is not None or data is None else f"configuration of stack {pulumi.get_stack()}"
    try:
        defaults = defaults_beside(file)
        site = parse_site(data, source=source, text=text, defaults=defaults, ordered=True)
    except SiteError as error:
        raise pulumi.RunError(str(error)) from None
    # With --config-file, the stack's own file may be in the folder too: a site is not compared with itself.
    others = [StackFile(*other) for other in stacks_beside(file) if text is not None or other[2] != site]
    findings = check_stack(StackFile(source, text, site, defaults), others)
    for finding in findings:
        if finding.level == "warning":
            pulumi.log.warn(finding.line_of_text())
    errors = [finding.line_of_text() for finding in findings if finding.level == "error"]
    if errors:
        raise pulumi.RunError("\n".join(errors))
    return site, air_gap.catalog(site, read_catalog(Path(site.artifacts) if site.artifacts else UPSTREAM))


def text_of(file: str, data: object) -> str | None:
    """The stack file's text, if Pulumi read that file: with --config-file, lines and comments are in another file."""
    try:
        text = Path(file).read_text(encoding="utf-8")
        document = next(documents(text), None)
        written = site_data(document.data()) if document else None
    except (OSError, UnicodeDecodeError, YamlMistakeError):
        return None
    return text if _same(written, data) else None


def _same(written: object, read: object) -> bool:
    """Whether a value is what the file contains; an encrypted value matches anything."""
    if isinstance(written, dict) and written.keys() == {"secure"}:
        return True
    if isinstance(written, dict) and isinstance(read, dict):
        keyed = {str(key): value for key, value in written.items()}
        return keyed.keys() == read.keys() and all(_same(keyed[key], read[key]) for key in read)
    if isinstance(written, list) and isinstance(read, list):
        return len(written) == len(read) and all(map(_same, written, read))
    return written == read


def read_catalog(path: Path) -> Catalog:
    """A catalogue of files and images. Raises pulumi.RunError if it is missing or wrong."""
    try:
        return load_catalog(path)
    except CatalogError as error:
        raise pulumi.RunError(str(error)) from None
