"""SSH to many nodes from one process: pinned host keys, the site's logins, one connection per node; ignores the user's SSH configuration.

A client process for each node would use more processor time than all other work of this machine.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh

from multus_site.ssh.openssh import explained
from multus_site.ssh.ssh_route import Login, NotLetInError, OtherKeyError, ReachError, SshRoute, keys_of
from multus_site.ssh.sudo import as_root, prompted

CONNECT_SECONDS = 15
TRY_SECONDS = 120
"""How long to retry a host that does not answer: it may be booting, or at its limit of unauthenticated connections (MaxStartups)."""


@dataclass(frozen=True)
class Done:
    """The result of a command."""

    status: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Connection:
    """An open connection to one node."""

    client: asyncssh.SSHClientConnection
    user: str
    sudo_password: str

    async def run(self, command: str, stdin: str | Path | None = None, seconds: int = 600) -> str:
        """Run a simple command as root with a text or a file as its standard input, and return its stdout. Raises ReachError."""
        line = as_root(command, self.user, password=bool(self.sudo_password))
        first = prompted(self.user, self.sudo_password)
        done = await self.line(line, (first.encode(), stdin), seconds)
        if done.status != 0:
            raise ReachError(explained(done.stderr.strip()[-600:]) or f"exited with status {done.status}")
        return done.stdout

    async def line(self, line: str, stdin: tuple[bytes, str | Path | None], seconds: float | None) -> Done:
        """Run a command line as the user with bytes, then a text or a file, as its standard input. Raises ReachError if the connection fails."""
        first, then = stdin
        # A file with nothing before it is streamed: many nodes may get it at once.
        source: dict[str, Any] = {"stdin": str(then)} if isinstance(then, Path) and not first else {}
        if not source:
            rest = await asyncio.to_thread(then.read_bytes) if isinstance(then, Path) else (then or "").encode()
            source = {"input": first + rest}
        try:
            done = await self.client.run(line, encoding=None, timeout=seconds, **source)
        except asyncssh.TimeoutError:
            msg = f"no answer within {seconds} s"
            raise ReachError(msg) from None
        except (OSError, asyncssh.Error) as error:
            msg = f"the connection was lost: {error}"
            raise ReachError(msg) from None
        status = 255 if done.exit_status is None else done.exit_status
        return Done(status, _text(done.stdout), _text(done.stderr))


class Connections:
    """Opens connections to the nodes of one site. Nodes behind a bastion share one connection to it."""

    def __init__(self, route: SshRoute, tunnel: asyncssh.SSHClientConnection | None) -> None:
        self._route, self.tunnel = route, tunnel
        self._key = _private_key(route.login)

    @asynccontextmanager
    async def to(self, address: str, host_key: str, patience: float = TRY_SECONDS) -> AsyncIterator[Connection]:
        """Connect to a node, and disconnect on exit. Raises ReachError if the node does not answer for `patience` seconds."""
        route = self._route
        client = await _connected(address, route.port, host_key, (route.login, self._key), self.tunnel, patience)
        async with client:
            yield Connection(client, route.login.user, route.sudo_password)


@asynccontextmanager
async def connections(route: SshRoute, patience: float = TRY_SECONDS) -> AsyncIterator[Connections]:
    """Connect to the bastions of a site, if it has any, and give connections to its nodes. Raises ReachError if a bastion does not answer for `patience` seconds."""
    async with AsyncExitStack() as stack:
        tunnel: asyncssh.SSHClientConnection | None = None
        for hop in route.hops:
            try:
                credentials = (hop.login, _private_key(hop.login))
                tunnel = await _connected(hop.host, hop.port, hop.host_key, credentials, tunnel, patience)
            except ReachError as error:
                msg = f"the bastion {hop.host}: {error}"
                raise type(error)(msg) from None
            await stack.enter_async_context(tunnel)
        yield Connections(route, tunnel)


def _text(output: bytes | str | None) -> str:
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""


def _private_key(login: Login) -> asyncssh.SSHKey | None:
    if not login.private_key:
        return None
    try:
        return asyncssh.import_private_key(login.private_key.strip() + "\n")
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        msg = f"multus-site:{keys_of(login.named)[0]} is not a private key without a passphrase: {error}"
        raise ReachError(msg) from None


@asynccontextmanager
async def _keys(login: Login, key: asyncssh.SSHKey | None) -> AsyncIterator[list[Any] | None]:
    """The keys to offer during a login; None for no key (with an empty list, asyncssh would offer the user's own keys)."""
    if not login.agent:
        yield [key] if key else None
        return
    path = os.environ.get("SSH_AUTH_SOCK")
    try:
        agent = await asyncssh.connect_agent(path or None)
    except OSError as error:
        msg = (
            f"the site logs in with the keys of an SSH agent, and no agent answers: {error.strerror if path else 'SSH_AUTH_SOCK is not set'}. "
            'Type: eval "$(ssh-agent)"; ssh-add KEY_FILE'
        )
        raise ReachError(msg) from None
    async with agent:
        yield list(await agent.get_keys()) or None


async def _connected(
    address: str,
    port: int,
    host_key: str,
    credentials: tuple[Login, asyncssh.SSHKey | None],
    tunnel: asyncssh.SSHClientConnection | None,
    patience: float,
) -> asyncssh.SSHClientConnection:
    pinned = asyncssh.import_public_key(host_key)
    login, key = credentials
    until, pause = time.monotonic() + patience, 0.2
    while True:
        try:
            async with _keys(login, key) as keys:
                return await asyncssh.connect(
                    address,
                    port,
                    username=login.user,
                    tunnel=tunnel or (),
                    config=None,
                    known_hosts=([pinned], [], []),
                    server_host_key_algs=[pinned.get_algorithm()],
                    client_keys=keys,
                    password=login.password or None,
                    agent_path=None,
                    connect_timeout=CONNECT_SECONDS,
                    login_timeout=CONNECT_SECONDS * 4,
                    keepalive_interval=15,
                )
        except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed):
            # In both cases the host does not have the pinned key, so a retry does not help.
            raise OtherKeyError(explained("Host key verification failed")) from None
        except asyncssh.PermissionDenied as error:
            msg = f"{login.user} cannot log in with {_tried(login)}: {error.reason}"
            raise NotLetInError(msg) from None
        except (OSError, asyncssh.Error) as error:
            if time.monotonic() + pause > until:
                msg = f"no answer on port {port}: {_reason(error)}"
                raise ReachError(msg) from None
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 5)


def _reason(error: Exception) -> str:
    """In the words of the operating system: asyncio's have the number of the error and the address as a Python tuple."""
    if isinstance(error, TimeoutError):
        return f"no connection within {CONNECT_SECONDS} s"
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        return os.strerror(error.errno)
    return str(error) or type(error).__name__


def _tried(login: Login) -> str:
    """The credentials that a login tried."""
    private_key, password = (f"multus-site:{key}" for key in keys_of(login.named))
    tried = [(private_key, login.private_key), ("a key of the SSH agent", login.agent), (password, login.password)]
    return " or ".join(name for name, value in tried if value)
