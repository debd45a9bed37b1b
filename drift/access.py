"""How this machine reaches the nodes of a site: OpenSSH with the pinned host keys and the site's key, for as long as it lasts."""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from kubespray.document import Jump
from kubespray.ssh import Shell
from model.nodes import Nodes

ANSWER_SECONDS = 5
"""Within so many a host takes a connection that is there to take any."""


def answering(nodes: Nodes, names: Iterable[str], seconds: float = ANSWER_SECONDS) -> list[str]:
    """The nodes that take connections, all asked at once; behind a bastion it is the bastion that is asked.

    A host whose packets are dropped costs each SSH a quarter of a minute: with a hundred of them a preview would wait for minutes.
    """
    names = list(names)
    port, bastion = nodes.ssh.port, nodes.ssh.bastion
    doors = {name: (bastion.host, bastion.port) if bastion else (nodes.hosts[name].address, port) for name in names}

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


def known_hosts(nodes: Nodes, keys: Mapping[str, str]) -> str:
    """OpenSSH's known_hosts of a site. `keys`: node → its public host key."""
    ssh = nodes.ssh
    lines = [f"{_known_as(host.address, ssh.port)} {keys[name]}" for name, host in nodes.hosts.items() if name in keys]
    if ssh.bastion:
        lines.append(f"{_known_as(ssh.bastion.host, ssh.bastion.port)} {ssh.bastion.host_key}")
    return "\n".join(lines) + "\n"


def _known_as(host: str, port: int) -> str:
    return host if port == 22 else f"[{host}]:{port}"


@contextlib.contextmanager
def shell(nodes: Nodes, private_key: str, hosts: str) -> Iterator[Shell]:
    """A shell on the nodes; the key lies in a file that only its owner reads, and is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="multus-site-") as name:
        folder = Path(name)
        descriptor = os.open(folder / "key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(private_key.strip() + "\n")
        (folder / "known_hosts").write_text(hosts)
        bastion = nodes.ssh.bastion
        jump = Jump(bastion.host, bastion.port, bastion.user) if bastion else None
        yield Shell(folder / "key", folder / "known_hosts", jump)
