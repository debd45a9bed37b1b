"""`multus-site show`: prints a site with its defaults, and where each value is set."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
import yaml

from multus_site.cli.arguments import SiteName, TextOrJson
from multus_site.model.paths import Data, path_text
from multus_site.model.paths import Path as Keys


def show(
    site: SiteName,
    every: Annotated[bool, typer.Option("--all", help="Print built-in defaults too.")] = False,
    output: TextOrJson = "text",
) -> None:
    """Print a site with its defaults, and where each value is set.

    It prints YAML, with file and line behind each value; as JSON, the site, and path → file and line.
    Mappings in stacks/defaults.yaml are merged with those of the site, key by key; other values of the site replace the default.
    Exit status: 0, 2 for a usage error.
    """
    from multus_site.cli import stacks  # a command's imports are its own: others start without them
    from multus_site.model.load import defaults_beside, place_of, site_data
    from multus_site.model.yaml_documents import documents

    stack = stacks.read(site)
    text = Path(stack.file).read_text(encoding="utf-8")
    own = site_data(next(documents(text)).data())
    defaults = defaults_beside(stack.file)
    whole = defaults.under(own) if defaults else own
    shown = (
        _with_defaults(whole, stack.site.model_dump(mode="json", by_alias=True, exclude_none=True)) if every else whole
    )

    def origin(path: Keys) -> str:
        if not path:
            return ""
        if not _holds(whole, path):
            return "default"
        return str(place_of(path, own, source=str(stack.file), text=text, defaults=defaults))

    lines = [(line, origin(path)) for line, path in _lines(shown, ())]
    if output == "json":
        origins = {path_text(path): origin(path) for _, path in _lines(shown, ()) if path}
        print(json.dumps({"site": shown, "origins": origins}, indent=2, ensure_ascii=False))
        return
    width = min(max((len(line) for line, where in lines if where), default=0), 72)
    for line, where in lines:
        print(f"{line:<{width}}  # {where}" if where else line)


def _with_defaults(written: Data, read: Data) -> Data:
    """The written data, then the keys that only the model has. Lists are not merged."""
    if not isinstance(written, dict) or not isinstance(read, dict):
        return written
    kept = {key: _with_defaults(value, read.get(key)) for key, value in written.items()}
    return {**kept, **{key: value for key, value in read.items() if key not in kept}}


def _holds(data: Data, path: Keys) -> bool:
    for key in path:
        if not isinstance(data, dict) or key not in data:
            return False
        data = data[key]
    return True


def _lines(value: Data, path: Keys, indent: str = "") -> Iterator[tuple[str, Keys]]:
    """Lines of YAML, each with the path of its value, empty for the head of a mapping. A list is one value."""
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        head = f"{indent}{_flow(key)}:"
        if isinstance(inner, dict) and inner:
            yield head, ()
            yield from _lines(inner, (*path, key), f"{indent}  ")
        else:
            yield f"{head} {_flow(inner)}", (*path, key)


class _OnALine(yaml.SafeDumper):
    """Writes multi-line text in double quotes, which keeps it on one line."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, '"' if re.search(r"[\n\r\x85\u2028\u2029]", text) else None
    )


_OnALine.add_representer(str, _text)


def _flow(value: Data) -> str:
    text = yaml.dump(
        value, Dumper=_OnALine, default_flow_style=True, width=math.inf, sort_keys=False, allow_unicode=True
    )
    return str(text).removesuffix("\n").removesuffix("\n...")
