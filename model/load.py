"""A site out of plain data or out of its stack file: every mistake at once, each with its place."""

import json
import re
from pathlib import Path as File

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from model.catalog import Catalog
from model.mistakes import Mistake, mistakes_of
from model.positions import Data, Document, Path, YamlMistakeError, at, documents, whole_characters, written
from model.site import Site

SITE_PATH: Path = ("config", "multus-site:site")
"""Where a stack file holds the site."""


class SiteError(ValueError):
    """A site that cannot be read. Its text has a line for each mistake: `<file>:<line>: <path in the site>: <what>`."""

    def __init__(self, source: str, mistakes: list[tuple[Mistake, tuple[int, int] | None]]) -> None:
        self.source, self.mistakes = source, mistakes
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """One line for each mistake; without the file's text there is no line number."""
        return [
            ":".join([self.source, *([str(place[0])] if place else [])])
            + f": {written(mistake.path) or 'site'}: {mistake.message}"
            for mistake, place in self.mistakes
        ]


def parse_site(data: object, *, source: str, text: str | None = None) -> Site:
    """A site out of the value of `multus-site:site`.

    `source` names the file in messages; `text` is that stack file's YAML, for line numbers. Raises SiteError.
    """
    if data is None:
        missing = Mistake((), "missing; write it into the stack file as config: multus-site:site: {name: …, nodes: …}")
        raise SiteError(source, [(missing, None)])
    try:
        return Site.model_validate(data)
    except ValidationError as error:
        mistakes = mistakes_of(error, data)
        raise SiteError(source, _placed(mistakes, _document(text))) from None


def load_stack_file(path: File | str) -> Site:
    """The site that a stack file declares. Raises SiteError."""
    try:
        text = File(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SiteError(str(path), [(Mistake((), f"cannot be read: {error}"), None)]) from None
    return parse_stack_text(text, source=str(path))


def parse_stack_text(text: str, *, source: str) -> Site:
    """The site that the text of a stack file declares. Raises SiteError."""
    try:
        document = next(documents(text), None)
        data = document.data() if document else None
    except YamlMistakeError as mistake:
        found = Mistake((), f"not YAML: {mistake.message} (column {mistake.column})")
        raise SiteError(source, [(found, (mistake.line, mistake.column))]) from None
    return parse_site(site_data(data), source=source, text=text)


class CatalogError(ValueError):
    """A catalogue that cannot be read: the message says why, a line for each mistake."""


def load_catalog(path: File | str) -> Catalog:
    """A catalogue of files and images. Raises CatalogError."""
    try:
        text = File(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror
        msg = f"{path}, the catalogue of artifacts that the site names, cannot be read: {reason}"
        raise CatalogError(msg) from None
    return parse_catalog(text, str(path))


def parse_catalog(text: str, source: str) -> Catalog:
    """A catalogue out of its text. Raises CatalogError."""
    try:
        return Catalog.model_validate(YAML(typ="safe").load(text) or {})
    except YAMLError as error:
        msg = f"{source}: {error}"
    except ValidationError as error:
        msg = "\n".join(
            f"{source}: {'.'.join(map(str, e['loc']))}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors()
        )
    raise CatalogError(msg)


def stacks_beside(path: File | str) -> list[tuple[str, str, Site]]:
    """File, text and site of every other stack file of the same folder; those that cannot be read are passed by."""
    own = File(path)
    found = []
    for file in sorted(own.parent.glob("Pulumi.*.yaml")):
        if file.resolve() == own.resolve():
            continue
        try:
            text = file.read_text(encoding="utf-8")
            found.append((str(file), text, parse_stack_text(text, source=str(file))))
        except (OSError, UnicodeDecodeError, SiteError):
            continue  # its own stack says what is wrong with it
    return found


def site_data(stack: Data) -> Data:
    """The value of `multus-site:site` in a stack file's data; Pulumi also writes objects as a string of JSON."""
    value = at(stack, SITE_PATH)
    if isinstance(value, str) and re.match(r"\s*\{", value):
        try:
            parsed = whole_characters(json.loads(value))
        except ValueError:
            return value
        return parsed
    return value


def _document(text: str | None) -> Document | None:
    return next(documents(text), None) if text is not None else None


def _placed(mistakes: list[Mistake], document: Document | None) -> list[tuple[Mistake, tuple[int, int] | None]]:
    """The mistakes in the order of the file."""
    if document is None:
        return [(mistake, None) for mistake in mistakes]
    try:
        placed = [(document.position((*SITE_PATH, *mistake.path)), mistake) for mistake in mistakes]
    except YamlMistakeError:
        return [(mistake, None) for mistake in mistakes]
    return [(mistake, place) for place, mistake in sorted(placed, key=lambda item: item[0])]
