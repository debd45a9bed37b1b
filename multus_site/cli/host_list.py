"""Which hosts `--hosts` and `--bastion` name, as people write them for ssh and Ansible. Pure but for names, which are resolved, and files of hosts."""

import ipaddress
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from multus_site.cli.files import FilesError, read
from multus_site.model.addresses import SHORT_ADDRESS, address_range, host_address
from multus_site.model.types import label, user_name

MOST = 1024
"""Hosts of one range: a slip of the pen asks no whole network."""

_ENTRY = re.compile(
    r"(?:(?P<user>[^@]+)@)?(?:\[(?P<six>[^\]]+)\]|(?P<host>[^@:\[\]]+|[^@\[\]]*:[^@\[\]]*:[^@\[\]]*))(?::(?P<port>[0-9]+))?"
)
_SHORT_RANGE = re.compile(r"((?:[0-9]+\.){3})([0-9]+)-([0-9]+)")
"""Such as 10.1.1.5-7."""


class HostListError(ValueError):
    """Entries that name no host: a line for each."""


@dataclass(frozen=True, slots=True)
class Place:
    """An SSH server as it was named; what was not said is empty or None."""

    host: str
    user: str = ""
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A host to be asked."""

    address: str
    called: str
    """How the user called it: an address, or a name that has it."""
    name: str = ""
    """What it is to be called in the site; empty: by its own host name."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Hosts of one site, which has one user and one port."""

    hosts: tuple[Target, ...]
    user: str
    port: int


def targets(given: list[str], user: str | None, port: int | None) -> Targets:
    """The hosts of all entries, each once, in the order given; `user` and `port` are for those that say none. Raises HostListError."""
    mistakes: list[str] = []
    hosts: dict[str, Target] = {}
    if user is not None:
        try:
            user_name(user)
        except ValueError as error:
            mistakes.append(f"--user: {error}")
    users, ports = ({user} if user else set()), ({port} if port else set())
    for entry in _entries(given, mistakes):
        name, equals, rest = entry.rpartition("=")
        try:
            if equals:
                label(name)
            place = at(rest)
            addresses = _addresses(place.host)
            if equals and len(addresses) > 1:
                mistakes.append(f"{entry}: a range has no name; give each of its hosts its own: {name}={addresses[0]}")
                continue
        except ValueError as error:
            mistakes.append(f"{entry}: {error}")
            continue
        users |= {place.user} if place.user else set()
        ports |= {place.port} if place.port else set()
        for address in addresses:
            if address in hosts:
                mistakes.append(f"{entry}: {address} is there twice; leave one of them out")
            hosts[address] = Target(address, place.host if len(addresses) == 1 else address, name)
    named = [target.name for target in hosts.values() if target.name]
    mistakes += [
        f"{name}: two hosts are called so; give each its own name"
        for name in sorted({n for n in named if named.count(n) > 1})
    ]
    if len(users) > 1:
        mistakes.append(
            f"a site logs in on all hosts as one user, and here are {', '.join(sorted(users))}; make one of them on all hosts"
        )
    if len(ports) > 1:
        mistakes.append(
            f"SSH servers of a site's hosts have one port, and here are {', '.join(map(str, sorted(ports)))}; adopt those of one port"
        )
    if not hosts and not mistakes:
        mistakes.append("--hosts names no host; such as: --hosts 10.1.1.5,10.1.1.6")
    if mistakes:
        raise HostListError("\n".join(mistakes))
    return Targets(tuple(hosts.values()), next(iter(users), "root"), next(iter(ports), 22))


def at(text: str) -> Place:
    """[USER@]HOST[:PORT]; an IPv6 address with a port is in brackets, and one alone is that of a machine. Raises ValueError."""
    found = _ENTRY.fullmatch(text)
    if found is None or (found["port"] and not 0 < int(found["port"]) < 65536):
        msg = "no [USER@]HOST[:PORT], such as ubuntu@10.1.1.5:22 or [fd00::5]:22"
        raise ValueError(msg)
    host = found["six"] or found["host"]
    if _is_address(host):
        host = host_address(host)
    elif SHORT_ADDRESS.fullmatch(host):
        msg = "neither an address nor a name; an IPv4 address has four numbers, such as 10.1.1.5"
        raise ValueError(msg)
    return Place(host, user_name(found["user"]) if found["user"] else "", int(found["port"]) if found["port"] else None)


def _entries(given: list[str], mistakes: list[str]) -> Iterator[str]:
    """What stands between commas and white space; an entry that is a file stands for its lines, `#` begins a comment there."""
    for text in given:
        parts = (part.strip() for part in text.split(","))
        # The name of a file may have spaces.
        for entry in (word for part in parts for word in ([part] if _is_file(part) else part.split())):
            if not _is_file(entry):
                yield entry
                continue
            try:
                lines = read(Path(entry)).splitlines()
            except FilesError as error:
                mistakes.append(str(error))
                continue
            for line in lines:
                yield from line.partition("#")[0].replace(",", " ").split()


def _is_file(entry: str) -> bool:
    try:
        return Path(entry).is_file()
    except OSError:  # too long for a file's name
        return False


def _addresses(host: str) -> list[str]:
    """The addresses of an address, a range of them or a name. Raises ValueError."""
    short = _SHORT_RANGE.fullmatch(host)
    if short:
        host = f"{short[1]}{short[2]}-{short[1]}{short[3]}"
    first, dash, _ = host.partition("-")
    if dash and _is_address(first):
        ends = [ipaddress.ip_address(host_address(end)) for end in address_range(host).split("-")]
        if int(ends[-1]) - int(ends[0]) >= MOST:
            msg = f"more than {MOST} hosts; name those that are there"
            raise ValueError(msg)
        return [str(ends[0] + i) for i in range(int(ends[-1]) - int(ends[0]) + 1)]
    if _is_address(host):
        return [host]
    try:
        found = str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
    except (OSError, UnicodeError):
        msg = "neither a file nor a name that has an address here; give the host's address"
        raise ValueError(msg) from None
    return [host_address(found)]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
