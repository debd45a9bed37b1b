"""The most similar of many names, for hints."""

import difflib
from bisect import bisect_left
from collections.abc import Iterable

_NEIGHBOURS = 8


class Names:
    """Names in both directions of the alphabet. A misspelled name has its beginning or its end in common with the right one."""

    def __init__(self, names: Iterable[str]) -> None:
        self.sorted = sorted(set(names))
        self._reversed = sorted(name[::-1] for name in self.sorted)

    def near(self, name: str, least: float) -> str:
        """The most similar name among the neighbours of a name, empty if none is similar (difflib's ratio)."""
        candidates = [
            *_around(self.sorted, name),
            *(found[::-1] for found in _around(self._reversed, name[::-1])),
        ]
        return next(iter(difflib.get_close_matches(name, list(dict.fromkeys(candidates)), 1, least)), "")


def _around(names: list[str], name: str) -> list[str]:
    at = bisect_left(names, name)
    return names[max(0, at - _NEIGHBOURS) : at + _NEIGHBOURS]
