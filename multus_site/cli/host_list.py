"""Parses `--hosts` and `--bastion`. Resolves names and reads files of hosts."""

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
"""Hosts of one range: a typo must not select a whole network."""

_ENTRY = re.compile(
    r"(?:(?P<user>[^@]+)@)?(?:\[(?P<six>[^\]]+)\]|(?P<host>[^@:\[\]]+|[^@\[\]]*:[^@\[\]]*:[^@\[\]]*))(?::(?P<port>[0-9]+))?"
)
_SHORT_RANGE = re.compile(r"((?:[0-9]+\.){3})([0-9]+)-([0-9]+)")
"""Such as 10.1.1.5-7."""


class HostListError(ValueError):
    """Entries that name no host, one line each."""


@dataclass(frozen=True, slots=True)
class Place:
    """An SSH server; empty or None: not given."""

    host: str
    user: str = ""
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A host to inspect."""

    address: str
    called: str
    """The user's text: an address or a name."""
    name: str = ""
    """Its name in the site; empty: its own host name."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Hosts of a site, with their user and port."""

    hosts: tuple[Target, ...]
    user: str
    port: int


def targets(given: list[str], user: str | None, port: int | None) -> Targets:
    """The hosts of all entries in the given order; `user` and `port` are defaults. Raises HostListError."""
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
                mistakes.append(f"{entry}: a range cannot have a name; name each host: {name}={addresses[0]}")
                continue
        except ValueError as error:
            mistakes.append(f"{entry}: {error}")
            continue
        users |= {place.user} if place.user else set()
        ports |= {place.port} if place.port else set()
        for address in addresses:
            if address in hosts:
                mistakes.append(f"{entry}: {address} is given twice; remove one")
            hosts[address] = Target(address, place.host if len(addresses) == 1 else address, name)
    named = [target.name for target in hosts.values() if target.name]
    mistakes += [
        f"{name}: two hosts have this name; give each its own"
        for name in sorted({n for n in named if named.count(n) > 1})
    ]
    if len(users) > 1:
        mistakes.append(
            f"a site uses one user for all hosts, but the entries have {', '.join(sorted(users))}; create one of them on all hosts"
        )
    if len(ports) > 1:
        mistakes.append(
            f"a site uses one SSH port for all hosts, but the entries have {', '.join(map(str, sorted(ports)))}; adopt hosts with the same port"
        )
    if not hosts and not mistakes:
        mistakes.append("--hosts names no host; example: --hosts 10.1.1.5,10.1.1.6")
    if mistakes:
        raise HostListError("\n".join(mistakes))
    return Targets(tuple(hosts.values()), next(iter(users), "root"), next(iter(ports), 22))


def at(text: str) -> Place:
    """Parses [USER@]HOST[:PORT]; an IPv6 address with a port is in brackets. Raises ValueError."""
    found = _ENTRY.fullmatch(text)
    if found is None or (found["port"] and not 0 < int(found["port"]) < 65536):
        msg = "not [USER@]HOST[:PORT], such as ubuntu@10.1.1.5:22 or [fd00::5]:22"
        raise ValueError(msg)
    host = found["six"] or found["host"]
    if _is_address(host):
        host = host_address(host)
    elif SHORT_ADDRESS.fullmatch(host):
        msg = "neither an address nor a name; an IPv4 address has four numbers, such as 10.1.1.5"
        raise ValueError(msg)
    return Place(host, user_name(found["user"]) if found["user"] else "", int(found["port"]) if found["port"] else None)


def _entries(given: list[str], mistakes: list[str]) -> Iterator[str]:
    """Entries between commas and white space. A file is replaced by its lines, in which `#` begins a comment."""
    for text in given:
        parts = (part.strip() for part in text.split(","))
        # The name of a file can contain spaces.
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
            msg = f"more than {MOST} hosts; name only existing hosts"
            raise ValueError(msg)
        return [str(ends[0] + i) for i in range(int(ends[-1]) - int(ends[0]) + 1)]
    if _is_address(host):
        return [host]
    try:
        found = str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
    except (OSError, UnicodeError):
        msg = "neither a file nor a name that resolves; give the host's address"
        raise ValueError(msg) from None
    return [host_address(found)]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
