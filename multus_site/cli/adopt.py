"""`multus-site adopt`: writes the site file for existing networks and hosts."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from multus_site.cli.usage_error import usage_error, write

if TYPE_CHECKING:
    from multus_site.cli.adoption import Adopted


_NAMED = 5
"""Objects of a kind that are named; more are counted."""


def adopt(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH…",
            help="Files or folders of YAML with networks. Without PATH and --hosts, the running cluster is read.",
            show_default=False,
        ),
    ] = None,
    hosts: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST,…",
            help="[NAME=][USER@]HOST[:PORT], a range such as 10.1.1.5-7, or a file with one per line. Repeatable.",
            show_default=False,
        ),
    ] = None,
    user: Annotated[
        str | None, typer.Option("--user", "-u", metavar="USER", help="User who logs in on the hosts. Default: root.")
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", "-p", min=1, max=65535, help="SSH port of the hosts. Default: 22.")
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            "--key", "-i", metavar="FILE", help="Private key. Default: the SSH agent's keys, then those in ~/.ssh."
        ),
    ] = None,
    bastion: Annotated[
        str | None,
        typer.Option("--bastion", "-J", metavar="[USER@]HOST[:PORT]", help="Bastion host; separate two by a comma."),
    ] = None,
    known_hosts: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="File of host keys to trust, such as ~/.ssh/known_hosts.", show_default=False
        ),
    ] = None,
    ask_password: Annotated[
        bool, typer.Option("--ask-password", "-k", help="Prompt for the password to log in with.")
    ] = False,
    ask_sudo_password: Annotated[
        bool, typer.Option("--ask-sudo-password", "-K", help="Prompt for the sudo password.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Accept the host keys that the hosts show without confirmation.")
    ] = False,
    kubeconfig: Annotated[Path | None, typer.Option(help="Kubeconfig of the cluster. Default: $KUBECONFIG.")] = None,
    context: Annotated[str | None, typer.Option(help="Context of the kubeconfig.")] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the site. Default: from the name of the output file, or `adopted`.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="File to write, such as stacks/Pulumi.NAME.yaml. An existing file is never overwritten.",
        ),
    ] = None,
) -> None:
    """Write a site file from existing hosts, networks or clusters.

    Networks become typed where that renders the same configuration, and raw otherwise. It connects to hosts over SSH and changes
    nothing there; compare the host keys that it shows with the consoles.

    Findings of lint, and what could not be adopted, go to standard error. Exit status: 0, 1 if something is left out,
    2 for a usage error.
    """
    from multus_site.cli import reports, stacks  # a command's imports are its own: others start without them
    from multus_site.cli.adoption import Adopted
    from multus_site.lint.facts import Facts
    from multus_site.lint.files import Linter
    from multus_site.model.printable import printable

    if output is not None and output.exists():
        usage_error(f"{output} exists; name another file, or omit --output and copy what is new")
    if not hosts and any((user, port, key, bastion, known_hosts, ask_password, ask_sudo_password, yes)):
        usage_error(
            "--user, --port, --key, --bastion and the other SSH options need hosts; name them, such as --hosts 10.1.1.5,10.1.1.6"
        )
    adopted = Adopted(name or (stacks.name_and_file(str(output))[0] if output else "adopted"))
    texts: list[tuple[str, str]] = []
    interfaces: dict[str, list[str]] = {}
    if paths:
        texts = _from_files(adopted, paths)
    if kubeconfig or context or not (paths or hosts):
        seen, interfaces = _from_cluster(adopted, kubeconfig, context)
        texts += seen
    if hosts:
        from multus_site.cli.hosts import Asked, from_hosts

        asked = Asked(hosts, user, port, key, bastion, known_hosts, ask_password, ask_sudo_password, yes)
        interfaces |= from_hosts(adopted, asked)
    linter = Linter(Facts(nodes=len(adopted.hosts) or None, ifaces_by_node=interfaces or None))
    for file, text in texts:
        linter.add(text, file, sure=True)
    findings = linter.findings()
    if findings:
        print(reports.text(findings), file=sys.stderr)
    for sentence in adopted.findings:
        print(printable(f"check: {sentence}"), file=sys.stderr)
    for sentence in adopted.left_out:
        print(printable(f"left out: {sentence}"), file=sys.stderr)
    for kind, names in sorted(adopted.skipped.items()):
        shown = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
        print(printable(f"not taken, since only networks and nodes are: {kind} {shown}"), file=sys.stderr)
    if not adopted.networks and not adopted.hosts and not adopted.left_out:
        usage_error(
            "no NetworkAttachmentDefinition found; name files that contain some, or a cluster with --kubeconfig"
        )
    if hosts and not adopted.hosts:
        print("nothing was written: no host could be inspected", file=sys.stderr)
        raise typer.Exit(1)
    text = adopted.stack_file()
    if output is None:
        print(text, end="")
    else:
        write(output, text)
        hosts_are, networks_are = len(adopted.hosts), len(adopted.networks)
        counted = f"{hosts_are} host{'s' * (hosts_are != 1)} and {networks_are} network{'s' * (networks_are != 1)}"
        print(f"{counted} written. Next:")
        print(f"  multus-site lint {output}")
    raise typer.Exit(1 if adopted.left_out else 0)


def _from_files(adopted: "Adopted", paths: list[Path]) -> list[tuple[str, str]]:
    from multus_site.cli.files import FilesError, read_all
    from multus_site.model.yaml_documents import YamlMistakeError, documents

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
        usage_error(str(error))
    return texts


def _from_cluster(
    adopted: "Adopted", kubeconfig: Path | None, context: str | None
) -> tuple[list[tuple[str, str]], dict[str, list[str]]]:
    import yaml

    from multus_site.cli import cluster

    try:
        seen = cluster.read(kubeconfig, context)
    except cluster.ClusterError as error:
        usage_error(str(error))
    adopted.add(seen.manifests)
    for note in seen.notes:
        print(note, file=sys.stderr)
    nads = [m for m in seen.manifests if m.get("kind") != "Node"]
    return [("cluster", yaml.safe_dump_all(nads, allow_unicode=True))], seen.interfaces
