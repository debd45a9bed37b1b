"""`adopt --hosts`: confirms the host keys, inspects the hosts, and shows what it found."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import typer

from multus_site.cli import host_tables
from multus_site.cli.adopted_hosts import Seen, take_over
from multus_site.cli.adoption import Adopted
from multus_site.cli.host_facts import PATIENCE, NoFactsError, look_at_all
from multus_site.cli.host_findings import judged, to_ask
from multus_site.cli.host_keys import HostKey, HostKeyError, KnownHosts, scan, scan_all
from multus_site.cli.host_list import HostListError, Place, Target, Targets, at, targets
from multus_site.cli.host_login import Opening, opening
from multus_site.cli.usage_error import usage_error
from multus_site.ssh.connections import Connections, connections
from multus_site.ssh.ssh_route import Hop, Login, ReachError, SshRoute

_T = TypeVar("_T")


@dataclass(frozen=True)
class Asked:
    """The options of the command; None if not given."""

    hosts: list[str]
    user: str | None
    port: int | None
    key: Path | None
    bastion: str | None
    known_hosts: Path | None
    ask_password: bool
    ask_sudo_password: bool
    yes: bool


def from_hosts(adopted: Adopted, asked: Asked) -> dict[str, list[str]]:
    """Adopts the hosts and shows what it found: node → names of its interfaces. Exits 2."""
    wanted, jumps, known = _said(asked)
    opens = opening(asked.key, ask_password=asked.ask_password, ask_sudo_password=asked.ask_sudo_password)
    login = Login(wanted.user, opens.private_key, opens.password, opens.agent)
    route = SshRoute(login, wanted.port, opens.sudo_password)
    for jump in jumps:
        route = _through(route, jump, known, asked, opens)
    keys = _confirmed(adopted, route, wanted.hosts, known, asked, opens)
    answers: Mapping[str, dict[str, Any] | NoFactsError] = {}
    if keys:
        with host_tables.waiting(f"inspecting {len(keys)} hosts"):
            ask = to_ask(adopted.networks, *next(iter(keys.items())))
            answers = _on(route, opens, lambda there: look_at_all(there, keys, ask, wanted.user, opens.called))
    seen = []
    for target in wanted.hosts:
        answer = answers.get(target.address)
        if isinstance(answer, NoFactsError):
            adopted.left_out.append(f"{target.called}: {answer}")
        elif answer is not None:
            seen.append(Seen(target, keys[target.address].text, answer))
    adopted.ssh = _ssh(route, opens)
    secrets = opens.secrets(adopted.name)
    adopted.remarks["ssh"] = (
        ["Credentials of the hosts are secrets of the stack:", *(f"  {s}" for s in secrets)] if secrets else []
    )
    in_cluster = list(adopted.hosts)
    found = take_over(adopted, seen)
    if found:
        adopted.findings += judged(found, adopted.hosts, adopted.networks, in_cluster)
    host_tables.found(found, adopted.hosts)
    return {name: list(host.nics) for name, host in found.items()}


def _said(asked: Asked) -> tuple[Targets, list[Place], KnownHosts | None]:
    """Hosts, bastions and known hosts. Exits 2."""
    jumps = []
    for text in asked.bastion.split(",") if asked.bastion else []:
        try:
            jumps.append(at(text.strip()))
        except ValueError as error:
            usage_error(f"--bastion {text}: {error}")
    if len(jumps) > 2:
        usage_error(f"--bastion {asked.bastion}: a site has two bastions at most; name the two on the way to the hosts")
    try:
        known = KnownHosts(asked.known_hosts) if asked.known_hosts else None
        return targets(asked.hosts, asked.user, asked.port), jumps, known
    except (HostListError, HostKeyError) as error:
        usage_error(str(error))


def _on(route: SshRoute, opens: Opening, work: Callable[[Connections], Coroutine[Any, Any, _T]]) -> _T:
    """Runs work behind the bastions. Exits 2 if a bastion cannot be reached."""

    async def inside() -> _T:
        async with connections(route, PATIENCE) as there:
            return await work(there)

    try:
        return asyncio.run(inside())
    except ReachError as error:
        said = str(error).splitlines()[0].replace("multus-site:sshPrivateKey", opens.called)
        usage_error(said.replace("multus-site:sshPassword", "that password"))


def _through(route: SshRoute, jump: Place, known: KnownHosts | None, asked: Asked, opens: Opening) -> SshRoute:
    """The route with one more bastion, whose key is confirmed first."""
    port = jump.port or 22
    key = known.key([jump.host], port) if known else None
    if key is None:
        try:
            key = _on(route, opens, lambda there: scan(jump.host, port, there.tunnel))
        except HostKeyError as error:
            usage_error(f"the bastion {jump.host}: {error}")
        _confirm({f"bastion {jump.host}": key}, {}, asked)
    login = replace(route.login, user=jump.user or "root")
    return replace(route, hops=(*route.hops, Hop(jump.host, port, key.text, login)))


def _confirmed(
    adopted: Adopted, route: SshRoute, hosts: Sequence[Target], known: KnownHosts | None, asked: Asked, opens: Opening
) -> dict[str, HostKey]:
    """Address → key, from known_hosts or confirmed now. Hosts without a key are left out."""
    keys = {t.address: k for t in hosts if known and (k := known.key((t.called, t.address), route.port))}
    silent: dict[str, str] = {}
    asking = [target.address for target in hosts if target.address not in keys]
    if asking:
        with host_tables.waiting(f"asking {len(asking)} hosts for their host keys"):
            answers = _on(route, opens, lambda there: scan_all(asking, route.port, there.tunnel))
        keys |= answers.done
        silent = {target.called: str(answers.failed[target.address]) for target in hosts if target.address not in keys}
    adopted.left_out += [f"{called}: {why}" for called, why in silent.items()]
    _confirm({target.called: keys[target.address] for target in hosts if target.address in keys}, silent, asked)
    return keys


def _confirm(keys: Mapping[str, HostKey], silent: Mapping[str, str], asked: Asked) -> None:
    """Exits unless the user accepts the new keys. `silent`: host → why it shows no key."""
    host_tables.keys(keys, silent)
    files = sorted({key.file for key in keys.values() if not key.known})
    if not files or asked.yes:
        return
    print("Compare the new keys with what the hosts' consoles show:", file=sys.stderr)
    for file in files:
        print(f"  ssh-keygen -lf {file}", file=sys.stderr)
    if not sys.stdin.isatty():
        usage_error(
            "there is no terminal to confirm them on, so nothing was sent to the hosts; compare them and add --yes, or give known keys with --known-hosts"
        )
    # typer.confirm writes to standard output, which is the site.
    print("Are they the same? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        print("nothing was sent to the hosts, and nothing was written", file=sys.stderr)
        raise typer.Exit(1)


def _ssh(route: SshRoute, opens: Opening) -> dict[str, Any]:
    """The site's `ssh`."""
    ssh: dict[str, Any] = {"user": route.login.user}
    if route.port != 22:
        ssh["port"] = route.port
    if opens.agent:
        ssh["agent"] = True
    if opens.file_in_project:
        ssh["privateKeyFile"] = opens.file_in_project
    bastions = [
        {
            "host": hop.host,
            **({"port": hop.port} if hop.port != 22 else {}),
            "user": hop.login.user,
            "hostKey": hop.host_key,
        }
        for hop in route.hops
    ]
    if bastions:
        ssh["bastion"] = bastions[0] if len(bastions) == 1 else bastions
    return ssh
