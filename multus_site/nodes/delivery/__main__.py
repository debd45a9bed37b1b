"""`python -m multus_site.nodes.delivery apply|remove`: reads the document from stdin; apply prints the record of the nodes as a line of JSON."""

import asyncio
import sys
from collections.abc import Mapping
from typing import Any

from multus_site.nodes.delivery.binaries import binaries
from multus_site.nodes.delivery.document import DeliveryError, Document, Node, Record, digest
from multus_site.nodes.delivery.installation import install, remove, send
from multus_site.render.cni_plugins import lines
from multus_site.render.state_record import last_printed
from multus_site.ssh.connections import CONNECT_SECONDS, Connections, connections
from multus_site.ssh.fan_out import Results, fan_out
from multus_site.ssh.ssh_route import ReachError

NAMED = 5
"""A message names this many nodes at most; of more it gives the number."""

NODE_SECONDS = 1800
"""Time limit for one node: binaries over a slow line, and the script's own limit of 10 minutes."""


def say(line: str) -> None:
    """Print a line of progress."""
    print(line, file=sys.stderr, flush=True)


async def apply(document: Document, before: Record) -> Record:
    """Install the plugins on every node whose record differs; connect to no other. Raises DeliveryError with a line for each node that failed, ReachError for a bastion."""
    ready = {arch: binaries(origins, arch) for arch, origins in document.origins.items()}
    files = {arch: {path.name: path for path in plugins.values()} for arch, plugins in ready.items()}
    plugins = {
        arch: lines(list(origins), {name: path.name for name, path in ready[arch].items()})
        for arch, origins in document.origins.items()
    }
    digests = {
        name: digest(plugins[node.architecture], document.script, document.run_id, node.reasons)
        for name, node in document.nodes.items()
    }
    todo = {
        name: node for name, node in document.nodes.items() if before.nodes.get(name, {}).get("done") != digests[name]
    }

    async def one(_: str, node: Node) -> tuple[int, dict[str, Any]]:
        async with reached.to(node.address, node.host_key) as connection:
            sent = await send(connection, files[node.architecture])
            return sent, await install(connection, plugins[node.architecture])

    async with connections(document.route) as reached:
        await _remove_from_leavers(document, before, reached)
        outcome = await fan_out(
            todo, one, NODE_SECONDS, lambda count: say(f"CNI plugins: {count} of {len(todo)} nodes")
        )
    if outcome.failed:
        raise DeliveryError("\n".join(_errors(todo, outcome)))
    done = outcome.done
    if todo:
        sent = sum(count for count, _ in done.values())
        binaries_sent = f", {sent} binaries sent" if sent else ""
        say(f"CNI plugins: applied to {_which(todo)} of {len(document.nodes)} nodes{binaries_sent}")
    results = {name: done[name][1] if name in done else before.result(name) for name in document.nodes}
    return Record(
        {
            name: {
                "address": node.address,
                "hostKey": node.host_key,
                "done": digests[name],
                "result": digest(results[name]),
            }
            for name, node in document.nodes.items()
        },
        {digest(result): result for result in results.values()},
    )


async def _remove_from_leavers(document: Document, before: Record, reached: Connections) -> None:
    """Remove the plugins from nodes that left the site. One that does not answer has probably been switched off, so that is only reported."""
    leavers = {
        name: Node(node["address"], node["hostKey"])
        for name, node in before.nodes.items()
        if name not in document.nodes
    }
    if not leavers or document.leavers_go:
        return

    async def one(_: str, node: Node) -> None:
        async with reached.to(node.address, node.host_key, CONNECT_SECONDS) as connection:
            await remove(connection)

    for line in _errors(leavers, await fan_out(leavers, one, NODE_SECONDS)):
        say(f"left the site and keeps its CNI plugins: {line}")


async def remove_all(document: Document) -> None:
    """Remove the plugins from all nodes. Raises DeliveryError with a line for each node that failed, ReachError for a bastion."""

    async def one(_: str, node: Node) -> None:
        async with reached.to(node.address, node.host_key) as connection:
            await remove(connection)

    async with connections(document.route) as reached:
        outcome = await fan_out(document.nodes, one, NODE_SECONDS)
    if outcome.failed:
        raise DeliveryError("\n".join(_errors(document.nodes, outcome)))


def _errors(nodes: Mapping[str, Node], outcome: Results[Any]) -> list[str]:
    """A line for each node that failed, with its address."""
    return [f"{name} ({nodes[name].address}): {error}" for name, error in outcome.failed.items()]


def _which(nodes: dict[str, Node]) -> str:
    return ", ".join(nodes) if len(nodes) <= NAMED else str(len(nodes))


def main() -> int:
    """Run the command."""
    verb = sys.argv[1:]
    if verb not in (["apply"], ["remove"]):
        say("usage: python -m multus_site.nodes.delivery apply|remove")
        return 2
    try:
        document = Document.parse(sys.stdin.read())
        if verb == ["remove"]:
            asyncio.run(remove_all(document))
            return 0
        record = asyncio.run(apply(document, Record.parse(last_printed())))
    except (DeliveryError, ReachError) as error:
        say(f"error: {error}")
        return 1
    print(record.json())
    return 0


if __name__ == "__main__":
    sys.exit(main())
