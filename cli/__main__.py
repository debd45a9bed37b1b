"""The commands. Each module has a function that typer makes a command of; heavy imports stay inside of it."""

import typer

from cli import (
    addresses,
    adopt,
    comment,
    diagram,
    docs,
    drift,
    lint,
    mirror,
    new,
    review,
    schema,
    show,
    sites,
    throughput,
    trace,
    verify,
)

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
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
app.command("docs")(docs.docs)
app.command("show")(show.show)
app.command("new")(new.new)
app.command("sites")(sites.sites)
app.command("comment")(comment.comment)
app.add_typer(mirror.app, name="mirror")

if __name__ == "__main__":
    app(prog_name="python -m cli")
