"""Reads a site from plain data or from its stack file: every mistake at once, each with its place."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as File

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from multus_site.model.catalog import Catalog
from multus_site.model.defaults import NAME, Defaults, DefaultsError, sort_keys
from multus_site.model.part import Mistake
from multus_site.model.paths import Data, Path, path_text, replace_half_characters, value_at
from multus_site.model.plain_scalars import misread
from multus_site.model.pydantic_errors import mistakes_of
from multus_site.model.site import Site
from multus_site.model.yaml_documents import YamlMistakeError, documents

UPSTREAM = File(__file__).parents[1] / "artifacts.yaml"
"""The catalogue of a site that names none."""

SITE_PATH: Path = ("config", "multus-site:site")
"""Where a stack file holds the site."""


@dataclass(frozen=True, order=True)
class Place:
    """A place in a file; line and column count from 1, and are 0 where the file's text is not known."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class SiteError(ValueError):
    """A site that cannot be read. Its text has a line for each mistake: `<file>:<line>: <path in the site>: <what>`."""

    def __init__(self, mistakes: list[tuple[Mistake, Place]], data: Data = None) -> None:
        self.mistakes = mistakes
        self.data = data
        """The site with its defaults, as plain data; None if it could not be read."""
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """One line for each mistake; without the file's text there is no line number."""
        return [f"{place}: {path_text(mistake.path) or 'site'}: {mistake.message}" for mistake, place in self.mistakes]


def parse_site(
    data: object, *, source: str, text: str | None = None, defaults: Defaults | None = None, ordered: bool = False
) -> Site:
    """Read a site from the value of `multus-site:site`, merged over the defaults of its folder.

    `source` names the file in messages; `text` is that stack file's YAML, for line numbers. `ordered`: mappings are sorted by key, whichever
    file they come from; else they stay in the order of the files. Raises SiteError.
    """
    if data is None:
        missing = Mistake((), "missing; write it into the stack file as config: multus-site:site: {name: …, nodes: …}")
        raise SiteError([(missing, place_of((), None, source=source, text=text))])
    merged = data
    if defaults is not None:
        try:
            merged = defaults.under(data)  # type: ignore[arg-type]  # what is no mapping stays for the model to refuse
        except DefaultsError as error:
            raise SiteError([(Mistake((), error.message), Place(defaults.file, *(error.place or ())))]) from None
    odd = list(_misread(text))
    try:
        # Keys in camelCase only, as in the JSON Schema; Python code also uses the attributes' names.
        site = Site.model_validate(sort_keys(merged) if ordered else merged, by_alias=True, by_name=False)  # type: ignore[arg-type]  # the same
        mistakes: list[Mistake] = []
    except ValidationError as error:
        mistakes = mistakes_of(error, merged)
    told = {mistake.path for mistake in odd}
    mistakes = [*odd, *(mistake for mistake in mistakes if mistake.path not in told)]
    if not mistakes:
        return site
    places = [(place_of(m.path, data, source=source, text=text, defaults=defaults), m) for m in mistakes]  # type: ignore[arg-type]  # the same
    if text is not None:
        # in the order of the file, mistakes of the defaults last
        places.sort(key=lambda item: (item[0].file != source, item[0]))
    raise SiteError([(mistake, place) for place, mistake in places], merged)  # type: ignore[arg-type]  # the same


def _misread(text: str | None) -> Iterator[Mistake]:
    try:
        document = next(documents(text), None) if text is not None else None
        yield from misread(document, SITE_PATH) if document else ()
    except YamlMistakeError:
        return


def read_text(path: File | str) -> str:
    """The text of a stack file, or of defaults. Raises SiteError where it cannot be read."""
    try:
        return File(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        message = f"cannot be read: byte {error.object[error.start]:#04x} is not UTF-8; save the file as UTF-8"
        raise SiteError([(Mistake((), message), Place(str(path), line))]) from None
    except OSError as error:
        message = f"cannot be read: {error.strerror}; put a file of YAML there"
        raise SiteError([(Mistake((), message), Place(str(path)))]) from None


def load_stack_file(path: File | str) -> Site:
    """The site that a stack file declares, with the defaults of its folder. Raises SiteError."""
    return parse_stack_text(read_text(path), source=str(path), defaults=defaults_beside(path))


def parse_stack_text(text: str, *, source: str, defaults: Defaults | None = None) -> Site:
    """The site that the text of a stack file declares. Raises SiteError."""
    try:
        document = next(documents(text), None)
        data = document.data() if document else None
    except YamlMistakeError as mistake:
        found = Mistake((), f"not YAML: {mistake.message} (column {mistake.column}); {mistake.right}")
        raise SiteError([(found, Place(source, mistake.line, mistake.column))]) from None
    return parse_site(site_data(data), source=source, text=text, defaults=defaults)


def defaults_beside(path: File | str) -> Defaults | None:
    """The defaults of a stack file's folder; None where there are none. Raises SiteError where they cannot be read."""
    file = File(path).parent / NAME
    return Defaults(str(file), read_text(file)) if file.is_file() else None


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
    """Read a catalogue from its text. Raises CatalogError."""
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


def stacks_beside(path: File | str) -> list[tuple[str, str, Site, Defaults | None]]:
    """File, text, site and defaults of every other stack file of the same folder; unreadable ones are skipped."""
    own = File(path)
    found = []
    try:
        defaults = defaults_beside(path)
    except SiteError:
        return []  # its own stack says what is wrong with them
    for file in sorted(own.parent.glob("Pulumi.*.yaml")):
        if file.resolve() == own.resolve():
            continue
        try:
            text = read_text(file)
            found.append((str(file), text, parse_stack_text(text, source=str(file), defaults=defaults), defaults))
        except SiteError:
            continue  # its own stack says what is wrong with it
    return found


def site_data(stack: Data) -> Data:
    """The value of `multus-site:site` in a stack file's data; Pulumi also writes objects as a string of JSON."""
    value = value_at(stack, SITE_PATH)
    if isinstance(value, str) and re.match(r"\s*\{", value):
        try:
            parsed = replace_half_characters(json.loads(value))
        except ValueError:
            return value
        return parsed
    return value


def place_of(path: Path, data: Data, *, source: str, text: str | None, defaults: Defaults | None = None) -> Place:
    """The place of a path of a merged site: in the stack file `source`, or in the defaults. `data` is the site's own."""
    if defaults is not None and defaults.hold(path, data):
        document, file = defaults.document, defaults.file
    else:
        document, file = next(documents(text), None) if text is not None else None, source
        path = (*SITE_PATH, *path)
    if document is None:
        return Place(file)
    try:
        return Place(file, *document.position(path))
    except YamlMistakeError:
        return Place(file)
