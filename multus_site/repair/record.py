"""What passes have to remember, as text in a ConfigMap: evictions by group of pods, and counters by namespace.

A group is `Pod.group`. A pod that lacks interfaces though it was created after its group's last eviction came back the same:
each time, the group is left alone for twice as long.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

FIRST_WAIT = 600
"""Seconds until a pod that came back the same is evicted again."""
LONGEST_WAIT = 12 * 3600
FORGOTTEN = 24 * 3600
"""Seconds after its last eviction, a group is forgotten."""
MOST_GROUPS = 1000
"""Groups that are remembered: a ConfigMap holds 1 MiB."""
MOST_NAMESPACES = 500
"""Namespaces with counters, likewise."""


@dataclass
class Group:
    """The last eviction, in seconds since 1970, and how often pods came back the same."""

    evicted: int
    again: int = 0

    def wait(self) -> int:
        """Seconds from the last eviction to the next, if a pod came back the same."""
        return min(FIRST_WAIT << min(self.again, 10), LONGEST_WAIT)


@dataclass
class Record:
    """All that is remembered. `evictions` and `refusals`: namespace → how many, ever."""

    groups: dict[str, Group] = field(default_factory=dict)
    evictions: dict[str, int] = field(default_factory=dict)
    refusals: dict[str, int] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> "Record":
        """Parse the output of `text`; nothing is remembered if it is empty. Raises ValueError."""
        if not text:
            return cls()
        try:
            data: dict[str, Any] = json.loads(text)
            groups = {str(name): Group(int(its["evicted"]), int(its["again"])) for name, its in data["groups"].items()}
            counters = [{str(n): int(count) for n, count in data[key].items()} for key in ("evictions", "refusals")]
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(str(error)) from None
        return cls(groups, *counters)

    def text(self) -> str:
        """JSON with sorted keys."""
        groups = {name: {"evicted": its.evicted, "again": its.again} for name, its in self.groups.items()}
        data = {"groups": groups, "evictions": self.evictions, "refusals": self.refusals}
        return json.dumps(data, sort_keys=True)

    def forget(self, now: int) -> None:
        """Drop groups whose last eviction is long ago, and what is too much."""
        recent = sorted(self.groups.items(), key=lambda item: -item[1].evicted)[:MOST_GROUPS]
        self.groups = {name: its for name, its in recent if now - its.evicted < FORGOTTEN}
        self.evictions = dict(Counter(self.evictions).most_common(MOST_NAMESPACES))
        self.refusals = dict(Counter(self.refusals).most_common(MOST_NAMESPACES))

    def last_in(self, namespace: str) -> int:
        """When a pod of a namespace was last evicted, 0 if never."""
        return max((its.evicted for name, its in self.groups.items() if name.startswith(f"{namespace}/")), default=0)
