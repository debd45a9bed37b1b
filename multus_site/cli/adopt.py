"""`multus-site adopt`: writes the site file for existing networks and hosts."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from multus_site.cli.usage_error import usage_error, write

if TYPE_CHECKING:
    from multus_site.cli.adoption import Adopted
    from multus_site.kubespray.found import FoundCluster


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
    inventory: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Kubespray's inventory of the cluster, a folder such as inventory/mycluster or its hosts file.",
            show_default=False,
        ),
    ] = None,
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

    A cluster that Kubespray made is described as it is, for `pulumi up` to take over without running a playbook.

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
    found = None
    if kubeconfig or context or not (paths or hosts):
        seen, interfaces, found = _from_cluster(adopted, kubeconfig, context)
        texts += seen
    if inventory and not found:
        usage_error("--inventory needs a cluster that Kubespray made; name it with --kubeconfig")
    if hosts:
        from multus_site.cli.hosts import Asked, from_hosts

        asked = Asked(hosts, user, port, key, bastion, known_hosts, ask_password, ask_sudo_password, yes)
        interfaces |= from_hosts(adopted, asked)
    if found:
        from multus_site.cli.adopted_cluster import in_order

        in_order(adopted, found)
    if inventory:
        _add_inventory(adopted, inventory)
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
) -> "tuple[list[tuple[str, str]], dict[str, list[str]], FoundCluster | None]":
    import yaml

    from multus_site.cli import cluster
    from multus_site.cli.adopted_cluster import adopt_cluster

    try:
        seen = cluster.read(kubeconfig, context)
    except cluster.ClusterError as error:
        usage_error(str(error))
    adopted.add(seen.manifests)
    found = adopt_cluster(adopted, seen.control_plane) if seen.control_plane else None
    for note in seen.notes:
        print(note, file=sys.stderr)
    nads = [m for m in seen.manifests if m.get("kind") != "Node"]
    return [("cluster", yaml.safe_dump_all(nads, allow_unicode=True))], seen.interfaces, found


def _add_inventory(adopted: "Adopted", path: Path) -> None:
    """Adds the variables of an inventory, and says which of its hosts and nodes differ."""
    from multus_site.cli.adopted_cluster import adopt_variables
    from multus_site.cli.inventory import InventoryError, defaults, read
    from multus_site.kubespray.document import KubesprayError, Origin
    from multus_site.kubespray.source import at_hand

    try:
        inventory = read(path)
        source = at_hand(str(adopted.kubespray["version"]), Origin())
    except (InventoryError, KubesprayError) as error:
        usage_error(str(error))
    adopt_variables(adopted, inventory.variables, defaults(source.folder) if source else {})
    for name in inventory.hosts:
        if name not in adopted.hosts:
            adopted.findings.append(f"{inventory.file}: {name} is no node of the cluster under this name")
    for name in adopted.hosts:
        if name not in inventory.hosts:
            adopted.findings.append(f"{inventory.file}: it does not have {name}, a node of the cluster")
