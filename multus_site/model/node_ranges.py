"""Each node's part of a range. It depends only on the node's own address, so it does not change when other nodes join or leave."""

import ipaddress
from collections.abc import Iterator, Mapping

from multus_site.model.ipam import HostLocal, Range
from multus_site.model.nodes import Host
from multus_site.model.part import Mistake

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def range_bounds(entry: Range) -> tuple[Address, Address]:
    """First and last address of a range that host-local assigns, including the gateway's."""
    network = ipaddress.ip_network(entry.subnet)
    last = network.broadcast_address - (1 if network.version == 4 else 0)
    start = ipaddress.ip_address(entry.range_start) if entry.range_start else network.network_address + 1
    return start, ipaddress.ip_address(entry.range_end) if entry.range_end else last


def number_of_parts(entry: Range, size: int) -> int:
    """How many parts of `size` addresses a range has."""
    first, last = range_bounds(entry)
    return (int(last) - int(first) + 1) // size


def part_of_host(entry: Range, size: int, host: Host) -> int:
    """The number of the host's part: its `slice`, or its address modulo the number of parts.

    Hosts with addresses in a row have different parts as long as there are enough. Raises ZeroDivisionError without parts.
    """
    return (
        host.slice if host.slice is not None else int(ipaddress.ip_address(host.address)) % number_of_parts(entry, size)
    )


def ranges_of_node(ipam: HostLocal, host: Host) -> HostLocal:
    """The ranges from which this host assigns addresses."""
    size = ipam.addresses_per_node
    if size is None:
        return ipam
    ranges = []
    for entry in ipam.ranges:
        first = range_bounds(entry)[0] + part_of_host(entry, size, host) * size
        own = {"range_start": str(first), "range_end": str(first + size - 1)}
        ranges.append(entry.model_copy(update=own))
    return ipam.model_copy(update={"ranges": tuple(ranges), "addresses_per_node": None})


def check_node_ranges(ipam: HostLocal, hosts: Mapping[str, Host]) -> Iterator[Mistake]:
    """Ranges with fewer parts than nodes, and hosts with the same part; paths begin at the ipam."""
    size = ipam.addresses_per_node or 1
    for i, entry in enumerate(ipam.ranges):
        parts = number_of_parts(entry, size)
        if parts < len(hosts):
            first, last = range_bounds(entry)
            message = f"{first}-{last} has {max(parts, 0)} parts of {size} addresses for {len(hosts)} nodes"
            yield Mistake(("ranges", i), f"{message}; use a larger range or a smaller addressesPerNode")
            continue
        numbers = {name: part_of_host(entry, size, host) for name, host in hosts.items()}
        holders: dict[int, str] = {}
        for name, own in numbers.items():
            if own >= parts:
                message = f"slice {own} of {name} does not exist: {entry.subnet} has parts 0 to {parts - 1}"
                yield Mistake(("addressesPerNode",), f"{message}; give nodes.hosts.{name} one of them")
            elif own in holders:
                free = next(n for n in range(parts) if n not in numbers.values())
                message = (
                    f"{name} and {holders[own]} would assign addresses from the same part ({own}) of {entry.subnet}"
                )
                right = f"give nodes.hosts.{name} slice: {free}, which is free"
                yield Mistake(("addressesPerNode",), f"{message}; {right}")
            holders.setdefault(own, name)
