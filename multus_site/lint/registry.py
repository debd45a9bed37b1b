"""The registry of rules: one function each, with code, level, layer, source and an example."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Any, Literal, NamedTuple, TypeVar, get_args, get_type_hints

from multus_site.lint.changes import Change
from multus_site.lint.finding import Level
from multus_site.model.paths import Path

Layer = Literal["text", "configuration", "together", "facts", "sites"]


class Problem(NamedTuple):
    """What a rule found: the path relative to the subject, what is wrong, what would be right."""

    path: Path
    message: str
    hint: str
    level: Level | None = None
    """The rule's level if None."""
    offset: int | None = None
    """Character in the text at the path, for mistakes inside a string of JSON."""
    subject: object = None
    """The subject to which the path is relative, for rules that check several subjects together."""
    changes: tuple[Change, ...] = ()
    """What `--fix` changes, where there is exactly one right answer; paths as above."""


Problems = Iterator[Problem]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its function, and its text in `lint --explain` and docs/linter.md."""

    code: str
    level: Level
    layer: Layer
    title: str
    example: str
    source: str
    check: Callable[[Any], Problems]

    def why(self) -> str:
        """The reason, from the function's docstring."""
        return inspect.cleandoc(self.check.__doc__ or "")


RULES: dict[str, Rule] = {}
"""Every rule by its code."""

_BY_SUBJECT: dict[type, list[Rule]] = {}
_Check = TypeVar("_Check", bound=Callable[[Any], Problems])


def rule(code: str, level: Level, layer: Layer, title: str, *, example: str, source: str) -> Callable[[_Check], _Check]:
    """Register a function as a rule. The type of its parameter selects the subjects."""

    def register(check: _Check) -> _Check:
        made = Rule(code, level, layer, title, example, source, check)
        RULES[code] = made
        subject = next(iter(get_type_hints(check).values()))
        for kind in get_args(subject) if isinstance(subject, UnionType) else (subject,):
            _BY_SUBJECT.setdefault(kind, []).append(made)
        return check

    return register


def rules_for(kind: type) -> list[Rule]:
    """The rules for a type of subject, in the order of registration."""
    return _BY_SUBJECT.get(kind, [])
