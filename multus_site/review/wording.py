"""How things are written in a review: lists that do not grow with the site, counts, values."""

import json
import math
from collections.abc import Sequence

NAMED = 8
"""So many names are told one by one; more are counted."""


def listed(names: Sequence[str], most: int = NAMED) -> str:
    """Names in a row; of many the first ones, and how many more there are."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"


def counted(count: int, what: str) -> str:
    """`1 pod`, `2 pods`, `1 address`, `2 addresses`; as many as only IPv6 has are a power of two."""
    number = str(count) if count < 10**7 else f"about 2^{round(math.log2(count))}"
    return f"{number} {what}{'' if count == 1 else 'es' if what.endswith('s') else 's'}"


def value(found: object) -> str:
    """A value of the site as a person reads it; nothing where there is none."""
    if found is None or found is False or found in ((), [], {}, ""):
        return ""
    if isinstance(found, str):
        return found
    if isinstance(found, list | tuple) and all(isinstance(item, str | int) for item in found):
        return ", ".join(map(str, found))
    if isinstance(found, list | tuple) and all(isinstance(item, list | tuple) for item in found):
        return ", ".join(" and ".join(map(str, item)) for item in found)
    return json.dumps(found, ensure_ascii=False, sort_keys=True)
