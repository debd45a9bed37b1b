"""The commands. Each module has a function that typer makes a command of; heavy imports stay inside of it."""

import typer

from cli import addresses, adopt, docs, lint, schema

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.command("lint")(lint.lint)
app.command("schema")(schema.schema)
app.command("adopt")(adopt.adopt)
app.command("addresses")(addresses.addresses)
app.command("docs")(docs.docs)

if __name__ == "__main__":
    app(prog_name="python -m cli")
