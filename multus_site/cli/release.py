"""`multus-site release`: lets go of a site, whose cluster, attachments and pods keep running."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from multus_site.cli.arguments import SiteName
from multus_site.cli.usage_error import usage_error, write

if TYPE_CHECKING:
    from multus_site.cli.stacks import Stack


def release(
    site: SiteName,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="File for the state, secrets encrypted as in it. Default: SITE.state.json. Never overwritten.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Let go of a site, and leave all of it running.

    Writes the stack's state to a file, removes the stack without destroying anything, and removes the record of the site from its control
    plane nodes, so that another site can take the cluster over. The stack file stays.
    Exit status: 0, 1 if the record could not be removed, 2 for a usage error or if the stack cannot be read.
    """
    from multus_site.cli import stacks
    from multus_site.ssh.answers import AnswerError, json_object

    stack = stacks.read(site)
    file = output or Path(f"{stack.name}.state.json")
    if file.exists():
        usage_error(f"{file} exists; name another file with -o")
    exported = stack.pulumi("stack", "export")
    if exported.returncode:
        usage_error(
            f"pulumi cannot read stack {stack.name}: {stacks.last_line(exported)}; pulumi stack ls shows the stacks"
        )
    try:
        state = json_object(exported.stdout, "pulumi stack export")
    except AnswerError as error:
        usage_error(str(error))
    print(f"Nobody manages these any more when {stack.name} is released; all of it stays as it is:")
    for line in staying(stack, state):
        print(f"  {line}")
    if not yes and not _confirmed(stack.name):
        usage_error("nothing was changed; type --yes to release it without being asked")
    write(file, exported.stdout)
    forgotten = _forget(stack)
    removed = stack.pulumi("stack", "rm", "--force", "--preserve-config", "--yes")
    if removed.returncode:
        usage_error(f"stack {stack.name} was not removed: {stacks.last_line(removed)}; its state is in {file} too")
    print(
        f"Released. To manage it again: pulumi stack init {stack.name}; pulumi stack import --stack {stack.name} --file {file}"
    )
    if forgotten:
        print(forgotten, file=sys.stderr)
        raise typer.Exit(1)


def staying(stack: "Stack", state: Mapping[str, Any]) -> Iterator[str]:
    """What nobody manages after a release, a line for each kind of thing."""
    site = stack.site
    found: dict[str, list[str]] = {}
    for one in (state.get("deployment") or {}).get("resources") or []:
        kind = str(one.get("type", ""))
        if kind.startswith("kubernetes:") and one.get("id"):
            found.setdefault(kind.rpartition(":")[2], []).append(str(one["id"]))
    yield f"cluster: Kubernetes on {', '.join(site.nodes.hosts)}"
    if site.nodes.backend != "existing":
        yield f"machines: {', '.join(site.nodes.hosts)} ({site.nodes.backend}); nobody restarts or destroys them"
    for kind, names in sorted(found.items()):
        yield f"{kind}: {', '.join(sorted(names))}"
    yield "on each node: CNI plugins in /opt/cni/bin, links and virtual functions, and what sets them up at boot"


def _confirmed(name: str) -> bool:
    if not sys.stdin.isatty():
        return False
    return typer.confirm(f"Release {name}?")


def _forget(stack: "Stack") -> str:
    """Removes the record here and from the control plane nodes. The reason and what to type if that failed, else empty."""
    from multus_site.cli.secrets import host_keys, route
    from multus_site.kubespray.record import ON_NODE, Store
    from multus_site.nodes.leaks.audit import hosts_of
    from multus_site.ssh.openssh import shell
    from multus_site.ssh.ssh_route import known_hosts

    nodes = stack.site.nodes
    keys = {nodes.hosts[node].address: key for node, key in host_keys(stack).items()}
    hosts = hosts_of(stack.site)
    failed = []
    with shell(route(stack), known_hosts(nodes.ssh, keys)) as reached:
        for node in stack.site.with_role("control-plane"):
            done = reached.run(hosts[node].variables, f"rm -f {ON_NODE}", seconds=60)
            if done.returncode:
                reason = (done.stderr.strip().splitlines() or ["no answer"])[-1]
                failed.append(
                    f"{node}: the site's record stays: {reason}. Before another site takes the cluster over, type there: rm {ON_NODE}"
                )
    Store.for_site(stack.site.name).remove()
    return "\n".join(failed)
