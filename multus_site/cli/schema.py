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
    _without_titles(definitions)
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


def _without_titles(schema: Any) -> None:  # noqa: ANN401  # JSON of any shape
    """Removes the titles: pydantic repeats the names of keys."""
    if isinstance(schema, dict):
        if isinstance(schema.get("title"), str):
            del schema["title"]
        for value in schema.values():
            _without_titles(value)
    elif isinstance(schema, list):
        for value in schema:
            _without_titles(value)
