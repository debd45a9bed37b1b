"""`multus-site schema`: the JSON Schema of a stack file, for editors."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from multus_site.cli.usage_error import write
from multus_site.model.load import SITE_PATH
from multus_site.model.site import Site


def schema(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write, such as stacks/site.schema.json.")
    ] = None,
) -> None:
    """Print the JSON Schema of a stack file, for editors.

    Editors complete keys if the first line of the file is `# yaml-language-server: $schema=./site.schema.json`.
    """
    text = schema_text()
    if output is None:
        print(text, end="")
    else:
        write(output, text)


def schema_text() -> str:
    """The content of stacks/site.schema.json."""
    site = Site.model_json_schema()
    definitions: dict[str, Any] = {**site.pop("$defs"), "Site": site}
    for name in definitions:
        definitions[name] = _for_editors(definitions[name])
    stack = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Stack of multus-site",
        "type": "object",
        "properties": {
            SITE_PATH[0]: {
                "type": "object",
                "properties": {SITE_PATH[1]: {"$ref": "#/$defs/Site"}},
                "required": [SITE_PATH[1]],
            },
        },
        "required": [SITE_PATH[0]],
        "$defs": definitions,
    }
    return json.dumps(stack, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _for_editors(schema: Any) -> Any:  # noqa: ANN401  # JSON of any shape
    """Without titles, in which pydantic repeats the names of keys; a choice by `type` as conditions.

    Of `oneOf`, an editor reports that none fits. With conditions, it reports the misspelled key of the chosen type.
    """
    if isinstance(schema, list):
        return [_for_editors(value) for value in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: _for_editors(value) for key, value in schema.items() if key != "title" or not isinstance(value, str)}
    if "pattern" in result and result.get("examples"):
        result["patternErrorMessage"] = f"Write one such as {result['examples'][0]}"  # read by yaml-language-server
    choice = result.pop("discriminator", None)
    if choice:
        del result["oneOf"]
        key, mapping = choice["propertyName"], choice["mapping"]
        result |= {
            "type": "object",
            "required": [key],
            "properties": {key: {"enum": list(mapping)}},
            "allOf": [
                {"if": {"properties": {key: {"const": value}}, "required": [key]}, "then": {"$ref": target}}
                for value, target in mapping.items()
            ],
        }
    return result
