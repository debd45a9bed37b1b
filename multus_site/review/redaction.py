"""The last door that everything of a review goes through: what may be a secret does not pass."""

import re
from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from typing import Any

from multus_site.kubespray.masking import MASK, Masking
from multus_site.review.data import Review

_IN_URL = re.compile(r"(?<=://)[^/\s@'\"`]+(?=@)")
"""User and password of a URL."""

_QUERY = re.compile(r"((?:https?|file)://[^\s?'\"`]+)\?[^\s'\"`)]+")
"""What stands behind the question mark of a URL: tokens stand there."""

_ASSIGNED = re.compile(
    r"(?i)\b((?:[\w-]*(?:password|passwd|secret|token|credential|api[_-]?key|private[_-]?key))\s*[=:]\s*)(['\"]?)([^\s'\"`,;]{3,})\2"
)
"""`password=…`, `--token=…`, `SECRET: …` in a text."""


class Hiding:
    """Replaces secrets in all texts of a data structure."""

    def __init__(self, stacks: Iterable[Any], secrets: Iterable[str] = ()) -> None:
        """`stacks`: data of stack files, whose keys say what of them is secret; `secrets`: values that are known to be."""
        together = {str(i): data for i, data in enumerate(stacks)}
        self._mask = Masking.for_variables(together, more=secrets)

    def text(self, text: str) -> str:
        """A text without its secrets."""
        text = _IN_URL.sub(MASK, text)
        text = _QUERY.sub(rf"\1?{MASK}", text)
        text = _ASSIGNED.sub(rf"\1{MASK}", text)
        return self._mask(text)

    def review(self, found: Review) -> Review:
        """The same review with nothing in it that may be a secret."""
        return Review(**{item.name: self(getattr(found, item.name)) for item in fields(found)})

    def __call__(self, data: Any) -> Any:  # noqa: ANN401  # any JSON
        """The same data, every text of it without secrets; keys are names, and stay."""
        if isinstance(data, str):
            return self.text(data)
        if isinstance(data, dict):
            return {key: self(inner) for key, inner in data.items()}
        if isinstance(data, list | tuple):
            return tuple(self(inner) for inner in data)
        if is_dataclass(data) and not isinstance(data, type):
            return replace(data, **{item.name: self(getattr(data, item.name)) for item in fields(data)})
        return data
