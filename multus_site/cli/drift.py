"""`multus-site drift`: differences between what was applied and the current state."""

import json
import sys

import typer

from multus_site.cli.arguments import SiteName, TextOrJson
from multus_site.cli.usage_error import usage_error


def drift(
    site: SiteName,
    output: TextOrJson = "text",
) -> None:
    """Find what changed on nodes and in the cluster since `pulumi up`.

    Compares the objects of Kubernetes (pulumi refresh --preview-only) and the nodes (over SSH) with what was applied, and what is
    reserved on nodes with the pods that run. It changes nothing.
    Exit status: 0 if nothing drifted, 1 if something did, 2 for a usage error or if something could not be checked.
    """
    from multus_site.cli import refresh, stacks
    from multus_site.cli.secrets import host_keys, route
    from multus_site.model.printable import printable
    from multus_site.nodes.drift.comparison import drifts, left_behind
    from multus_site.nodes.drift.observation import observe_all
    from multus_site.nodes.leaks.audit import audit, configs_of, hosts_of
    from multus_site.ssh.openssh import shell
    from multus_site.ssh.ssh_route import known_hosts

    stack = stacks.read(site)
    applied = stack.outputs().get("nodes", {})
    if not applied:
        usage_error(
            f"stack {stack.name} has no output `nodes`, the record of what was applied to nodes; type: pulumi up --stack {stack.name}"
        )
    nodes = stack.site.nodes
    keys = {nodes.hosts[node].address: key for node, key in host_keys(stack).items()}
    with shell(route(stack), known_hosts(nodes.ssh, keys)) as reached:
        observed = observe_all(reached, nodes, applied)
        hosts = {name: host for name, host in hosts_of(stack.site).items() if name in observed.done}
        leaks = audit(reached, hosts, stack.site.with_role("control-plane"), configs_of(stack.site))
    on_nodes, blind = drifts(stack.site, applied, observed)
    on_nodes += left_behind(leaks.leaks)
    blind.update({f"reservations of {where}": why for where, why in leaks.unknown.items()})
    objects = []
    try:
        objects = refresh.drifted(stack)
    except refresh.RefreshError as error:
        blind["the cluster"] = str(error)
    if output == "json":
        rows = {"nodes": [d.row() for d in on_nodes], "objects": [o.row() for o in objects], "unreachable": blind}
        print(json.dumps(rows, indent=2))
    else:
        for line in [*(d.line() for d in on_nodes), *(o.line() for o in objects)]:
            print(printable(line))
        if not on_nodes and not objects:
            print(f"{stack.name}: nothing drifted" + (" where it could be checked" if blind else ""))
    for node, why in blind.items():
        print(printable(f"{node} cannot be checked: {why}"), file=sys.stderr)
    raise typer.Exit(1 if on_nodes or objects else 2 if blind else 0)
