"""The commands. Each module has a function that typer makes a command of; heavy imports stay inside of it."""

import sys
from typing import NoReturn


def incomplete(error: ModuleNotFoundError) -> NoReturn:
    """Say which package this Python lacks and which one has it, and end as for wrong use. Raises what is no package of others."""
    package = (error.name or "").partition(".")[0]
    if package in {"", "multus_site"}:
        raise error
    print(
        f"{sys.executable} has no module {package}; type: lab/bootstrap.sh --plain multus-site …, which makes .venv with all that is "
        "pinned, or .venv/bin/multus-site … where it is there",
        file=sys.stderr,
    )
    raise SystemExit(2)


try:
    import typer

    from multus_site.cli import (
        addresses,
        adopt,
        comment,
        diagram,
        docs,
        drift,
        init,
        lint,
        mirror,
        new,
        policies,
        review,
        schema,
        show,
        sites,
        throughput,
        trace,
        upgrade,
        verify,
        version,
    )
except ModuleNotFoundError as error:
    incomplete(error)

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.callback()(version.version)
app.command("lint")(lint.lint)
app.command("verify")(verify.verify)
app.command("throughput")(throughput.throughput)
app.command("trace")(trace.trace)
app.command("schema")(schema.schema)
app.command("adopt")(adopt.adopt)
app.command("addresses")(addresses.addresses)
app.command("diagram")(diagram.diagram)
app.command("drift")(drift.drift)
app.command("review")(review.review)
app.command("policies")(policies.policies)
app.command("docs")(docs.docs)
app.command("show")(show.show)
app.command("new")(new.new)
app.command("init")(init.init)
app.command("sites")(sites.sites)
app.command("comment")(comment.comment)
app.command("upgrade")(upgrade.upgrade)
app.add_typer(mirror.app, name="mirror")


def main() -> None:
    """The program `multus-site`."""
    try:
        app(prog_name="multus-site")
    except ModuleNotFoundError as error:  # commands import what they need when they run
        incomplete(error)


if __name__ == "__main__":
    main()
