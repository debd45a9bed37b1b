"""Each node's part of a range: it follows from the node's own address alone, so that it stays whoever comes and goes."""

import ipaddress

from multus_site.model.ipam import HostLocal, Range
from multus_site.model.nodes import Host

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def bounds(entry: Range) -> tuple[Address, Address]:
    """First and last address that host-local hands out of a range, the gateway's not taken away."""
    network = ipaddress.ip_network(entry.subnet)
    last = network.broadcast_address - (1 if network.version == 4 else 0)
    start = ipaddress.ip_address(entry.range_start) if entry.range_start else network.network_address + 1
    return start, ipaddress.ip_address(entry.range_end) if entry.range_end else last


def count(entry: Range, size: int) -> int:
    """How many parts of `size` addresses a range has."""
    first, last = bounds(entry)
    return (int(last) - int(first) + 1) // size


def number(entry: Range, size: int, host: Host) -> int:
    """Which part is the host's: the one that it names, or its address modulo the number of parts.

    Hosts with addresses in a row have different parts as long as there are enough. Raises ZeroDivisionError without parts.
    """
    return host.slice if host.slice is not None else int(ipaddress.ip_address(host.address)) % count(entry, size)


def part_of(ipam: HostLocal, host: Host) -> HostLocal:
    """The ranges as the host's own node hands them out."""
    size = ipam.addresses_per_node
    if size is None:
        return ipam
    ranges = []
    for entry in ipam.ranges:
        first = bounds(entry)[0] + number(entry, size, host) * size
        own = {"range_start": str(first), "range_end": str(first + size - 1)}
        ranges.append(entry.model_copy(update=own))
    return ipam.model_copy(update={"ranges": tuple(ranges), "addresses_per_node": None})


def mistakes(ipam: HostLocal, hosts: dict[str, Host]) -> list[tuple[str, str]]:
    """Key below the ipam (with its dot) and what is wrong: no room, or two hosts with one part."""
    size = ipam.addresses_per_node or 1
    found: list[tuple[str, str]] = []
    for i, entry in enumerate(ipam.ranges):
        parts = count(entry, size)
        if parts < len(hosts):
            first, last = bounds(entry)
            message = f"{first}-{last} has {max(parts, 0)} parts of {size} addresses for {len(hosts)} nodes"
            found.append((f".ranges[{i}]", f"{message}; take a larger range or a smaller addressesPerNode"))
            continue
        numbers = {name: number(entry, size, host) for name, host in hosts.items()}
        holders: dict[int, str] = {}
        for name, own in numbers.items():
            if own >= parts:
                message = f"slice {own} of {name} does not exist: {entry.subnet} has parts 0 to {parts - 1}"
                found.append((".addressesPerNode", f"{message}; give nodes.hosts.{name} one of them"))
            elif own in holders:
                free = next(n for n in range(parts) if n not in numbers.values())
                message = f"{name} and {holders[own]} would hand out the same part ({own}) of {entry.subnet}"
                found.append((".addressesPerNode", f"{message}; give nodes.hosts.{name} slice: {free}, which is free"))
            holders.setdefault(own, name)
    return found
