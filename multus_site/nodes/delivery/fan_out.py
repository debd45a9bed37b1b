"""The same work on all nodes of a site at once."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from multus_site.nodes.delivery.document import DeliveryError, Node
from multus_site.ssh.ssh_route import ReachError

AT_A_TIME = 64
PROGRESS_SECONDS = 5
_T = TypeVar("_T")


async def on_all(
    nodes: Mapping[str, Node], work: Callable[[str, Node], Awaitable[_T]], say: Callable[[str], None]
) -> tuple[dict[str, _T], dict[str, str]]:
    """Does the work on all nodes, AT_A_TIME at once: what came of it, and what went wrong, by node. Says every few seconds how far it is."""
    limit = asyncio.Semaphore(AT_A_TIME)
    done: dict[str, _T] = {}
    failed: dict[str, str] = {}
    told = time.monotonic()

    async def one(name: str, node: Node) -> None:
        nonlocal told
        async with limit:
            try:
                done[name] = await work(name, node)
            except (DeliveryError, ReachError) as error:
                failed[name] = f"{name} ({node.address}): {error}"
        if time.monotonic() - told > PROGRESS_SECONDS:
            told = time.monotonic()
            say(f"CNI plugins: {len(done)} of {len(nodes)} nodes")

    await asyncio.gather(*(one(name, node) for name, node in nodes.items()))
    return {name: done[name] for name in nodes if name in done}, failed
