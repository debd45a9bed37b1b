"""`python -m cli adopt`: the site file that would make the networks that are there already."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.wrong_use import write, wrong_use

if TYPE_CHECKING:
    from cli.adoption import Adopted


def adopt(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH…", help="Files or folders of YAML; none: the running cluster.", show_default=False
        ),
    ] = None,
    kubeconfig: Annotated[Path | None, typer.Option(help="Access to the cluster; $KUBECONFIG if absent.")] = None,
    context: Annotated[str | None, typer.Option(help="Context of the kubeconfig.")] = None,
    name: Annotated[str, typer.Option(help="Name of the site.")] = "adopted",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write there, such as stacks/Pulumi.NAME.yaml.")
    ] = None,
) -> None:
    """Write the site of networks that exist: typed where that renders to the same, else raw.

    What lint finds on them, and what could not be taken over, goes to standard error. Exit status: 0, 1 if something is left out,
    2 for wrong use.
    """
    from cli import reports  # a command's imports are its own: others start without them
    from cli.adoption import Adopted
    from rules.facts import Facts
    from rules.lint import Linter

    adopted = Adopted(name)
    texts, interfaces = _from_files(adopted, paths) if paths else _from_cluster(adopted, kubeconfig, context)
    linter = Linter(Facts(nodes=len(adopted.hosts) or None, ifaces_by_node=interfaces or None))
    for file, text in texts:
        linter.add(text, file, sure=True)
    findings = linter.findings()
    if findings:
        print(reports.text(findings), file=sys.stderr)
    for sentence in adopted.left_out:
        print(f"left out: {sentence}", file=sys.stderr)
    if not adopted.networks and not adopted.left_out:
        wrong_use("there is no NetworkAttachmentDefinition; name files that hold some, or a cluster with --kubeconfig")
    text = adopted.stack_file()
    if output is None:
        print(text, end="")
    else:
        write(output, text)
        print(
            f"{len(adopted.networks)} networks and {len(adopted.hosts)} hosts written to {output}; go on with: python -m cli lint {output}"
        )
    raise typer.Exit(1 if adopted.left_out else 0)


def _from_files(adopted: "Adopted", paths: list[str]) -> tuple[list[tuple[str, str]], dict[str, list[str]]]:
    from cli.files import FilesError, read_all
    from model.positions import YamlMistakeError, documents

    texts = []
    try:
        for file in read_all(paths):
            texts.append((file.name, file.text))
            for document in documents(file.text):
                try:
                    adopted.add([document.data()])
                except YamlMistakeError as mistake:
                    adopted.left_out.append(f"{file.name}:{mistake.line}: not YAML: {mistake.message}")
    except FilesError as error:
        wrong_use(str(error))
    return texts, {}


def _from_cluster(
    adopted: "Adopted", kubeconfig: Path | None, context: str | None
) -> tuple[list[tuple[str, str]], dict[str, list[str]]]:
    import yaml

    from cli import cluster

    try:
        seen = cluster.read(kubeconfig, context)
    except cluster.ClusterError as error:
        wrong_use(str(error))
    adopted.add(seen.manifests)
    for note in seen.notes:
        print(note, file=sys.stderr)
    nads = [m for m in seen.manifests if m.get("kind") != "Node"]
    return [("cluster", yaml.safe_dump_all(nads, allow_unicode=True))], seen.interfaces
