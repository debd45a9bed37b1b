"""What drifted on nodes since the last update, as a reason to run their commands again: Pulumi does not read nodes back.

Each node has a counter in the output `nodes` (`mended`). If a check over SSH finds something that `up` restores, the counter goes up by
one, and with it the input of the node's commands; otherwise it stays, so that an `up` without drift changes nothing.
A stopped machine that `up` created is drift too; it has its own counter (`started`), an input of the machine only.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import pulumi

from multus_site.model.nodes import Nodes
from multus_site.nodes.drift.comparison import of_commands
from multus_site.nodes.drift.observation import observe_all, silent
from multus_site.ssh.openssh import shell
from multus_site.ssh.ssh_route import SshRoute

from .backends import stopped
from .ssh import Ssh

Applied = dict[str, dict[str, Any]]
Counters = dict[str, dict[str, int]]
"""Node → {"mended", "started"}."""


class Drift:
    """The counters of a site's nodes. `applied`: the output `nodes` of the last update, None before the first."""

    def __init__(self, site: str, nodes: Nodes, ssh: Ssh, applied: Applied | None) -> None:
        looked: pulumi.Output[Counters] = pulumi.Output.all(ssh.route, ssh.known_hosts).apply(
            lambda args: _counters(site, nodes, applied, *args)
        )
        # The credentials of the nodes make it secret; the counters contain none of them.
        self._counters: pulumi.Output[Counters] = pulumi.Output.unsecret(looked)

    def on_node(self, node: str) -> pulumi.Output[str]:
        """How often `up` restored something on the node, as text."""
        return self._counter(node, "mended")

    def starts(self, node: str) -> pulumi.Output[str]:
        """How often `up` started its machine, as text."""
        return self._counter(node, "started")

    def _counter(self, node: str, which: str) -> pulumi.Output[str]:
        return self._counters.apply(lambda counters: str(counters.get(node, {}).get(which, 0)))


async def _counters(
    site: str, nodes: Nodes, applied: Applied | None, route: Mapping[str, Any], known_hosts: str
) -> Counters:
    if not applied:
        return {}
    counters, lines, unknown = await asyncio.to_thread(_look, site, nodes, applied, route, known_hosts)
    for line in lines:
        pulumi.log.warn(line)
    # Previews also run where nodes are unreachable.
    tell = pulumi.log.info if pulumi.runtime.is_dry_run() else pulumi.log.warn
    for node, reason in unknown.items():
        tell(f"{node}: whether it drifted is unknown, and commands on it will fail: {reason}")
    return counters


def _look(
    site: str, nodes: Nodes, applied: Applied, route: Mapping[str, Any], known_hosts: str
) -> tuple[Counters, list[str], dict[str, str]]:
    """Counters, a line for each thing to restore, and node → why its state is unknown."""
    counters = {
        node: {which: int(its.get(which) or 0) for which in ("mended", "started")} for node, its in applied.items()
    }
    lines: list[str] = []
    still = stopped(site, nodes) & set(applied)
    for node in sorted(still):
        lines.append(f"{node}: its machine stands still; `pulumi up` starts it")
        counters[node] = {which: count + 1 for which, count in counters[node].items()}
    asked = [node for node in applied if node in nodes.hosts and node not in still]
    unknown = silent(nodes, asked)
    there = [node for node in asked if node not in unknown]
    if not there:
        return counters, lines, unknown
    with shell(SshRoute.parse(route), known_hosts) as reached:
        observed = observe_all(reached, nodes, {node: applied[node] for node in there})
    for node, state in observed.done.items():
        found = [d for d in of_commands(nodes, node, applied[node], state) if d.restored_by == "pulumi up"]
        lines += [d.line() for d in found]
        counters[node]["mended"] += bool(found)
    return counters, lines, {**unknown, **{node: str(error) for node, error in observed.failed.items()}}
