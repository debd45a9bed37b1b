"""The program `multus-site`: its commands are in multus_site/cli, one a file."""

import sys
from typing import Annotated, NoReturn

from multus_site import __version__


def incomplete(error: ModuleNotFoundError) -> NoReturn:
    """Prints which module is missing and what installs it, and exits 2. Raises the error if the module is ours."""
    from importlib.metadata import PackageNotFoundError

    from multus_site.cli import extras

    module = (error.name or "").partition(".")[0]
    if module in {"", "multus_site"}:
        raise error
    try:
        extra = extras.bringing(module)
    except PackageNotFoundError:
        how = "lab/bootstrap.sh --plain multus-site …, which creates .venv with all dependencies, or: pip install multus-site"
    else:
        how = f"pip install 'multus-site[{extra}]'" if extra else "pip install --force-reinstall multus-site"
    print(f"{sys.executable} has no module {module}; type: {how}", file=sys.stderr)
    raise SystemExit(2)


try:
    import typer

    from multus_site.cli.commands import SETTINGS, Commands, program_name
    from multus_site.cli.ending import ended
except ModuleNotFoundError as error:
    incomplete(error)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"multus-site {__version__}")
        raise typer.Exit


app = typer.Typer(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    **{**SETTINGS, "add_completion": True, "no_args_is_help": False},
)


@app.callback(invoke_without_command=True, epilog="multus-site COMMAND --help describes a command.")
def program(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Multi-interface Kubernetes pods at telecom sites, as code."""
    del version
    if context.invoked_subcommand is not None:
        return
    from pathlib import Path

    from multus_site.cli.next_step import next_steps
    from multus_site.cli.project import folder

    for line in next_steps(folder(Path.cwd())):
        print(line)
    print("All commands: multus-site --help")


def main() -> None:
    """Runs the command that was typed."""
    try:
        status = ended(lambda: app(prog_name=program_name(), standalone_mode=False))
    except ModuleNotFoundError as error:  # commands import what they need when they run
        incomplete(error)
    sys.exit(status)


if __name__ == "__main__":
    main()
