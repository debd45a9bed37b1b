"""`python -m multus_site.nodes.delivery apply|remove`: reads the document from stdin; apply prints the record of what is on the nodes as a line of JSON."""

import asyncio
import os
import sys
from collections.abc import Mapping
from typing import Any

from multus_site.nodes.delivery.binaries import binaries
from multus_site.nodes.delivery.document import DeliveryError, Document, Node, Record, digest
from multus_site.nodes.delivery.installation import install, remove, send
from multus_site.render.cni_plugins import lines
from multus_site.ssh.connections import CONNECT_SECONDS, Connections, connections
from multus_site.ssh.fan_out import Results, fan_out
from multus_site.ssh.ssh_route import ReachError

NAMED = 5
"""Messages name this many nodes at most, and count more."""

NODE_SECONDS = 1800
"""Time for one node: binaries over a slow line, and the script's own limit of 10 minutes."""


def say(line: str) -> None:
    """One line of progress."""
    print(line, file=sys.stderr, flush=True)


async def apply(document: Document, before: Record) -> Record:
    """Every node has its plugins; those where nothing asks for it are not reached at all. Raises DeliveryError with a line for each that failed, ReachError for a bastion."""
    ready = {arch: binaries(origins, arch) for arch, origins in document.origins.items()}
    files = {arch: {path.name: path for path in plugins.values()} for arch, plugins in ready.items()}
    plugins = {
        arch: lines(list(origins), {name: path.name for name, path in ready[arch].items()})
        for arch, origins in document.origins.items()
    }
    asked = {
        name: digest(plugins[node.architecture], document.script, document.run_id, node.reasons)
        for name, node in document.nodes.items()
    }
    todo = {
        name: node for name, node in document.nodes.items() if before.nodes.get(name, {}).get("done") != asked[name]
    }

    async def one(_: str, node: Node) -> tuple[int, dict[str, Any]]:
        async with reached.to(node.address, node.host_key) as connection:
            sent = await send(connection, files[node.architecture])
            return sent, await install(connection, plugins[node.architecture])

    async with connections(document.way) as reached:
        await _leave(document, before, reached)
        outcome = await fan_out(
            todo, one, NODE_SECONDS, lambda count: say(f"CNI plugins: {count} of {len(todo)} nodes")
        )
    if outcome.failed:
        raise DeliveryError("\n".join(_errors(todo, outcome)))
    done = outcome.done
    if todo:
        sent = sum(count for count, _ in done.values())
        said = f", {sent} binaries sent" if sent else ""
        say(f"CNI plugins: looked after {_which(todo)} of {len(document.nodes)} nodes{said}")
    results = {name: done[name][1] if name in done else before.result(name) for name in document.nodes}
    return Record(
        {
            name: {
                "address": node.address,
                "hostKey": node.host_key,
                "done": asked[name],
                "result": digest(results[name]),
            }
            for name, node in document.nodes.items()
        },
        {digest(result): result for result in results.values()},
    )


async def _leave(document: Document, before: Record, reached: Connections) -> None:
    """Nodes that left the site keep nothing of ours. One that does not answer has most likely left for good: it is only told of."""
    left = {name: its for name, its in before.nodes.items() if name not in document.nodes}
    if not left or document.leavers_go:
        return

    async def one(_: str, node: Node) -> None:
        async with reached.to(node.address, node.host_key, CONNECT_SECONDS) as connection:
            await remove(connection)

    nodes = {name: Node(its["address"], its["hostKey"]) for name, its in left.items()}
    for line in _errors(nodes, await fan_out(nodes, one, NODE_SECONDS)):
        say(f"left the site, and its CNI plugins stay: {line}")


async def take_away(document: Document) -> None:
    """No node has anything of ours. Raises DeliveryError with a line for each that failed, ReachError for a bastion."""

    async def one(_: str, node: Node) -> None:
        async with reached.to(node.address, node.host_key) as connection:
            await remove(connection)

    async with connections(document.way) as reached:
        outcome = await fan_out(document.nodes, one, NODE_SECONDS)
    if outcome.failed:
        raise DeliveryError("\n".join(_errors(document.nodes, outcome)))


def _errors(nodes: Mapping[str, Node], outcome: Results[Any]) -> list[str]:
    """A line for each node that failed, with its address."""
    return [f"{name} ({nodes[name].address}): {error}" for name, error in outcome.failed.items()]


def _which(nodes: dict[str, Node]) -> str:
    return ", ".join(nodes) if len(nodes) <= NAMED else str(len(nodes))


def main() -> int:
    """The command line."""
    verb = sys.argv[1:]
    if verb not in (["apply"], ["remove"]):
        say("usage: python -m multus_site.nodes.delivery apply|remove")
        return 2
    try:
        document = Document.parse(sys.stdin.read())
        if verb == ["remove"]:
            asyncio.run(take_away(document))
            return 0
        record = asyncio.run(apply(document, Record.parse(os.environ.get("PULUMI_COMMAND_STDOUT", ""))))
    except (DeliveryError, ReachError) as error:
        say(f"error: {error}")
        return 1
    print(record.json())
    return 0


if __name__ == "__main__":
    sys.exit(main())
