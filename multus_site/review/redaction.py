"""Remove what may be a secret from a review, as the last step before output."""

import re
from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from typing import Any

from multus_site.kubespray.masking import MASK, Masking
from multus_site.review.data import Review

_IN_URL = re.compile(r"(?<=://)[^/\s@'\"`]+(?=@)")
"""User and password of a URL."""

_QUERY = re.compile(r"((?:https?|file)://[^\s?'\"`]+)\?[^\s'\"`)]+")
"""The query of a URL, which may hold a token."""

_ASSIGNED = re.compile(
    r"(?i)\b((?:[\w-]*(?:password|passwd|secret|token|credential|api[_-]?key|private[_-]?key))\s*[=:]\s*)(['\"]?)([^\s'\"`,;]{3,})\2"
)
"""`password=…`, `--token=…`, `SECRET: …` in a text."""


class Hiding:
    """Replaces secrets in all texts of a data structure."""

    def __init__(self, stacks: Iterable[Any], secrets: Iterable[str] = ()) -> None:
        """`stacks`: data of stack files, whose keys tell which values are secret; `secrets`: further secret values."""
        self._mask = Masking.for_variables({str(i): data for i, data in enumerate(stacks)}, more=secrets)

    def text(self, text: str) -> str:
        """Return a text without its secrets."""
        text = _IN_URL.sub(MASK, text)
        text = _QUERY.sub(rf"\1?{MASK}", text)
        text = _ASSIGNED.sub(rf"\1{MASK}", text)
        return self._mask(text)

    def review(self, found: Review) -> Review:
        """Return the review without anything that may be a secret."""
        return Review(**{item.name: self(getattr(found, item.name)) for item in fields(found)})

    def __call__(self, data: Any) -> Any:  # noqa: ANN401  # any JSON
        """Return the data with secrets removed from every text; keys stay."""
        if isinstance(data, str):
            return self.text(data)
        if isinstance(data, dict):
            return {key: self(inner) for key, inner in data.items()}
        if isinstance(data, list | tuple):
            return tuple(self(inner) for inner in data)
        if is_dataclass(data) and not isinstance(data, type):
            return replace(data, **{item.name: self(getattr(data, item.name)) for item in fields(data)})
        return data
