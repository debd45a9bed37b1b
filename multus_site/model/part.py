"""The base classes of a site's parts, and the form in which their checks report mistakes."""

import ast
import difflib
import inspect
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema

from multus_site.model.paths import Path, path_text


class Part(BaseModel):
    """A part of a site: frozen, unknown keys refused, keys in camelCase as the field writes them."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        # Most commands never validate most parts.
        defer_build=True,
        str_strip_whitespace=False,
        # YAML writes them .inf and .nan.
        allow_inf_nan=False,
    )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        """Numbers and booleans as such: pydantic would read "110", 110.0 and true as whole numbers, which the JSON Schema refuses.

        `strict` for the whole model would refuse lists for tuples.
        """
        schema = handler(source)
        _make_strict(schema)
        return schema

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:  # noqa: ANN401  # pydantic's own
        """The schema with the docstring of each attribute as its description; required keys first, then the class's own before inherited ones.

        pydantic's use_attribute_docstrings reads the source of every class at import, which takes as long as the rest of a lint.
        """
        schema = handler(core_schema)
        definition = handler.resolve_ref_schema(schema)
        properties = definition.get("properties", {})
        ordered: dict[str, Any] = {}
        for part in cls.__mro__:
            if part is not Part and issubclass(part, Part):
                texts = _docstrings(part)
                for name in inspect.get_annotations(part):
                    alias = str(cls.model_fields[name].alias) if name in cls.model_fields else ""
                    if alias in properties:
                        ordered[alias] = _with_names(properties[alias])
                        if name in texts:
                            ordered[alias].setdefault("description", texts[name])
        required = definition.get("required", [])
        definition["properties"] = dict(sorted(ordered.items(), key=lambda item: item[0] not in required))
        return schema


def _with_names(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a mapping with the pattern of its keys as that of its names: pydantic allows any value under other keys."""
    patterns = schema.pop("patternProperties", {})
    for pattern, value in patterns.items():
        schema["propertyNames"] = {**schema.get("propertyNames", {}), "pattern": pattern}
        schema["additionalProperties"] = value
    return schema


def _make_strict(schema: Any) -> None:  # noqa: ANN401  # a part of pydantic's schema
    if isinstance(schema, dict):
        kind = schema.get("type")
        if isinstance(kind, str) and kind in {"int", "float", "bool"}:
            schema["strict"] = True
        # The keys of an object are text in JSON.
        for value in (part for key, part in schema.items() if key != "keys_schema"):
            _make_strict(value)
    elif isinstance(schema, list):
        for value in schema:
            _make_strict(value)


class Plugin(Part):
    """A CNI plugin and its keys."""

    type: str
    """The plugin."""


class ExactlyOne(Part):
    """A part of which exactly one of some keys is given."""

    one_of: ClassVar[tuple[str, ...]]
    """These keys, as attributes."""

    @property
    def given(self) -> list[str]:
        """The keys that are given; exactly one after validation."""
        return [str(type(self).model_fields[name].alias) for name in self.one_of if getattr(self, name)]

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self.given) != 1:
            keys = ", ".join(str(type(self).model_fields[name].alias) for name in self.one_of)
            found = f"{' and '.join(self.given)} are set" if self.given else f"none of {keys} is set"
            msg = f"{found}; give exactly one of {keys}"
            raise ValueError(msg)
        return self


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong at a path of the site: what was found; what would be right."""

    path: Path
    message: str
    unknown: str | None = field(default=None, compare=False)
    """The unknown name, if that is the mistake."""

    def __str__(self) -> str:
        return f"{path_text(self.path) or 'site'}: {self.message}"

    @classmethod
    def of_name(cls, path: Path, kind: str, name: str, known: Iterable[str], otherwise: str) -> Self:
        """An unknown name of some kind. `known`: the names that would be right; `otherwise`: how to add it to them."""
        known = list(known)
        # of node1 to node9 none is more likely than another
        near = [
            one
            for one in difflib.get_close_matches(name, known, 3, 0.7)
            if one.rstrip("0123456789") != name.rstrip("0123456789")
        ]
        guess = f" (did you mean {near[0]}?)" if near else ""
        return cls(path, f"there is no {kind} {name!r}; {name_one_of(known, otherwise)}{guess}", name)

    def below(self, path: Path) -> "Mistake":
        """The same mistake of a part at a path of the site."""
        return replace(self, path=(*path, *self.path))


class MistakesError(ValueError):
    """Mistakes that a validator found. pydantic keeps the exception (`ctx.error` of its error), and so their paths, which begin at the validated part."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(map(str, self.mistakes)))


def refuse(mistakes: Iterator[Mistake]) -> None:
    """Raise MistakesError if there are any."""
    if found := list(mistakes):
        raise MistakesError(found)


def name_one_of(names: Iterable[str], otherwise: str) -> str:
    """The fix for an unknown name."""
    there = ", ".join(names)
    return f"name one of {there}, or {otherwise}" if there else otherwise


def _docstrings(part: type[Part]) -> dict[str, str]:
    """Attribute → the string after it in the source of its class."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(part))).body
    found = {}
    for attribute, behind in pairwise(getattr(definition, "body", ())):
        match attribute, behind:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = inspect.cleandoc(text)
    return found
