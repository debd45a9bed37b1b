"""Checks of virtual machines: addresses that no machine can have, unknown names, and hardware that is assigned twice."""

import ipaddress
from collections import Counter
from collections.abc import Iterator, Mapping

from multus_site.model.libvirt import Hardware, Libvirt, Management
from multus_site.model.part import Mistake, name_one_of
from multus_site.model.paths import Path, path_text
from multus_site.model.types import NodeName

_PATH: Path = ("nodes", "libvirt")
_HYPERVISORS = "add it to nodes.libvirt.hypervisors"
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Holders = dict[tuple[str | None, str], tuple[NodeName, Path, bool]]
"""Hypervisor and a part of its hardware → the machine that has it, its key, and whether it is exclusive."""


def check_libvirt(libvirt: Libvirt, addresses: Mapping[NodeName, str]) -> Iterator[Mistake]:
    """All mistakes of the machines. `addresses`: those of the hosts."""
    yield from _check_addresses(libvirt.management, addresses)
    for node in libvirt.machines:
        if node not in addresses:
            yield Mistake.of_name((*_PATH, "machines", node), "host", node, addresses, "add it to nodes.hosts")
    if libvirt.hypervisor is not None and libvirt.hypervisor not in libvirt.hypervisors:
        path = (*_PATH, "hypervisor")
        yield Mistake.of_name(path, "hypervisor", libvirt.hypervisor, libvirt.hypervisors, _HYPERVISORS)
    holders: _Holders = {}
    for node in addresses:
        where = (*_PATH, "machines", node) if node in libvirt.machines else _PATH
        yield from _check_machine(libvirt, node, where)
        yield from _check_shared(libvirt.hardware(node), node, where, holders)


def _check_addresses(management: Management, addresses: Mapping[NodeName, str]) -> Iterator[Mistake]:
    """Hosts and the gateway have different addresses in the network, which a machine can have."""
    network = ipaddress.ip_network(management.network)
    gateway = management.gateway and ipaddress.ip_address(management.gateway)
    said = "nodes.libvirt.management"
    for node, host in addresses.items():
        address, path = ipaddress.ip_address(host), ("nodes", "hosts", node, "address")
        if address not in network:
            yield Mistake(path, f"{host} is not in {network}, the network of {said}; correct one of them")
        elif address == gateway:
            yield Mistake(path, f"{host} is also the gateway, in {said}; change one of them")
        elif reason := _reserved(address, network):
            yield Mistake(path, reason)
    where = (*_PATH, "management", "gateway")
    if gateway and gateway not in network:
        yield Mistake(where, f"{gateway} is not in {network}; give the router's address in that network")
    elif gateway and (reason := _reserved(gateway, network)):
        yield Mistake(where, reason)


def _reserved(address: _Address, network: _Network) -> str:
    """Why no machine can have an address of the network, and which addresses are allowed; empty if it can."""
    # RFC 3021 and RFC 6164: in a network of two addresses, machines can have both.
    if network.num_addresses <= 2:
        return ""
    first, last = network.network_address, network.broadcast_address
    if network.version == 6:
        meant = {first: "the subnet-router anycast address"}
    else:
        meant = {first: "the network address", last: "the broadcast address"}
        last -= 1
    return (
        f"{address} is {meant[address]} of {network}; use an address from {first + 1} to {last}"
        if address in meant
        else ""
    )


def _check_machine(libvirt: Libvirt, node: NodeName, path: Path) -> Iterator[Mistake]:
    """A single machine. `path`: where the site defines its hardware."""
    made = libvirt.hardware(node)
    if made.hypervisor not in (None, libvirt.hypervisor, *libvirt.hypervisors):
        where = (*path, "hypervisor")
        yield Mistake.of_name(where, "hypervisor", str(made.hypervisor), libvirt.hypervisors, _HYPERVISORS)
    interface = libvirt.management.interface
    if interface not in made.nics:
        right = name_one_of(made.nics, f"add it, such as {interface}: {{bridge: br-mgmt}}")
        message = f"{node} has no NIC {interface!r}; {right}"
        yield Mistake((*_PATH, "management", "interface"), message, unknown=interface)
    if made.cpu_pinning and len(made.cpu_pinning) != made.cpus:
        message = f"{node} has {made.cpus} CPUs, but {len(made.cpu_pinning)} are listed; list one for each"
        yield Mistake((*path, "cpuPinning"), message)
    if made.hugepages == "1G" and made.memory % 1024:
        whole_pages = (made.memory // 1024 + 1) * 1024
        message = f"{made.memory} MiB is not a multiple of 1 GiB; write {whole_pages}, or hugepages: 2M"
        yield Mistake((*path, "memory"), message)


def _check_shared(made: Hardware, node: NodeName, path: Path, holders: _Holders) -> Iterator[Mistake]:
    """Hardware that only one can use: two machines that have it, or two NICs or CPUs of this one. `holders`: who has what so far."""
    for cpu, times in Counter(made.cpu_pinning).items():
        if times > 1:
            message = f"CPU {cpu} is listed {times} times; list another CPU for each virtual CPU of {node}"
            yield Mistake((*path, "cpuPinning"), message)
    uses: list[tuple[str, Path, bool]] = [
        *((f"CPU {cpu}", ("cpuPinning",), True) for cpu in made.cpu_pinning),
        *((nic.plugged_into, ("nics", name), nic.alone) for name, nic in made.nics.items()),
    ]
    for what, key, alone in uses:
        other, its_key, its_alone = holders.setdefault((made.hypervisor, what), (node, key, alone))
        if (other, its_key) == (node, key) or not (alone or its_alone):
            continue
        if other == node:
            message = f"{what} is also used by {its_key[-1]} of {node}; change one of them"
        else:
            own = path_text((*_PATH, "machines", node))
            message = f"{what} is also used by {other}, on the same hypervisor; choose another for {node} in {own}"
        yield Mistake((*path, *key), message)
