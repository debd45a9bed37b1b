"""The backend `custom`: a program of the project, in a file that the site names."""

import importlib.util
from pathlib import Path
from typing import Any

import pulumi
from pydantic import BaseModel, ValidationError

from multus_site.model.nodes import CustomNodes

from ..node_backend import Backend

WHERE = "nodes.custom"


def custom(nodes: CustomNodes) -> Backend:
    """The program's backend, with its settings. Raises pulumi.RunError if the file or its contents are missing or wrong."""
    program = _loaded(nodes.custom.program)
    settings, backend = (getattr(program, name, None) for name in ("Settings", "Backend"))
    if not (isinstance(settings, type) and issubclass(settings, BaseModel) and callable(backend)):
        msg = (
            f"{WHERE}.program: {nodes.custom.program} has no class Settings (a pydantic model), or no class Backend; "
            "docs/nodes-custom.md shows a program that has both"
        )
        raise pulumi.RunError(msg)
    try:
        given = settings.model_validate(nodes.custom.settings)
    except ValidationError as error:
        lines = [f"{'.'.join([f'{WHERE}.settings', *map(str, e['loc'])])}: {_said(e['msg'])}" for e in error.errors()]
        raise pulumi.RunError("\n".join(lines)) from None
    made: Backend = backend(given, nodes.custom)
    return made


def _loaded(file: str) -> Any:  # noqa: ANN401 - a module of unknown content
    """The file as a module. An error inside it is shown with its traceback, for its author."""
    if not Path(file).is_file():
        msg = f"{WHERE}.program: there is no file {file}. Paths are relative to the project's folder"
        raise pulumi.RunError(msg)
    spec = importlib.util.spec_from_file_location(f"multus_site_{Path(file).stem}", file)
    assert spec is not None  # noqa: S101 - the model takes names that end in .py only
    assert spec.loader is not None  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _said(message: str) -> str:
    return message.removeprefix("Value error, ")
