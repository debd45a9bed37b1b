"""Wording of a review: lists of bounded length, counts, values."""

import json
import math
from collections.abc import Sequence

NAMED = 8
"""The most names that a list shows."""


def listed(names: Sequence[str], most: int = NAMED) -> str:
    """Join names; of more than `most`, the first ones and the number of the others."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"


def counted(count: int, what: str) -> str:
    """`1 pod`, `2 pods`, `1 address`, `2 addresses`; numbers that only IPv6 has become a power of two."""
    number = str(count) if count < 10**7 else f"about 2^{round(math.log2(count))}"
    return f"{number} {what}{'' if count == 1 else 'es' if what.endswith('s') else 's'}"


def value(found: object) -> str:
    """Return a setting's value as people read it; empty if unset."""
    if found is None or found is False or found in ((), [], {}, ""):
        return ""
    if isinstance(found, str):
        return found
    if isinstance(found, list | tuple) and all(isinstance(item, str | int) for item in found):
        return ", ".join(map(str, found))
    if isinstance(found, list | tuple) and all(isinstance(item, list | tuple) for item in found):
        return ", ".join(" and ".join(map(str, item)) for item in found)
    return json.dumps(found, ensure_ascii=False, sort_keys=True)
