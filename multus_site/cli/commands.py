"""The table of commands. A command is a module of multus_site.cli with a function of its name; it is imported when it is typed."""

import ast
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from multus_site.cli.project import in_project

if TYPE_CHECKING:
    from typer._click import Command, HelpFormatter

GROUPS = {
    "Sites": ("diagram", "init", "lint", "new", "schema", "show", "sites"),
    "Changes": ("comment", "policies", "review", "upgrade"),
    "Running sites": ("addresses", "drift", "explain", "leaks", "throughput", "trace", "verify"),
    "Existing hosts and clusters": ("adopt", "release"),
    "Air-gapped sites": ("mirror",),
    "This machine": ("doctor",),
}
"""Heading of the help → its commands. A new command is one line here, and its module."""

SETTINGS: dict[str, Any] = {
    "add_completion": False,
    "no_args_is_help": True,
    "pretty_exceptions_enable": False,
    "rich_markup_mode": None,
}


class Commands(TyperGroup):
    """The program: imports only the command that is typed."""

    def __init__(self, **attrs: Any) -> None:  # noqa: ANN401  # typer's own
        super().__init__(**attrs)
        self.commands = dict.fromkeys(sorted(name for names in GROUPS.values() for name in names))  # type: ignore[assignment]  # names to suggest

    def get_command(self, ctx: typer.Context, cmd_name: str) -> "Command | None":  # type: ignore[override]  # typer's Context is a subclass
        """Imports and returns the command."""
        del ctx
        return _imported(cmd_name) if cmd_name in self.commands else None

    def format_commands(self, ctx: typer.Context, formatter: "HelpFormatter") -> None:  # type: ignore[override]
        """The commands in their groups, sorted, with one line each."""
        del ctx
        width = max(map(len, self.commands))
        for heading, names in GROUPS.items():
            with formatter.section(styled(heading, bold=True)):
                formatter.write_dl([(name.ljust(width), purpose(name)) for name in sorted(names)])

    def shell_complete(self, ctx: typer.Context, incomplete: str) -> list[Any]:  # type: ignore[override]
        """Completes names of commands, without importing them, and options."""
        from typer._click.shell_completion import CompletionItem

        names = [name for name in self.commands if name.startswith(incomplete)]
        return [CompletionItem(name, help=purpose(name)) for name in names] + list(
            super(TyperGroup, self).shell_complete(ctx, incomplete)
        )


def program_name() -> str:
    """What was typed: `kubectl multus` where kubectl runs this program as its plugin (kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins)."""
    return "kubectl multus" if Path(sys.argv[0]).name == "kubectl-multus" else "multus-site"


def purpose(name: str) -> str:
    """The first line of a command's docstring, read without importing it."""
    found = importlib.util.find_spec(f"multus_site.cli.{name}")
    if found is None or found.origin is None:
        raise ModuleNotFoundError(name=f"multus_site.cli.{name}")
    tree = ast.parse(Path(found.origin).read_text(encoding="utf-8"))
    return next(_docstrings(tree, name)).splitlines()[0]


def _docstrings(tree: ast.Module, name: str) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            yield ast.get_docstring(node) or ""


def _imported(name: str) -> "Command":
    module = importlib.import_module(f"multus_site.cli.{name}")
    found: typer.Typer | None = getattr(module, "app", None)
    if found is None:
        found = typer.Typer(**SETTINGS)
        found.command(name)(in_project(getattr(module, name)))
    command = typer.main.get_command(found)
    command.name = name
    return command


def styled(text: str, **style: Any) -> str:  # noqa: ANN401  # of typer.style
    """The text in colour or bold on a terminal, unless NO_COLOR is set (https://no-color.org)."""
    return typer.style(text, **style) if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text
