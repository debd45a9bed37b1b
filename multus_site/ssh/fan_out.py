"""The same work on many nodes at once: one limit, bounded time, and a result or an error for every node."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from multus_site.ssh.ssh_route import ReachError

AT_A_TIME = 64
"""Nodes that are worked on at the same time, whatever the command."""

PROGRESS_SECONDS = 5
_N = TypeVar("_N")
_T = TypeVar("_T")


@dataclass
class Results(Generic[_T]):
    """What came of the work, in the order of the nodes: each node is in one of the two."""

    done: dict[str, _T] = field(default_factory=dict)
    failed: dict[str, ReachError] = field(default_factory=dict)

    def errors(self) -> list[str]:
        """A line for each node that failed, beginning with its name."""
        return [f"{name}: {error}" for name, error in self.failed.items()]


async def fan_out(
    nodes: Mapping[str, _N],
    work: Callable[[str, _N], Awaitable[_T]],
    seconds: float,
    progress: Callable[[int], None] | None = None,
) -> Results[_T]:
    """Does the work on all nodes. A node that fails in any way, or takes longer than `seconds`, costs no other its result.

    `progress` gets the number of nodes that are done, every few seconds.
    """
    limit = asyncio.Semaphore(AT_A_TIME)
    done: dict[str, _T] = {}
    failed: dict[str, ReachError] = {}
    said = time.monotonic()

    async def one(name: str, node: _N) -> None:
        nonlocal said
        async with limit:
            try:
                async with asyncio.timeout(seconds):
                    done[name] = await work(name, node)
            except ReachError as error:
                failed[name] = error
            except TimeoutError:
                failed[name] = ReachError(f"no answer within {seconds:g} s")
            except Exception as error:  # whatever it is, the other nodes keep their results
                failed[name] = ReachError(f"{type(error).__name__}: {error}")
        if progress and time.monotonic() - said > PROGRESS_SECONDS:
            said = time.monotonic()
            progress(len(done))

    await asyncio.gather(*(one(name, node) for name, node in nodes.items()))
    return Results(
        {name: done[name] for name in nodes if name in done},
        {name: failed[name] for name in nodes if name in failed},
    )


def fan_out_blocking(nodes: Mapping[str, _N], work: Callable[[str, _N], _T], seconds: float) -> Results[_T]:
    """The same for work that blocks, such as a call of ssh(1): each node has a thread. The work must end by itself at some time."""
    with ThreadPoolExecutor(min(AT_A_TIME, max(1, len(nodes)))) as threads:

        async def in_thread(name: str, node: _N) -> _T:
            return await asyncio.get_running_loop().run_in_executor(threads, work, name, node)

        return asyncio.run(fan_out(nodes, in_thread, seconds))
