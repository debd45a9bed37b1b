"""The one base class of every part of a site."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Part(BaseModel):
    """A part of a site: frozen, unknown keys refused, keys in camelCase as the field writes them."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        use_attribute_docstrings=True,
        str_strip_whitespace=False,
        # YAML writes them .inf and .nan.
        allow_inf_nan=False,
    )
