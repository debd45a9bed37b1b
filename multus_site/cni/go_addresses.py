"""Addresses and ranges as Go's net package reads them, and what is inside what.

Python's ipaddress takes more than Go does (netmasks, scopes): those are refused here.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_PREFIX = re.compile(r"^[0-9]{1,3}\Z")
_ZEROS = re.compile(r"(^|\.)0+(?=[0-9])")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Addresses from first to last, both included, of one family."""

    family: int
    first: int
    last: int

    def contains(self, address: Address) -> bool:
        """Whether an address is inside."""
        return address.version == self.family and self.first <= int(address) <= self.last

    def overlaps(self, other: "Span") -> bool:
        """Whether any address is in both."""
        return self.family == other.family and self.first <= other.last and other.first <= self.last

    def __str__(self) -> str:
        first, last = host(self, self.first), host(self, self.last)
        return str(first) if first == last else f"{first}-{last}"


@lru_cache(maxsize=4096)
def parse_address(text: str, *, sloppy: bool = False) -> Address | None:
    """An address without prefix length; `sloppy` as whereabouts does (leading zeros are decimal). None if it is none."""
    if "%" in text:
        return None
    try:
        address = ip_address(_ZEROS.sub(r"\1", text) if sloppy and ":" not in text else text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


@lru_cache(maxsize=4096)
def parse_cidr(text: str, *, sloppy: bool = False) -> tuple[Address, Network] | None:
    """Address and network of ADDRESS/LENGTH; host bits are allowed here. None if it is none."""
    before, slash, length = text.partition("/")
    address = parse_address(before, sloppy=sloppy)
    if not slash or address is None or not _PREFIX.match(length) or int(length) > address.max_prefixlen:
        return None
    return address, ip_network(
        (int(address), int(length)) if address.version == 4 else (address, int(length)), strict=False
    )


def whole(network: Network) -> Span:
    """Every address of a network."""
    return Span(network.version, int(network.network_address), int(network.broadcast_address))


def usable(network: Network) -> Span:
    """The addresses that host-local and whereabouts hand out of a network: neither its own nor, of IPv4, the broadcast."""
    last = int(network.broadcast_address) - (1 if network.version == 4 else 0)
    return Span(network.version, int(network.network_address) + 1, last)


def host(span: Span, number: int) -> Address:
    """An address of a span's family by its number."""
    return IPv4Address(number) if span.family == 4 else IPv6Address(number)


def hosts_hint(network: Network) -> str:
    """The addresses of a network that a host may have, in words."""
    if network.num_addresses <= 2:
        return f"an address of {network}"
    span = usable(network)
    return f"an address between {host(span, span.first)} and {host(span, span.last)}"


def without(span: Span, excluded: list[Span]) -> list[Span]:
    """What is left of a span, in order."""
    left, start = [], span.first
    for hole in sorted(excluded):
        if hole.family != span.family or hole.last < start or hole.first > span.last:
            continue
        if hole.first > start:
            left.append(Span(span.family, start, hole.first - 1))
        start = max(start, hole.last + 1)
    if start <= span.last:
        left.append(Span(span.family, start, span.last))
    return left
