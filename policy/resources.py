"""A resource as policies see it: plain data, with LATER for values that a preview does not know."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final


class _Later:
    """A value that is known once the resource is made."""

    def __repr__(self) -> str:
        return "(known later)"


LATER: Final = _Later()

Settings = Mapping[str, Any]
"""A policy's settings by name, each there: the organisation's, else the default."""


@dataclass(frozen=True)
class Resource:
    """One resource of a stack. `props` are its inputs: dicts, lists, scalars, LATER."""

    type: str
    name: str
    props: Mapping[str, Any] = field(default_factory=dict)
    protect: bool = False
    urn: str = ""

    def at(self, *path: str) -> Any:  # noqa: ANN401 - a property is any JSON
        """The property that a path of keys leads to; None where there is none, LATER where that is not known yet."""
        value: Any = self.props
        for key in path:
            if value is LATER:
                return LATER
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def object_name(self) -> str:
        """Kubernetes' name of it, else Pulumi's."""
        name = self.at("metadata", "name")
        return name if isinstance(name, str) else self.name


@dataclass(frozen=True)
class Policy:
    """One demand. `of_one` looks at a resource and gives a message for each violation; `of_all` at a stack, with the resource."""

    name: str
    description: str
    of_one: Callable[[Resource, Settings], Iterable[str]] | None = None
    of_all: Callable[[Sequence[Resource], Settings], Iterable[tuple[Resource | None, str]]] | None = None
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """JSON schemas by name, each with its default."""
    mistakes: Callable[[Settings], Iterable[str]] = lambda _: ()
    """What of given settings no schema can say: key, colon, what is wrong and what would be right."""

    def completed(self, given: Settings) -> Settings:
        """The settings with defaults where the organisation says nothing."""
        return {**{name: schema["default"] for name, schema in self.settings.items()}, **given}


def texts(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text inside of a value with its path: `spec.containers[0].image`."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from texts(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, Sequence):
        for i, inner in enumerate(value):
            yield from texts(inner, f"{path}[{i}]")


def entries(value: object) -> list[Mapping[str, Any]]:
    """The mappings of a list; nothing where it is none, or not known yet."""
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, Sequence) else []


def strings(value: object) -> list[str]:
    """The texts of a list; nothing where it is none, or not known yet."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        return []
    return [entry for entry in value if isinstance(entry, str)]
