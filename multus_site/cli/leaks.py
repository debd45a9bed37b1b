"""`multus-site leaks`: what pods left behind, and how to give it back."""

import json
import sys
from typing import Annotated

import typer

from multus_site.cli.arguments import SiteName, TextOrJson


def leaks(
    site: SiteName,
    free: Annotated[bool, typer.Option("--free", help="Give back what is found.")] = False,
    output: TextOrJson = "text",
) -> None:
    """Find what pods left behind, and give it back.

    Compares reservations of host-local and whereabouts, the caches of Multus and libcni, and network namespaces on every node with the
    sandboxes that run. What is younger than five minutes may belong to a pod that starts, and is left alone.
    Exit status: 0 if nothing is left, 1 if something is, 2 for a usage error or if something could not be checked.
    """
    from multus_site.cli import stacks
    from multus_site.cli.secrets import host_keys, route
    from multus_site.nodes.leaks.audit import audit, configs_of, hosts_of
    from multus_site.ssh.openssh import shell
    from multus_site.ssh.ssh_route import known_hosts

    stack = stacks.read(site)
    nodes = stack.site.nodes
    keys = {nodes.hosts[node].address: key for node, key in host_keys(stack).items()}
    with shell(route(stack), known_hosts(nodes.ssh, keys)) as reached:
        found = audit(
            reached, hosts_of(stack.site), stack.site.with_role("control-plane"), configs_of(stack.site), free=free
        )
    still = [leak for leak in found.leaks if not leak.freed]
    if output == "json":
        rows = {"leaks": [leak.row() for leak in found.leaks], "losing": found.losing, "unknown": found.unknown}
        print(json.dumps(rows, indent=2))
    else:
        for leak in found.leaks:
            print(leak.line())
        for node, why in found.losing.items():
            print(f"{node}: {why}")
        if not found.leaks and not found.losing:
            print(f"{stack.name}: nothing is left behind" + (" where it could be checked" if found.unknown else ""))
        elif not free and any(leak.returnable for leak in still):
            print(f"To give back what is left: multus-site leaks {stack.name} --free")
    for where, why in found.unknown.items():
        print(f"{where} cannot be checked: {why}", file=sys.stderr)
    raise typer.Exit(1 if still or found.losing else 2 if found.unknown else 0)
