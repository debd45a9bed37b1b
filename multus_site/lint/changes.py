"""Changes that a rule proposes where there is exactly one right answer, as data. multus_site/lint/fixes.py makes them in files."""

from dataclasses import dataclass

from multus_site.model.paths import Data, Path


@dataclass(frozen=True, slots=True)
class Replace:
    """The value at a path becomes another one; an entry of a list can become several."""

    path: Path
    values: tuple[Data, ...]


@dataclass(frozen=True, slots=True)
class Rename:
    """A key gets another name."""

    path: Path
    key: str


@dataclass(frozen=True, slots=True)
class Remove:
    """A key of an object goes, with its value."""

    path: Path


@dataclass(frozen=True, slots=True)
class Add:
    """An object gets a key, before one that it has."""

    path: Path
    """Of the key before which it is added."""
    key: str
    value: Data


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Characters of a text that is not JSON yet, `length` from the problem's offset, become others."""

    path: Path
    offset: int
    length: int
    text: str


Change = Replace | Rename | Remove | Add | Rewrite
