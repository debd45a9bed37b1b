"""The faults: a name, how it is provoked and undone, and which command should say what."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from lab.faults.bench import Bench

UP, ITSELF, OWNER = "up", "itself", "its owner"
"""Who restores a fault: `pulumi up`, the cluster itself, or whoever owns what was broken outside of the site."""

COMMANDS = ("verify", "drift", "addresses", "leaks", "up")

Provoke = Callable[[Bench], Iterator[None]]


@dataclass(frozen=True)
class Fault:
    """One fault. `provoke`: breaks something, yields, and undoes it; undoing must be harmless where it was restored already.

    `says`: command → a pattern that its output must contain while the thing is broken. Without any, nothing stays broken, and `why_silent` says why.
    """

    name: str
    what: str
    provoke: Provoke
    says: Mapping[str, str]
    restored_by: str
    why_silent: str = ""
    after_undo: bool = False
    """Whether the commands are asked after the fault was undone: what it leaves behind counts, not the fault itself."""


FAULTS: dict[str, Fault] = {}


def fault(
    name: str, what: str, *, restored_by: str, why_silent: str = "", after_undo: bool = False, **says: str
) -> Callable[[Provoke], Provoke]:
    """Registers a fault. Raises ValueError for one that says nothing about what should be said."""

    def register(provoke: Provoke) -> Provoke:
        add(Fault(name, what, provoke, says, restored_by, why_silent, after_undo))
        return provoke

    return register


def add(one: Fault) -> None:
    """Adds a fault. Raises ValueError for a name that is taken, an unknown command, or an expectation without a pattern."""
    if one.name in FAULTS:
        msg = f"{one.name}: there is a fault of this name already"
        raise ValueError(msg)
    if unknown := set(one.says) - set(COMMANDS):
        msg = f"{one.name}: no such command: {', '.join(sorted(unknown))}"
        raise ValueError(msg)
    if bool(one.says) == bool(one.why_silent):
        msg = f"{one.name}: say which command should say what, or why none does"
        raise ValueError(msg)
    for pattern in one.says.values():
        re.compile(pattern)
    FAULTS[one.name] = one
