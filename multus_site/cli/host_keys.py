"""SSH host keys before they are pinned: from the hosts, or from the user's known_hosts."""

import asyncio
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from multus_site.model.types import HOST_KEY_TYPES
from multus_site.ssh.fan_out import Results, fan_out
from multus_site.ssh.ssh_route import ReachError

SECONDS = 15


class HostKeyError(ReachError):
    """The key of a host is unknown; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class HostKey:
    """A public host key, and whether it is in the user's known_hosts."""

    text: str
    """In the form of a site's hostKey."""
    known: bool = False

    @property
    def key(self) -> asyncssh.SSHKey:
        """For asyncssh."""
        return asyncssh.import_public_key(self.text)

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` prints it."""
        return str(self.key.get_fingerprint())

    @property
    def type(self) -> str:
        """ED25519 or ECDSA."""
        return self.text.removeprefix("ssh-").partition("-")[0].partition(" ")[0].upper()

    @property
    def file(self) -> str:
        """Its file on the host."""
        return f"/etc/ssh/ssh_host_{self.type.lower()}_key.pub"


class KnownHosts:
    """A file in the format of ~/.ssh/known_hosts, also with hashed names. Raises HostKeyError if it cannot be read."""

    def __init__(self, file: Path) -> None:
        try:
            self._known = asyncssh.read_known_hosts(str(file.expanduser()))
        except (OSError, ValueError) as error:
            msg = f"{file}: cannot be read as known_hosts: {error.strerror if isinstance(error, OSError) else error}"
            raise HostKeyError(msg) from None

    def key(self, names: Iterable[str], port: int) -> HostKey | None:
        """The key of a host under any of its names, Ed25519 first; None if there is none that can be pinned."""
        for name in names:
            keys, _, revoked, *_ = self._known.match(name, "", None if port == 22 else port)
            texts = [_text(key) for key in keys if key not in revoked]
            for kind in HOST_KEY_TYPES:
                for text in texts:
                    if text.startswith(f"{kind} "):
                        return HostKey(text, known=True)
        return None


async def scan(host: str, port: int, tunnel: asyncssh.SSHClientConnection | None = None) -> HostKey:
    """The key that a host shows, Ed25519 if it has one. A person must compare it. Raises HostKeyError."""
    try:
        key = await asyncio.wait_for(
            asyncssh.get_server_host_key(
                host, port, tunnel=tunnel or (), config=None, server_host_key_algs=list(HOST_KEY_TYPES)
            ),
            SECONDS,
        )
    except asyncssh.KeyExchangeFailed:
        msg = "it has neither an Ed25519 nor an ECDSA host key; create them on the host: ssh-keygen -A"
        raise HostKeyError(msg) from None
    except (OSError, asyncssh.Error) as error:
        raise HostKeyError(_unanswered(port, error)) from None
    if key is None:
        msg = f"the server on port {port} shows no host key"
        raise HostKeyError(msg)
    return HostKey(_text(key))


async def scan_all(
    hosts: Iterable[str], port: int, tunnel: asyncssh.SSHClientConnection | None = None
) -> Results[HostKey]:
    """The keys of all hosts, or why a host shows none."""
    return await fan_out(dict.fromkeys(hosts), lambda host, _: scan(host, port, tunnel), SECONDS * 2)


def _unanswered(port: int, error: Exception) -> str:
    """Why nothing answered."""
    if isinstance(error, TimeoutError | asyncssh.TimeoutError):
        return f"no answer on port {port} within {SECONDS} s"
    errno = error.errno if isinstance(error, OSError) else None
    reason = os.strerror(errno) if errno and errno > 0 else str(error) or type(error).__name__  # resolvers' are below 0
    return f"no SSH server on port {port}: {reason}"


def _text(key: asyncssh.SSHKey) -> str:
    return " ".join(key.export_public_key().decode().split()[:2])
