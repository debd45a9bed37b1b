"""What there is on hosts that are in no site yet: each is logged in to with its confirmed key, and node/facts.sh looks at it."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh

from cli.host_keys import AT_A_TIME, SECONDS, HostKey, unanswered
from render.script import script

FACTS_SECONDS = 120


class NoFactsError(RuntimeError):
    """A host that could not be looked at: the message says why."""


@dataclass(frozen=True, slots=True)
class Login:
    """As whom and with which key; no key: those of the agent and of ~/.ssh, as ssh has it."""

    key_file: Path | None = None
    key: asyncssh.SSHKey | None = None

    @classmethod
    def with_key(cls, file: Path) -> "Login":
        """Raises NoFactsError where the file holds no private key that can be used."""
        try:
            return cls(file, asyncssh.read_private_key(str(file.expanduser())))
        except asyncssh.KeyEncryptionError:
            msg = f"{file} is locked by a passphrase; type ssh-add {file}, and leave --key out"
        except OSError as error:
            msg = f"{file} cannot be read: {error.strerror}; name the file of your private key"
        except (asyncssh.KeyImportError, ValueError):
            msg = f"{file} holds no private key; name the one without .pub"
        raise NoFactsError(msg)

    @property
    def called(self) -> str:
        """For messages."""
        return str(self.key_file) if self.key_file else "a key of the agent or of ~/.ssh; name one with --key"


@asynccontextmanager
async def logged_in(
    host: str,
    port: int,
    user: str,
    pinned: HostKey,
    login: Login,
    tunnel: asyncssh.SSHClientConnection | None = None,
) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """A connection to a host that shows the pinned key. Raises NoFactsError."""
    with_key = {"client_keys": [login.key], "agent_path": None} if login.key else {}
    try:
        client = await asyncssh.connect(
            host,
            port,
            username=user,
            tunnel=tunnel or (),
            config=None,
            known_hosts=([pinned.key], [], []),
            server_host_key_algs=[pinned.key.get_algorithm()],
            connect_timeout=SECONDS,
            login_timeout=SECONDS * 2,
            keepalive_interval=15,
            **with_key,
        )
    except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed):
        seen = "than known_hosts has" if pinned.known else "than a moment ago"
        msg = f"it shows another SSH host key {seen}, so nothing was sent to it; find out who answers there, or whether the machine was made anew"
        raise NoFactsError(msg) from None
    except asyncssh.PermissionDenied:
        msg = f"{user} is not let in with {login.called}"
        raise NoFactsError(msg) from None
    except (OSError, asyncssh.Error) as error:
        raise NoFactsError(unanswered(port, error)) from None
    async with client:
        yield client


async def look_at(client: asyncssh.SSHClientConnection, user: str) -> dict[str, Any]:
    """The facts of one host, as node/facts.sh prints them; nothing is changed there. Raises NoFactsError."""
    sudo = "" if user == "root" else "sudo -n "
    try:
        done = await client.run(
            f"{sudo}timeout -k 10 {FACTS_SECONDS} sh -s", input=script("facts", {}), timeout=FACTS_SECONDS + 30
        )
    except asyncssh.TimeoutError:
        msg = f"it said nothing of itself within {FACTS_SECONDS} s"
        raise NoFactsError(msg) from None
    except (OSError, asyncssh.Error, UnicodeError) as error:
        msg = f"the connection was lost: {error}"
        raise NoFactsError(msg) from None
    said, wrong = str(done.stdout or "").strip(), str(done.stderr or "").strip()
    if sudo and wrong.startswith("sudo:"):
        msg = f"{user} cannot become root without a password ({wrong.splitlines()[-1]}); write into /etc/sudoers.d/{user}: {user} ALL=(ALL) NOPASSWD: ALL"
        raise NoFactsError(msg)
    try:
        return dict(json.loads(said.splitlines()[-1]))
    except (ValueError, IndexError):
        msg = f"node/facts.sh did not end as it should (status {done.exit_status}), it said: {(wrong or said)[-300:] or 'nothing'}"
        raise NoFactsError(msg) from None


async def look_at_all(
    hosts: Mapping[str, HostKey], port: int, user: str, login: Login, tunnel: asyncssh.SSHClientConnection | None = None
) -> dict[str, dict[str, Any] | NoFactsError]:
    """The facts of all hosts (address → pinned key), at once; of those that could not be looked at, why."""
    limit = asyncio.Semaphore(AT_A_TIME)

    async def one(host: str, key: HostKey) -> dict[str, Any] | NoFactsError:
        async with limit:
            try:
                async with logged_in(host, port, user, key, login, tunnel) as client:
                    return await look_at(client, user)
            except NoFactsError as error:
                return error

    return dict(zip(hosts, await asyncio.gather(*(one(*item) for item in hosts.items())), strict=True))
