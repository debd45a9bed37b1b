"""How this machine reaches the nodes of a site: OpenSSH with the pinned host keys and what the site logs in with, for as long as it lasts."""

import asyncio
import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from multus_site.model.nodes import Nodes
from multus_site.ssh.openssh import Shell, lay_out
from multus_site.ssh.ssh_route import Way

ANSWER_SECONDS = 5
"""Within so many a host takes a connection that is there to take any."""


def answering(nodes: Nodes, names: Iterable[str], seconds: float = ANSWER_SECONDS) -> list[str]:
    """The nodes that take connections, all asked at once; behind bastions it is the first of them that is asked.

    A host whose packets are dropped costs each SSH a quarter of a minute: with a hundred of them a preview would wait for minutes.
    """
    names = list(names)
    first = next(((bastion.host, bastion.port) for bastion in nodes.ssh.bastions), None)
    doors = {name: first or (nodes.hosts[name].address, nodes.ssh.port) for name in names}

    async def ask() -> dict[tuple[str, int], bool]:
        asked = list(dict.fromkeys(doors.values()))
        return dict(zip(asked, await asyncio.gather(*(_open(*door, seconds) for door in asked)), strict=True))

    open_doors = asyncio.run(ask())
    return [name for name in names if open_doors[doors[name]]]


async def _open(host: str, port: int, seconds: float) -> bool:
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), seconds)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


@contextlib.contextmanager
def shell(way: Way, hosts: str) -> Iterator[Shell]:
    """A shell on the nodes; what opens them lies in files that only their owner reads, and is gone afterwards. `hosts`: known_hosts."""
    with tempfile.TemporaryDirectory(prefix="multus-site-") as name:
        folder = Path(name)
        lay_out(way, folder / "keys")
        (folder / "known_hosts").write_text(hosts)
        yield Shell(way, folder / "keys", folder / "known_hosts")
