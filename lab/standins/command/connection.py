"""SSH as pulumi-command's `connection` describes it: pinned host key, patient dialling, one bastion hop at most."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncssh

from ..plugin import EngineLog, StandInError

DEFAULTS: dict[str, Any] = {"user": "root", "port": 22, "dialErrorLimit": 10, "perDialTimeout": 15}
_FIRST_PAUSE, _PAUSE_GROWTH, _LONGEST_PAUSE = 0.1, 1.5, 5.0
# A host that vanished (power, network) must end a command at last; a busy one answers well within this.
_KEEPALIVE_SECONDS, _KEEPALIVE_MISSES = 30, 10


def with_defaults(connection: dict[str, Any]) -> dict[str, Any]:
    """The connection with the provider's defaults filled in, its proxy's too."""
    filled = {**DEFAULTS, **{key: value for key, value in connection.items() if value is not None}}
    if isinstance(filled.get("proxy"), dict):
        filled["proxy"] = {**DEFAULTS, **filled["proxy"]}
    return filled


@asynccontextmanager
async def connected(
    connection: dict[str, Any], log: EngineLog, urn: str
) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """An open connection to the host, closed at the end; raises StandInError when the dials are used up."""
    settings = with_defaults(connection)
    async with AsyncExitStack() as stack:
        tunnel = None
        if settings.get("proxy"):
            try:
                tunnel = await _dial(stack, settings["proxy"], None, "Dial proxy", log, urn)
            except StandInError as error:
                msg = f"proxy: {error}"
                raise StandInError(msg) from error
        yield await _dial(stack, settings, tunnel, "Dial", log, urn)


async def _dial(
    stack: AsyncExitStack,
    settings: dict[str, Any],
    tunnel: asyncssh.SSHClientConnection | None,
    what: str,
    log: EngineLog,
    urn: str,
) -> asyncssh.SSHClientConnection:
    options = await _options(stack, settings)
    limit, pause, failures = int(settings["dialErrorLimit"]), _FIRST_PAUSE, 0
    endpoint = f"{settings['host']}:{settings['port']}"
    while True:
        try:
            client = await asyncssh.connect(settings["host"], int(settings["port"]), tunnel=tunnel or (), **options)
        except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed) as error:
            # The real provider dials on. A wrong key does not get better, and each try talks to the wrong machine.
            msg = (
                f"ssh: handshake failed: ssh: host key mismatch: {endpoint} does not hold the key pinned as hostKey "
                f"({settings.get('hostKey')}): {error}"
            )
            raise StandInError(msg) from error
        except (OSError, asyncssh.Error, TimeoutError) as error:
            failures += 1
            if -1 < limit < failures:
                msg = f"after {failures - 1} failed attempts: dial {endpoint}: {_why(error, settings)}"
                raise StandInError(msg) from error
            shown = "inf" if limit == -1 else str(limit)
            await log.status(f"{what} {failures}/{shown} failed: retrying", urn)
            await asyncio.sleep(pause)
            pause = min(pause * _PAUSE_GROWTH, _LONGEST_PAUSE)
        else:
            stack.push_async_callback(client.wait_closed)
            stack.callback(client.close)
            return client


def _why(error: Exception, settings: dict[str, Any]) -> str:
    if isinstance(error, asyncssh.PermissionDenied):
        return f"ssh: unable to authenticate as {settings['user']}: {error.reason}"
    if isinstance(error, TimeoutError):
        return f"i/o timeout after {settings['perDialTimeout']} s"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    return str(error)


async def _options(stack: AsyncExitStack, settings: dict[str, Any]) -> dict[str, Any]:
    """asyncssh's options: nothing from the user's own SSH configuration, keys or known hosts."""
    timeout = int(settings["perDialTimeout"]) or None
    options: dict[str, Any] = {
        "config": None,
        "username": settings["user"],
        "known_hosts": None,
        "client_keys": await _keys(stack, settings) or None,
        "agent_path": None,
        "password": settings.get("password"),
        "gss_host": None,
        "connect_timeout": timeout,
        "login_timeout": timeout or 0,
        "keepalive_interval": _KEEPALIVE_SECONDS,
        "keepalive_count_max": _KEEPALIVE_MISSES,
    }
    if settings.get("hostKey"):
        try:
            key = asyncssh.import_public_key(settings["hostKey"])
        except asyncssh.KeyImportError as error:
            msg = f"failed to parse host key: {error}. Give it as in authorized_keys: ssh-ed25519 AAAA…"
            raise StandInError(msg) from error
        options["known_hosts"] = ([key], [], [])
        options["server_host_key_algs"] = [key.get_algorithm()]
    return options


async def _keys(stack: AsyncExitStack, settings: dict[str, Any]) -> list[Any]:
    keys: list[Any] = []
    if settings.get("privateKey"):
        try:
            keys.append(asyncssh.import_private_key(settings["privateKey"], settings.get("privateKeyPassword")))
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
            msg = (
                f"connection.privateKey: ssh: no key found: {error}. Give the contents of an OpenSSH private key file."
            )
            raise StandInError(msg) from error
    path = settings.get("agentSocketPath")
    path = (os.environ.get("SSH_AUTH_SOCK") or None) if path is None else path
    if path is not None:
        try:
            agent = await asyncssh.connect_agent(path)
        except OSError as error:
            msg = f"SSH agent at {path}: {error.strerror}. Unset SSH_AUTH_SOCK, or start the agent."
            raise StandInError(msg) from error
        stack.push_async_callback(agent.wait_closed)
        stack.callback(agent.close)
        # x/crypto/ssh tries each method once: with a private key, the agent is connected to and never asked.
        keys = keys or list(await agent.get_keys())
    return keys
