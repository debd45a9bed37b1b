"""`multus-site lint`: checks sites, NADs, pods and CNI configurations."""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from multus_site.cli.usage_error import usage_error

if TYPE_CHECKING:
    from multus_site.cli.files import Found
    from multus_site.lint.facts import Facts
    from multus_site.lint.settings import Settings


class Format(StrEnum):
    """Output format."""

    text = "text"
    json = "json"
    sarif = "sarif"
    github = "github"
    gitlab = "gitlab"


def lint(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH…", help="Files, folders, or - for standard input.", show_default=False),
    ] = None,
    facts: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="File of facts about the nodes and the cluster.")
    ] = None,
    helm: Annotated[
        str | None, typer.Option(metavar="CHART", help="Check what your helm renders of a chart.", show_default=False)
    ] = None,
    values: Annotated[
        list[Path] | None, typer.Option("--values", "-f", metavar="FILE", help="With --helm: values of the chart.")
    ] = None,
    kustomize: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Check what your kustomize, or kubectl, renders of a folder.")
    ] = None,
    kubeconfig: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Check what is in this cluster.", show_default=False)
    ] = None,
    context: Annotated[
        str | None, typer.Option(help="Context of the kubeconfig, or of $KUBECONFIG.", show_default=False)
    ] = None,
    output: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.text,
    fix: Annotated[bool, typer.Option("--fix", help="Fix what has exactly one right answer.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show what --fix would change; change nothing.")] = False,
    explain: Annotated[str | None, typer.Option(metavar="RULE", help="Explain a rule; `all` lists the rules.")] = None,
) -> None:
    """Check sites, networks, pods and CNI configurations.

    Reads stack files, NetworkAttachmentDefinitions, pods, workloads and bare CNI configurations.
    Exit status: 0 without errors, 1 with errors, 2 for a usage error.
    """
    from multus_site.cli import explanation, lint_fix, rendered, reports  # a command's imports are its own
    from multus_site.cli.commands import program_name
    from multus_site.cli.files import FilesError, read, read_all
    from multus_site.lint.facts import Facts, FactsError, parse_facts
    from multus_site.lint.files import Linter
    from multus_site.lint.segments import StackFile
    from multus_site.lint.settings import SettingsError
    from multus_site.model.load import SiteError, defaults_beside, stacks_beside

    if explain is not None:
        _explain(explanation.explained(explain), explain)
    try:
        settings, folder = _settings()
        live = bool(kubeconfig or context) or (program_name() == "kubectl multus" and not (paths or helm or kustomize))
        rendering = helm is not None or kustomize is not None or live
        if values and helm is None:
            usage_error("--values is for a chart; name it too: multus-site lint --helm CHART -f FILE")
        if rendering and (fix or diff):
            usage_error("--fix changes files, and what is rendered or read from a cluster is none; name the files")
        paths = paths or ([] if rendering else [folder / path for path in settings.paths])
        if not paths and not rendering:
            usage_error("nothing to check: name a file, a folder, or - for standard input")
        facts = facts or (folder / settings.facts if settings.facts else None)
        known = parse_facts(read(facts), source=str(facts)) if facts else Facts()
        found: list[Found] = []
        if live:
            found, seen = _live(kubeconfig, context)
            known = known if facts else seen
        linter = Linter(known)
        files = list(read_all(paths))
        if fix or diff:
            files = list(lint_fix.fixed(files, known, settings, write=not diff))
        files += rendered.of_helm(helm, values or []) if helm is not None else ()
        files += rendered.of_kustomize(kustomize) if kustomize is not None else ()
        files += found
        for file in files:
            defaults = defaults_beside(file.name) if file.name != "<stdin>" and not live else None
            linter.add(file.text, file.name, sure=file.in_folder, defaults=defaults)
        beside = {
            Path(other[0]).resolve(): StackFile(*other)
            for stack in linter.stacks
            for other in stacks_beside(stack.file)
        }
        named = {Path(stack.file).resolve() for stack in linter.stacks}
        linter.others += [other for file, other in beside.items() if file not in named]
        findings = list(settings.applied(linter.findings()))
    except (FilesError, FactsError, SettingsError, SiteError) as error:
        usage_error(str(error))
    if not diff:
        shown = reports.text(findings, linter.checked) if output is Format.text else reports.REPORTS[output](findings)
        print(shown, end="")
    raise typer.Exit(1 if any(finding.level == "error" for finding in findings) else 0)


def _settings() -> tuple["Settings", Path]:
    """The settings of the nearest multus-site.toml at or above the working directory, and its folder."""
    from multus_site.cli.files import read
    from multus_site.lint.settings import FILE, Settings, parse_settings

    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / FILE).is_file():
            shown = Path(os.path.relpath(folder))
            return parse_settings(read(folder / FILE), source=str(shown / FILE)), shown
    return Settings(), Path()


def _live(kubeconfig: Path | None, context: str | None) -> "tuple[list[Found], Facts]":
    """What is in a cluster, and facts about it. Exits 2 if it cannot be read; unknown facts go to standard error."""
    from multus_site.cli import live
    from multus_site.cli.cluster import ClusterError
    from multus_site.model.printable import printable

    try:
        found, facts, unknown = live.collected(kubeconfig, context)
    except ClusterError as error:
        usage_error(str(error))
    for note in unknown:
        print(printable(note), file=sys.stderr)
    return found, facts


def _explain(text: str, code: str) -> NoReturn:
    if not text:
        usage_error(f"no rule {code}; all rules: multus-site lint --explain all")
    print(text)
    raise typer.Exit(0)
