"""The current state of nodes, read over SSH by multus_site/scripts/state.sh."""

import asyncio
import contextlib
import os
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from multus_site.model.nodes import Nodes
from multus_site.model.printable import first_line
from multus_site.render.script import script
from multus_site.ssh.answers import AnswerError, last_object
from multus_site.ssh.fan_out import Results, fan_out_blocking
from multus_site.ssh.openssh import Shell
from multus_site.ssh.ssh_route import OtherKeyError, ReachError

SECONDS = 30
"""Time limit for one node."""

ANSWER_SECONDS = 5
"""Time limit for a host to accept a connection."""


class Binary(BaseModel):
    """A plugin in /opt/cni/bin. `mode`: owner, group and permissions."""

    sha256: str
    mode: str


class Nic(BaseModel):
    """An interface of a node."""

    up: bool
    mtu: int
    mac: str


class NodeState(BaseModel):
    """The state of a node. Keys are names of plugins and interfaces, and paths of configurations."""

    hostname: str
    machineId: str
    plugins: dict[str, Binary]
    nics: dict[str, Nic]
    configs: dict[str, str] = {}
    files: list[str]
    present: dict[str, str] = {}
    """Every file in /opt/cni/bin → its permissions."""
    cluster: list[str] = []
    """The configurations of the cluster's own network, in base64."""
    kubespray: dict[str, Any] | None
    """The record of Kubespray's runs, if the node has it."""


def silent(nodes: Nodes, names: Iterable[str], seconds: float = ANSWER_SECONDS) -> dict[str, str]:
    """The nodes that do not accept connections, with the reason, tried in parallel; if there are bastions, the first one is tried instead.

    An SSH client waits 15 seconds for a host that drops packets: with a hundred such hosts a preview would take minutes.
    """
    names = list(names)
    first = next(((bastion.host, bastion.port) for bastion in nodes.ssh.bastions), None)
    endpoints = {name: first or (nodes.hosts[name].address, nodes.ssh.port) for name in names}

    async def try_all() -> dict[tuple[str, int], str]:
        tried = list(dict.fromkeys(endpoints.values()))
        return dict(zip(tried, await asyncio.gather(*(_open(*one, seconds) for one in tried)), strict=True))

    reasons = asyncio.run(try_all())
    return {name: reasons[endpoints[name]] for name in names if reasons[endpoints[name]]}


async def _open(host: str, port: int, seconds: float) -> str:
    """Why a host does not accept connections; empty if it does."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), seconds)
    except TimeoutError:
        return f"{host} does not answer on port {port} within {seconds:g} s"
    except OSError as error:
        return f"{host} does not answer on port {port}: {os.strerror(error.errno) if error.errno and error.errno > 0 else error}"
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return ""


def observe(shell: Shell, nodes: Nodes, node: str, applied: Mapping[str, Any]) -> NodeState:
    """The state of a node. `applied`: its facts, plugins and networks in the output `nodes`. Raises ReachError."""
    host = nodes.hosts[node]
    links = {*applied.get("facts", {}).get("nics", {}), *applied.get("networks", {}).get("links", {})}
    variables = {"PLUGINS": " ".join(sorted(applied.get("plugins", {}))), "UPLINKS": " ".join(sorted(links))}
    variables_of_host = {"ansible_host": host.address, "ansible_port": nodes.ssh.port, "ansible_user": nodes.ssh.user}
    done = shell.run(variables_of_host, "sh -s", script("state", variables), SECONDS)
    if done.returncode:
        errors = done.stderr.strip().splitlines() or ["no answer"]
        raise (OtherKeyError if "Host key verification failed" in done.stderr else ReachError)(errors[-1])
    return state_of(done.stdout)


def state_of(output: str) -> NodeState:
    """Parse the output of the script. Raises ReachError."""
    try:
        return NodeState.model_validate(last_object(output, "multus_site/scripts/state.sh"))
    except AnswerError as error:
        raise ReachError(str(error)) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        msg = f"multus_site/scripts/state.sh printed {first_line(output)}: {where}: {first['msg']}"
        raise ReachError(msg) from None


def observe_all(shell: Shell, nodes: Nodes, applied: Mapping[str, Mapping[str, Any]]) -> Results[NodeState]:
    """The states of the nodes of the site that have applied state."""
    current = {node: its for node, its in applied.items() if node in nodes.hosts}
    return fan_out_blocking(current, lambda node, its: observe(shell, nodes, node, its), SECONDS * 2)
