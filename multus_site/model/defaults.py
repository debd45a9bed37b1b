"""What all sites of a folder share: `defaults.yaml` beside the stack files.

One rule: mappings merge by key, everything else is replaced; the site wins.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from multus_site.model.paths import Data, Path, follow
from multus_site.model.yaml_documents import Document, YamlMistakeError, documents

NAME = "defaults.yaml"


class DefaultsError(ValueError):
    """Defaults that cannot be read: the message, and line and column (None where there is no place)."""

    def __init__(self, message: str, place: tuple[int, int] | None) -> None:
        super().__init__(message)
        self.message, self.place = message, place


@dataclass(frozen=True)
class Defaults:
    """The file of defaults: what it is called in messages, and its YAML, which holds what a site holds."""

    file: str
    text: str

    @cached_property
    def document(self) -> Document | None:
        """Its only document. Raises DefaultsError where there are more."""
        found = list(documents(self.text))
        if len(found) > 1:
            msg = "more than one document; write all defaults into one"
            raise DefaultsError(msg, (found[1].lines_before + 1, 1))
        return found[0] if found else None

    @cached_property
    def data(self) -> dict[str, Data]:
        """The defaults as plain data. Raises DefaultsError."""
        try:
            data = self.document.data() if self.document else {}
        except YamlMistakeError as mistake:
            msg = f"not YAML: {mistake.message} (column {mistake.column}); {mistake.right}"
            raise DefaultsError(msg, (mistake.line, mistake.column)) from None
        if data is not None and not isinstance(data, dict):
            msg = "not a mapping; write what a site says, such as kubespray: {version: v2.31.0}"
            raise DefaultsError(msg, (1, 1))
        if data and data.keys() & {"config", "encryptionsalt"}:
            msg = "a stack file's keys; write what stands under multus-site:site, such as kubespray: {version: v2.31.0}"
            raise DefaultsError(msg, self.document.position(("config",)) if self.document else None)
        return data or {}

    def under(self, site: Data) -> Data:
        """The site with the defaults under it."""
        return merge(self.data, site) if isinstance(site, dict) else site

    def hold(self, path: Path, site: Data) -> bool:
        """Whether what stands at a path of the merged site is from here; `site` is the site's own data."""
        return follow(self.data, path)[1] > follow(site, path)[1]


def merge(under: Mapping[str, Data], over: Mapping[str, Data]) -> dict[str, Data]:
    """Two mappings as one: keys of either, mappings in both merged again, else what is `over`."""
    found: dict[str, Data] = {**under}
    for key, value in over.items():
        below = found.get(key)
        found[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return found


def sort_keys(data: Data) -> Data:
    """The same with the keys of every mapping sorted, as Pulumi hands a site over: where a value comes from is then no difference."""
    if isinstance(data, dict):
        return {key: sort_keys(data[key]) for key in sorted(data)}
    return [sort_keys(item) for item in data] if isinstance(data, list) else data
