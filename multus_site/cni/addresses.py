"""IP and MAC addresses as Go's net package reads them, and spans of addresses.

Python's ipaddress accepts more than Go does (netmasks, zones, no length). This module refuses those.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_LENGTH = re.compile(r"^[0-9]{1,3}\Z")
_ZEROS = re.compile(r"(^|\.)0+(?=[0-9])")
_BYTE = "[0-9a-fA-F]{2}"
_SEPARATOR = re.compile(r"[:.-]")
_HARDWARE = tuple(
    re.compile(form) for form in (rf"{_BYTE}(:{_BYTE})*", rf"{_BYTE}(-{_BYTE})*", rf"{_BYTE}{_BYTE}(\.{_BYTE}{_BYTE})*")
)


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
        """Whether the two have an address in common."""
        return self.family == other.family and self.first <= other.last and other.first <= self.last

    @property
    def ends(self) -> "tuple[Address, Address]":
        """First and last address."""
        return host(self, self.first), host(self, self.last)

    def __str__(self) -> str:
        first, last = self.ends
        return str(first) if first == last else f"{first}-{last}"


@lru_cache(maxsize=4096)
def parse_address(text: str, *, sloppy: bool = False) -> Address | None:
    """An address without prefix length, None for anything else. `sloppy`: as whereabouts reads it, with leading zeros as decimal."""
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
    """Address and network of ADDRESS/LENGTH, None for anything else. Host bits are allowed."""
    before, slash, length = text.partition("/")
    address = parse_address(before, sloppy=sloppy)
    if not slash or address is None or not _LENGTH.match(length) or int(length) > address.max_prefixlen:
        return None
    return address, ip_network(
        (int(address), int(length)) if address.version == 4 else (address, int(length)), strict=False
    )


def single(address: Address) -> Span:
    """The span of one address."""
    return Span(address.version, int(address), int(address))


def parse_block(text: str, *, sloppy: bool = False) -> Span | None:
    """A network as ADDRESS/LENGTH, or one address; None for anything else."""
    if cidr := parse_cidr(text, sloppy=sloppy):
        return whole(cidr[1])
    address = parse_address(text)
    return single(address) if address else None


def parse_span(text: str) -> Span | None:
    """FIRST-LAST, or one address; None for anything else."""
    low, dash, high = text.partition("-")
    first, last = parse_address(low), parse_address(high if dash else low)
    if first is None or last is None or first.version != last.version or int(first) > int(last):
        return None
    return Span(first.version, int(first), int(last))


def whole(network: Network) -> Span:
    """Every address of a network."""
    return Span(network.version, int(network.network_address), int(network.broadcast_address))


def usable(network: Network) -> Span:
    """The addresses that host-local and whereabouts assign from a network: all but the network address and the IPv4 broadcast address."""
    last = int(network.broadcast_address) - (1 if network.version == 4 else 0)
    return Span(network.version, int(network.network_address) + 1, last)


def host(span: Span, number: int) -> Address:
    """The address of a span's family with this number."""
    return IPv4Address(number) if span.family == 4 else IPv6Address(number)


def hosts_hint(network: Network) -> str:
    """The addresses of a network that a host can have, in words."""
    if network.num_addresses <= 2:
        return f"an address of {network}"
    span = usable(network)
    return f"an address between {host(span, span.first)} and {host(span, span.last)}"


def without(span: Span, excluded: Iterable[Span]) -> list[Span]:
    """The rest of a span, in order."""
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


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same addresses in as few spans as possible, sorted."""
    found: list[Span] = []
    for span in sorted(spans):
        last = found[-1] if found else None
        if last and last.family == span.family and span.first <= last.last + 1:
            found[-1] = Span(span.family, last.first, max(last.last, span.last))
        else:
            found.append(span)
    return found


def less(spans: Iterable[Span], others: list[Span]) -> list[Span]:
    """The addresses of `spans` that are not in `others`; sorted if both are."""
    return [left for span in spans for left in without(span, others)]


def total(spans: Iterable[Span]) -> int:
    """The number of different addresses."""
    return sum(span.last - span.first + 1 for span in merged(spans))


def octets(text: str) -> bytes | None:
    """The six bytes of an Ethernet address in one of the forms of Go's net.ParseMAC, None for anything else."""
    return bytes.fromhex(_SEPARATOR.sub("", text)) if hardware_address(text, 6) else None


def hardware_address(text: str, length: int) -> bool:
    """Whether Go's net.ParseMAC accepts a text as an address of this many bytes (6, 8 or 20)."""
    return len(_SEPARATOR.sub("", text)) == 2 * length and any(form.fullmatch(text) for form in _HARDWARE)


def unicast(text: str) -> str:
    """The same MAC address with the multicast bit cleared, for hints."""
    found = octets(text)
    return ":".join(f"{b:02x}" for b in (bytes([found[0] & 0xFE]) + found[1:])) if found else "02:00:0a:01:0a:05"
