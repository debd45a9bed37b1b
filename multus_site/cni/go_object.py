"""A JSON object as Go decodes it into a struct: keys in any case, null as absent. Standard library only: pods run it too."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from multus_site.model.paths import Data, Path


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A JSON object with case-insensitive keys; the last duplicate wins, as in encoding/json."""

    data: dict[str, Data]
    path: Path
    keys: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", {str(key).lower(): key for key in self.data})

    def get(self, name: str) -> Data:
        """The value of a key; None if it is absent or null, which are the same to Go."""
        if name in self.data and len(self.keys) == len(self.data):
            return self.data[name]
        key = self.keys.get(name.lower())
        return self.data[key] if key is not None else None

    def has(self, name: str) -> bool:
        """Whether the key exists and is not null."""
        return self.get(name) is not None

    def key(self, name: str) -> str:
        """The key as written, for paths."""
        return self.keys.get(name.lower(), name)

    def text(self, name: str) -> str:
        """Text of a key; empty if it is absent or not text."""
        value = self.get(name)
        return value if isinstance(value, str) else ""

    def integer(self, name: str) -> int | None:
        """Whole number of a key; None for anything else."""
        value = self.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def entries(self, name: str) -> list[Data]:
        """Entries of a list; none if it is absent or not a list."""
        value = self.get(name)
        return value if isinstance(value, list) else []

    def texts(self, name: str) -> list[str]:
        """Entries of a list of text. Go reads null as empty text; any other entry makes it refuse the whole list, so there are none."""
        found = self.entries(name)
        texts = [entry or "" for entry in found if entry is None or isinstance(entry, str)]
        return texts if len(texts) == len(found) else []

    def objects(self, name: str) -> Iterator["Part"]:
        """Objects of a list, each with its path relative to this part."""
        for i, entry in enumerate(self.entries(name)):
            if isinstance(entry, dict):
                yield Part(entry, (self.key(name), i))
