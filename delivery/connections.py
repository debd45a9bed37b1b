"""SSH to many nodes from one process: pinned host keys, our key alone, nothing of the user's own configuration, one connection a node.

A client process for each node would cost more of this machine's processor than all that the nodes do.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import asyncssh

from delivery.document import DeliveryError, Document, Node
from kubespray.ssh import explained

CONNECT_SECONDS = 15
AT_A_TIME = 64
TRY_SECONDS = 120
"""How long a node that does not answer is asked again: it may have just booted, or be at its limit of unfinished logins."""
PROGRESS_SECONDS = 5
_T = TypeVar("_T")


@dataclass(frozen=True)
class Connection:
    """An open connection to one node."""

    client: asyncssh.SSHClientConnection
    sudo: str

    async def run(self, command: str, given: str | Path | None = None, seconds: int = 600) -> str:
        """Runs a command as root, with a text or a file as its standard input; its stdout. Raises DeliveryError."""
        source: dict[str, Any] = {"stdin": str(given)} if isinstance(given, Path) else {"input": (given or "").encode()}
        try:
            done = await self.client.run(f"{self.sudo}{command}", encoding=None, timeout=seconds, **source)
        except asyncssh.TimeoutError:
            msg = f"no answer within {seconds} s"
            raise DeliveryError(msg) from None
        except (OSError, asyncssh.Error) as error:
            msg = f"the connection was lost: {error}"
            raise DeliveryError(msg) from None
        if done.exit_status != 0:
            raise DeliveryError(_text(done.stderr).strip()[-600:] or f"ended with status {done.exit_status}")
        return _text(done.stdout)


class Connections:
    """How the nodes of one site are reached. Those behind a bastion share one connection to it."""

    def __init__(self, document: Document, tunnel: asyncssh.SSHClientConnection | None) -> None:
        self._document = document
        self._tunnel = tunnel
        self._key = _private_key(document)
        self._sudo = "" if document.user == "root" else "sudo -n "

    @asynccontextmanager
    async def to(self, node: Node, patience: float = TRY_SECONDS) -> AsyncIterator[Connection]:
        """A connection, for as long as it is used. Raises DeliveryError when the node does not answer for `patience` seconds."""
        user, port = self._document.user, self._document.port
        client = await _connected(node.address, port, user, node.host_key, self._key, self._tunnel, patience)
        async with client:
            yield Connection(client, self._sudo)


@asynccontextmanager
async def connections(document: Document) -> AsyncIterator[Connections]:
    """Connections to the nodes of a document, through its bastion where it has one. Raises DeliveryError."""
    jump = document.bastion
    if jump is None:
        yield Connections(document, None)
        return
    key = _private_key(document)
    try:
        tunnel = await _connected(jump.host, jump.port, jump.user, document.bastion_key, key, None, TRY_SECONDS)
    except DeliveryError as error:
        msg = f"the bastion {jump.host}: {error}"
        raise DeliveryError(msg) from None
    async with tunnel:
        yield Connections(document, tunnel)


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
            except DeliveryError as error:
                failed[name] = f"{name} ({node.address}): {error}"
        if time.monotonic() - told > PROGRESS_SECONDS:
            told = time.monotonic()
            say(f"CNI plugins: {len(done)} of {len(nodes)} nodes")

    await asyncio.gather(*(one(name, node) for name, node in nodes.items()))
    return {name: done[name] for name in nodes if name in done}, failed


def _text(output: bytes | str | None) -> str:
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""


def _private_key(document: Document) -> asyncssh.SSHKey:
    try:
        return asyncssh.import_private_key(document.private_key.strip() + "\n")
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        msg = f"multus-site:sshPrivateKey is no private key without a passphrase: {error}"
        raise DeliveryError(msg) from None


async def _connected(
    address: str,
    port: int,
    user: str,
    host_key: str,
    key: asyncssh.SSHKey,
    tunnel: asyncssh.SSHClientConnection | None,
    patience: float,
) -> asyncssh.SSHClientConnection:
    pinned = asyncssh.import_public_key(host_key)
    until, pause = time.monotonic() + patience, 0.2
    while True:
        try:
            return await asyncssh.connect(
                address,
                port,
                username=user,
                tunnel=tunnel or (),
                config=None,
                known_hosts=([pinned], [], []),
                server_host_key_algs=[pinned.get_algorithm()],
                client_keys=[key],
                agent_path=None,
                connect_timeout=CONNECT_SECONDS,
                login_timeout=CONNECT_SECONDS * 4,
                keepalive_interval=15,
            )
        except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed):
            # Either way it does not hold the pinned key, and that gets no better by asking again.
            raise DeliveryError(explained("Host key verification failed")) from None
        except asyncssh.PermissionDenied as error:
            msg = f"{user} is not let in with multus-site:sshPrivateKey: {error.reason}"
            raise DeliveryError(msg) from None
        except (OSError, asyncssh.Error) as error:
            if time.monotonic() + pause > until:
                msg = f"it does not answer on port {port}: {error or type(error).__name__}"
                raise DeliveryError(msg) from None
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 5)
