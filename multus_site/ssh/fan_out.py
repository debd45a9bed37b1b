"""Does the same work on many nodes at once, with a limit and a timeout; every node gets a result or an error."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from multus_site.ssh.ssh_route import ReachError

AT_A_TIME = 64
"""Maximum number of nodes at the same time, for all commands."""

PROGRESS_SECONDS = 5
_N = TypeVar("_N")
_T = TypeVar("_T")


@dataclass
class Results(Generic[_T]):
    """Results in the order of the nodes: each node is in exactly one of the two."""

    done: dict[str, _T] = field(default_factory=dict)
    failed: dict[str, ReachError] = field(default_factory=dict)

    def errors(self) -> list[str]:
        """A line for each node that failed."""
        return [f"{name}: {error}" for name, error in self.failed.items()]


async def fan_out(
    nodes: Mapping[str, _N],
    work: Callable[[str, _N], Awaitable[_T]],
    seconds: float,
    progress: Callable[[int], None] | None = None,
) -> Results[_T]:
    """Do the work on all nodes. A node that fails, or takes longer than `seconds`, does not affect the results of the others.

    `progress` is called with the number of finished nodes every few seconds.
    """
    limit = asyncio.Semaphore(AT_A_TIME)
    done: dict[str, _T] = {}
    failed: dict[str, ReachError] = {}
    reported = time.monotonic()

    async def one(name: str, node: _N) -> None:
        nonlocal reported
        async with limit:
            try:
                async with asyncio.timeout(seconds):
                    done[name] = await work(name, node)
            except ReachError as error:
                failed[name] = error
            except TimeoutError:
                failed[name] = ReachError(f"no answer within {seconds:g} s")
            except Exception as error:  # the other nodes keep their results
                failed[name] = ReachError(f"{type(error).__name__}: {error}")
        if progress and time.monotonic() - reported > PROGRESS_SECONDS:
            reported = time.monotonic()
            progress(len(done))

    await asyncio.gather(*(one(name, node) for name, node in nodes.items()))
    return Results(
        {name: done[name] for name in nodes if name in done},
        {name: failed[name] for name in nodes if name in failed},
    )


def fan_out_blocking(nodes: Mapping[str, _N], work: Callable[[str, _N], _T], seconds: float) -> Results[_T]:
    """The same for blocking work, such as a call of ssh(1), with a thread for each node. The work must have a time limit of its own."""
    threads = ThreadPoolExecutor(min(AT_A_TIME, max(1, len(nodes))))

    async def in_thread(name: str, node: _N) -> _T:
        return await asyncio.get_running_loop().run_in_executor(threads, work, name, node)

    try:
        return asyncio.run(fan_out(nodes, in_thread, seconds))
    finally:
        # After Ctrl-C nobody waits for them: `shell` ends what they wait for.
        threads.shutdown(wait=False, cancel_futures=True)
