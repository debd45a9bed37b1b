"""Leaks: what pods left behind on nodes and in the pools of whereabouts is given back.

Pulumi does not read nodes back. So each run of the program looks, and each node has a counter in the output `nodes` (`returned`), as for drift: it goes up
by one if something is left, and with it the input of the command that gives it back; otherwise it stays, and an `up` changes nothing.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pulumi

from multus_site.model.site import Site
from multus_site.nodes.drift.observation import silent
from multus_site.nodes.leaks.audit import Audit, audit, configs_of, hosts_of
from multus_site.ssh.openssh import shell
from multus_site.ssh.ssh_route import SshRoute

from .local_program import LocalProgram, LocalProgramArgs
from .ssh import Ssh

Applied = dict[str, dict[str, Any]]


class Returned:
    """How often `up` gave something back on each node. `applied`: the output `nodes` of the last update, None before the first."""

    def __init__(self, site: Site, ssh: Ssh, applied: pulumi.Input[Applied | None]) -> None:
        looked: pulumi.Output[dict[str, int]] = pulumi.Output.all(applied, ssh.route, ssh.known_hosts).apply(
            lambda args: _counters(site, *args)
        )
        # The credentials of the nodes make it secret; the counters contain none of them.
        self._counters: pulumi.Output[dict[str, int]] = pulumi.Output.unsecret(looked)

    def on_node(self, node: str) -> pulumi.Output[str]:
        """The counter of a node, as text."""
        return self._counters.apply(lambda counters: str(counters.get(node, 0)))


class Leaks(pulumi.ComponentResource):
    """After `up`, each address that is reserved on a node or in a pool of whereabouts belongs to a pod, unless it is younger than five minutes.

    Runs again when a node has something to give back, and when the networks change. Destroy does nothing.
    """

    def __init__(
        self, name: str, site: Site, ssh: Ssh, returned: Returned, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("multus-site:index:Leaks", name, {}, opts)
        document = pulumi.Output.all(
            route=ssh.route,
            known_hosts=ssh.known_hosts,
            reasons={node: returned.on_node(node) for node in site.nodes.hosts},
        ).apply(lambda known: {**_document(site), **known})
        LocalProgram(
            f"{name}-free",
            LocalProgramArgs("nodes.leaks", document, create="free", time_limit=600, logs_progress=True),
            pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def _document(site: Site) -> dict[str, Any]:
    """The document of the program (multus_site/nodes/leaks/__main__.py)."""
    return {
        "hosts": {name: asdict(host) for name, host in hosts_of(site).items()},
        "control_plane": site.with_role("control-plane"),
        "configs": configs_of(site),
    }


async def _counters(site: Site, applied: Applied | None, route: Mapping[str, Any], known_hosts: str) -> dict[str, int]:
    if not applied:
        return {}
    counters = {node: int(its.get("returned") or 0) for node, its in applied.items()}
    found = await asyncio.to_thread(_look, site, applied, route, known_hosts)
    control_plane = next((name for name in site.with_role("control-plane") if name in counters), None)
    todo = set()
    for leak in found.leaks:
        if leak.returnable:
            pulumi.log.warn(f"{leak.line()}; `pulumi up` gives it back")
            todo.add(leak.where if leak.where in counters else control_plane)
        else:
            pulumi.log.warn(leak.line())
    return {node: count + (node in todo) for node, count in counters.items()}


def _look(site: Site, applied: Applied, route: Mapping[str, Any], known_hosts: str) -> Audit:
    """Look on the nodes that answer: previews also run where nodes are unreachable."""
    hosts = {name: host for name, host in hosts_of(site).items() if name in applied}
    away = silent(site.nodes, hosts)
    there = [name for name in hosts if name not in away]
    if not there:
        return Audit()
    with shell(SshRoute.parse(route), known_hosts) as reached:
        return audit(reached, {name: hosts[name] for name in there}, site.with_role("control-plane"), configs_of(site))
