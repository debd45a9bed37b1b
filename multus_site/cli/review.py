"""`multus-site review`: describes what a change does to a site, as a comment for its pull request."""

import json
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from multus_site.cli.arguments import StackName
from multus_site.cli.usage_error import usage_error

if TYPE_CHECKING:
    from multus_site.cli.compared_files import Base
    from multus_site.model.site import Site
    from multus_site.review.data import Review, Stateless


class Format(StrEnum):
    """Output format."""

    markdown = "markdown"
    json = "json"


def review(
    stack: StackName,
    changed: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="Compare two files: STACK is then the file before, FILE the file after. Needs neither pulumi nor a state.",
            show_default=False,
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="REF",
            help="Commit to compare with. Default: what was applied; for changed lines, where this branch left the default branch.",
        ),
    ] = None,
    output: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.markdown,
) -> None:
    """Describe what `pulumi up` would do to a site.

    It previews the stack. It changes nothing, and does not connect to nodes. With two files, it compares what they declare.
    Exit status: 0, with or without dangers; 1 if the preview or the linter has errors; 2 for a usage error.
    """
    from multus_site.cli import stacks  # a command's imports are its own: others start without them
    from multus_site.review.markdown import markdown
    from multus_site.review.redaction import Hiding

    if changed is not None:
        if base is not None:
            usage_error("--base is the file before already; leave it out, or name one stack")
        from multus_site.cli import review_files

        name, file, held = review_files.two_files(stack, changed)
        found = review_files.compared(name, file, held)
        secrets: tuple[str, ...] = ()
    else:
        name, file = stacks.own(stack)
        held = _base(file, base)
        if not file.exists() and held.text is None:
            stacks.missing(file)
        found, secrets = _review(name, file, held, explicit=base is not None)
    shown = Hiding(map(_data, _texts(file, held)), secrets).review(found)
    print(json.dumps(shown.as_json(), indent=2, ensure_ascii=False) if output is Format.json else markdown(shown))
    raise typer.Exit(1 if found.failed else 0)


def _base(file: Path, ref: str | None) -> "Base":
    from multus_site.cli import git
    from multus_site.cli.compared_files import Base
    from multus_site.model.defaults import NAME, Defaults

    try:
        commit = git.commit(ref) if ref is not None else git.merge_base()
    except git.GitError as error:
        usage_error(f"--base: {error}")
    if commit is None:
        return Base()
    said = f"as at {ref} ({commit[:10]})" if ref else f"as at {commit[:10]}, where this left the default branch"
    shared = file.parent / NAME
    under = git.at(commit, shared)
    defaults = Defaults(str(shared), under) if under is not None else None
    lines = {str(path): git.changed_lines(commit, path) for path in (file, shared)}
    return Base(said, commit, git.at(commit, file), defaults, lines)


def _review(name: str, file: Path, held: "Base", *, explicit: bool) -> "tuple[Review, tuple[str, ...]]":
    """The review, and the secrets to hide in it."""
    from multus_site.cli import stack_preview, stacks
    from multus_site.cli.compared_files import catalog_of, findings_of, planned, playbooks, site_at
    from multus_site.model.load import SiteError, load_stack_file
    from multus_site.review import stack_files
    from multus_site.review.compose import compose
    from multus_site.review.data import Review
    from multus_site.review.effects import Change
    from multus_site.review.preview import read

    if not file.exists():
        return stack_files.review_deleted(name, file, held.said, site_at(held), stacks.others_added(file, held.ref)), ()
    rows: tuple[dict[str, Any], ...] = ()
    try:
        rows = tuple(finding.data() for finding in findings_of(file, held.lines))
        stack = stacks.Stack(name, file, load_stack_file(file))
    except SiteError as error:
        return Review(name, name, held.said, findings=rows, errors=() if rows else tuple(error.lines())), ()
    known = stack_preview.known(stack)
    old, said, notes = _old(held, known, explicit=explicit)
    seen = stack_preview.preview(stack, there=known.there)
    change = Change(old, stack.site, catalog_of(old, held.ref), catalog_of(stack.site, ""))
    shown, runs = read(seen.data), list(seen.plan)
    never = known.applied is None and not known.older
    stateless: Stateless = ""
    # After a first `up` that failed there are resources, and no outputs.
    if never and set(shown.counts) <= {"create"}:
        stateless = "files" if old else "new"
    if stateless == "files":
        # Of what it would create nothing follows for what runs.
        shown = replace(shown, steps=(), counts={})
        if not shown.errors:
            runs, refused = planned(change)
            shown = replace(shown, errors=refused)
    found = compose(name, said, change, shown, playbooks(runs), rows, notes, stateless)
    if never:
        gone = stacks.others_removed(file, held.ref, held.defaults) if held.ref else {}
        twice = tuple(stack_files.duplicates(name, stack.site, gone, stacks.others(file)))
        found = replace(found, dangers=(*twice, *found.dangers), interruption=(*twice, *found.interruption))
    return found, seen.secrets


def _old(held: "Base", known: Any, *, explicit: bool) -> "tuple[Site | None, str, list[str]]":  # noqa: ANN401
    """The site to compare with, its description, and notes.

    By default that is what was applied: a branch can be behind or ahead of it.
    """
    from multus_site.cli.compared_files import site_at
    from multus_site.review.settings import apart

    at_base = site_at(held)
    if explicit or (known.older and known.applied is None):
        return at_base, held.said if at_base else f"nothing, {held.said}", []
    if known.applied is None:
        return None, "nothing: this stack was never applied", []
    notes = []
    if at_base is not None and (differing := apart(known.applied, at_base)):
        text = f"What is applied differs from the file {held.said}: {', '.join(differing)}. This preview contains these differences."
        notes.append(text)
    return known.applied, "as the last pulumi up applied it", notes


def _texts(file: Path, held: "Base") -> "Iterator[str]":
    """The sources of the review's text: the stack file and the defaults, before and now."""
    from multus_site.model.defaults import NAME
    from multus_site.model.load import SiteError, read_text

    yield from (text for text in (held.text, held.defaults.text if held.defaults else None) if text is not None)
    for path in (file, file.parent / NAME):
        try:
            yield read_text(path)
        except SiteError:
            continue  # missing, or reported in the review


def _data(text: str) -> object:
    """A stack file as plain data; None if it is not YAML."""
    from multus_site.model.yaml_documents import YamlMistakeError, documents

    try:
        document = next(documents(text), None)
        return document.data() if document else None
    except YamlMistakeError:
        return None
