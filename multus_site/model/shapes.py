"""Patterns of value types: in the JSON Schema for editors, and as validators."""

import re
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_after_validator_function


@dataclass(frozen=True, slots=True)
class Shape:
    """The pattern of a type in the JSON Schema, for editors. It may accept more than the type's validator, never less."""

    pattern: str

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:  # noqa: ANN401  # pydantic's own
        """The schema of the type, with the pattern."""
        return {**handler(core_schema), "pattern": f"^({self.pattern})$"}


@dataclass(frozen=True, slots=True)
class Matching(Shape):
    """A validator of text that matches the pattern as a whole."""

    problem: str
    """Follows the value in the message: what it is not; what would be right."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401  # pydantic's own
        """The schema of the type, with this validator behind it."""
        compiled = re.compile(self.pattern)

        def validate(value: str) -> str:
            if not compiled.fullmatch(value):
                msg = f"{value[:80]!r} {self.problem}"
                raise ValueError(msg)
            return value

        return no_info_after_validator_function(validate, handler(source))
