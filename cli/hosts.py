"""Hosts that exist into a site: their keys are confirmed, they are looked at, and what was found is shown."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh
import typer

from cli import host_tables
from cli.adopted_hosts import Seen, take_over
from cli.adoption import Adopted
from cli.host_facts import Login, NoFactsError, logged_in, look_at_all
from cli.host_keys import HostKey, HostKeyError, KnownHosts, scan, scan_all
from cli.host_list import HostListError, Place, Target, Targets, at, targets
from cli.wrong_use import wrong_use


@dataclass(frozen=True)
class Asked:
    """What the user said of the hosts; None: nothing."""

    hosts: list[str]
    user: str | None
    port: int | None
    key: Path | None
    bastion: str | None
    known_hosts: Path | None
    yes: bool


@dataclass(frozen=True)
class _Way:
    """How the hosts are reached."""

    targets: Targets
    login: Login
    bastion: tuple[Place, HostKey] | None = None

    @asynccontextmanager
    async def tunnel(self) -> AsyncIterator[asyncssh.SSHClientConnection | None]:
        """Raises NoFactsError."""
        if self.bastion is None:
            yield None
            return
        jump, key = self.bastion
        async with logged_in(jump.host, jump.port or 22, jump.user or "root", key, self.login) as tunnel:
            yield tunnel


def from_hosts(adopted: Adopted, asked: Asked) -> dict[str, list[str]]:
    """Takes the hosts over into the site, and shows what was found; node → names of its interfaces. Ends as for wrong use."""
    try:
        wanted = targets(asked.hosts, asked.user, asked.port)
        jump = at(asked.bastion) if asked.bastion else None
        login = Login.with_key(asked.key) if asked.key else Login()
        known = KnownHosts(asked.known_hosts) if asked.known_hosts else None
    except ValueError as error:
        wrong_use(str(error) if isinstance(error, HostListError) else f"--bastion {asked.bastion}: {error}")
    except (NoFactsError, HostKeyError) as error:
        wrong_use(str(error))
    try:
        way = _Way(wanted, login, _bastion(jump, known, asked) if jump else None)
        keys = _confirmed(adopted, way, known, asked)
        answers = asyncio.run(_look(way, keys))
    except (NoFactsError, HostKeyError) as error:
        wrong_use(f"the bastion {jump.host if jump else ''}: {error}")
    seen = []
    for target in wanted.hosts:
        answer = answers.get(target.address)
        if isinstance(answer, NoFactsError):
            adopted.left_out.append(f"{target.called}: {answer}")
        elif answer is not None:
            seen.append(Seen(target, keys[target.address].text, answer))
    adopted.ssh = _ssh(way)
    if login.key_file is None or "privateKeyFile" not in adopted.ssh:
        file = login.key_file or "KEY_FILE"
        adopted.remarks["ssh"] = [
            f"The private key is a secret: pulumi config set --stack {adopted.name} --secret multus-site:sshPrivateKey < {file}"
        ]
    found = take_over(adopted, seen)
    host_tables.found(found, adopted.hosts)
    return {name: list(host.nics) for name, host in found.items()}


def _bastion(jump: Place, known: KnownHosts | None, asked: Asked) -> tuple[Place, HostKey]:
    """The bastion with its key, which is confirmed before anything goes through it. Raises HostKeyError."""
    port = jump.port or 22
    key = known.key([jump.host], port) if known else None
    if key is None:
        key = asyncio.run(scan(jump.host, port))
        _confirm({f"bastion {jump.host}": key}, {}, asked)
    return jump, key


def _confirmed(adopted: Adopted, way: _Way, known: KnownHosts | None, asked: Asked) -> dict[str, HostKey]:
    """Address → key that was known or is now; hosts that show none are left out. Raises NoFactsError for the bastion."""
    hosts, port = way.targets.hosts, way.targets.port
    keys = {t.address: k for t in hosts if known and (k := known.key(_names(t), port))}
    answers = asyncio.run(_scan(way, [t for t in hosts if t.address not in keys]))
    keys |= {address: key for address, key in answers.items() if isinstance(key, HostKey)}
    silent = {t.called: str(answers[t.address]) for t in hosts if t.address not in keys}
    adopted.left_out += [f"{called}: {why}" for called, why in silent.items()]
    _confirm({t.called: keys[t.address] for t in hosts if t.address in keys}, silent, asked)
    return keys


def _names(target: Target) -> list[str]:
    return list(dict.fromkeys((target.called, target.address)))


async def _scan(way: _Way, hosts: list[Target]) -> Mapping[str, HostKey | HostKeyError]:
    if not hosts:
        return {}
    async with way.tunnel() as tunnel:
        with host_tables.waiting(f"asking {len(hosts)} hosts for their host keys"):
            return await scan_all([target.address for target in hosts], way.targets.port, tunnel)


async def _look(way: _Way, keys: Mapping[str, HostKey]) -> Mapping[str, dict[str, Any] | NoFactsError]:
    if not keys:
        return {}
    async with way.tunnel() as tunnel:
        with host_tables.waiting(f"looking at {len(keys)} hosts"):
            return await look_at_all(keys, way.targets.port, way.targets.user, way.login, tunnel)


def _confirm(keys: Mapping[str, HostKey], silent: Mapping[str, str], asked: Asked) -> None:
    """Ends where the user does not take the keys that were not known before. `silent`: host → why it shows none."""
    host_tables.keys(keys, silent)
    files = sorted({key.file for key in keys.values() if not key.known})
    if not files or asked.yes:
        return
    print("Compare those that are new with what the hosts' consoles show:", file=sys.stderr)
    for file in files:
        print(f"  ssh-keygen -lf {file}", file=sys.stderr)
    if not sys.stdin.isatty():
        wrong_use(
            "nobody is here to confirm them, and nothing was sent to the hosts; compare them and add --yes, or name keys that you know with --known-hosts"
        )
    if not typer.confirm("Are they the same?", err=True):
        print("nothing was sent to the hosts, and nothing is written", file=sys.stderr)
        raise typer.Exit(1)


def _ssh(way: _Way) -> dict[str, Any]:
    """The site's `ssh`."""
    ssh: dict[str, Any] = {"user": way.targets.user}
    if way.targets.port != 22:
        ssh["port"] = way.targets.port
    file = way.login.key_file
    if file is not None and file.resolve().is_relative_to(Path.cwd()):
        ssh["privateKeyFile"] = str(file.resolve().relative_to(Path.cwd()))
    if way.bastion:
        jump, pinned = way.bastion
        port = {} if jump.port in {None, 22} else {"port": jump.port}
        ssh["bastion"] = {"host": jump.host, **port, "user": jump.user or "root", "hostKey": pinned.text}
    return ssh
