"""The site and its catalogue, out of the stack's configuration; what is wrong with them, before any resource is made."""

from pathlib import Path

import pulumi
from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from model.catalog import Catalog
from model.load import SiteError, parse_site
from model.site import Site
from rules import check_site

UPSTREAM = Path(__file__).parent.parent / "artifacts.yaml"


def read_site(config: pulumi.Config) -> tuple[Site, Catalog]:
    """The stack's site and the catalogue of its files and images.

    Raises pulumi.RunError with every mistake and every finding that is an error, a line each; warnings become Pulumi's.
    """
    file = f"stacks/Pulumi.{pulumi.get_stack()}.yaml"
    text = Path(file).read_text(encoding="utf-8") if Path(file).is_file() else None
    try:
        site = parse_site(config.get_object("site"), source=file, text=text)
    except SiteError as error:
        raise pulumi.RunError(str(error)) from None
    findings = check_site(site, file=file, text=text)
    for finding in findings:
        if finding.level == "warning":
            pulumi.log.warn(finding.line_of_text())
    errors = [finding.line_of_text() for finding in findings if finding.level == "error"]
    if errors:
        raise pulumi.RunError("\n".join(errors))
    return site, read_catalog(Path(site.artifacts) if site.artifacts else UPSTREAM)


def read_catalog(path: Path) -> Catalog:
    """A catalogue of files and images. Raises pulumi.RunError where it is missing or wrong."""
    try:
        data = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
        return Catalog.model_validate(data or {})
    except OSError as error:
        msg = f"{path}, the catalogue of artifacts that the site names, cannot be read: {error.strerror}"
    except YAMLError as error:
        msg = f"{path}: {error}"
    except ValidationError as error:
        msg = "\n".join(f"{path}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
    raise pulumi.RunError(msg)
