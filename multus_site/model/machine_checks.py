"""What no single key of virtual machines shows: addresses that are none of theirs, names that lead nowhere, one thing that is given to two."""

import ipaddress
from collections import Counter
from collections.abc import Iterator, Mapping

from multus_site.model.libvirt import Hardware, Libvirt, Management
from multus_site.model.references import one_of
from multus_site.model.types import NodeName

_WHERE = "nodes.libvirt"
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Holders = dict[tuple[str | None, str], tuple[NodeName, str, bool]]
"""Hypervisor and what of it → the machine that has it, by which key, and whether nobody else can."""


def mistakes(libvirt: Libvirt, addresses: Mapping[NodeName, str]) -> Iterator[str]:
    """Each with its path below the site. `addresses`: those of the hosts."""
    yield from _addresses(libvirt.management, addresses)
    for node in libvirt.machines:
        if node not in addresses:
            yield f"{_WHERE}.machines.{node}: there is no host {node!r}; {one_of(addresses, 'add it to nodes.hosts')}"
    if libvirt.hypervisor is not None and libvirt.hypervisor not in libvirt.hypervisors:
        right = one_of(libvirt.hypervisors, f"add it to {_WHERE}.hypervisors")
        yield f"{_WHERE}.hypervisor: there is no hypervisor {libvirt.hypervisor!r}; {right}"
    holders: _Holders = {}
    for node in addresses:
        where = f"{_WHERE}.machines.{node}" if node in libvirt.machines else _WHERE
        yield from _of(libvirt, node, where)
        yield from _shared(libvirt.hardware(node), node, where, holders)


def _addresses(management: Management, addresses: Mapping[NodeName, str]) -> Iterator[str]:
    """Hosts and the gateway: in the network, on an address that is a machine's, and each on its own."""
    network = ipaddress.ip_network(management.network)
    gateway = management.gateway and ipaddress.ip_address(management.gateway)
    for node, host in addresses.items():
        address, where = ipaddress.ip_address(host), f"nodes.hosts.{node}.address"
        if address not in network:
            yield f"{where}: {host} is not in {network}, the network of {_WHERE}.management; correct one of them"
        elif address == gateway:
            yield f"{where}: {host} is the gateway's too, in {_WHERE}.management; give one of them another"
        elif nobody := _nobody_s(address, network):
            yield f"{where}: {nobody}"
    if gateway and gateway not in network:
        yield f"{_WHERE}.management.gateway: {gateway} is not in {network}; give the router's address there"
    elif gateway and (nobody := _nobody_s(gateway, network)):
        yield f"{_WHERE}.management.gateway: {nobody}"


def _nobody_s(address: _Address, network: _Network) -> str:
    """Why no machine can have an address of the network, and which it can; empty where it can."""
    # RFC 3021 and RFC 6164: of two, both are machines'.
    if network.num_addresses <= 2:
        return ""
    first, last = network.network_address, network.broadcast_address
    if network.version == 6:
        meant = {first: "all its routers (subnet-router anycast)"}
    else:
        meant = {first: "the network itself", last: "all machines there (broadcast)"}
        last -= 1
    return (
        f"{address} means, in {network}, {meant[address]}; write one of {first + 1} to {last}"
        if address in meant
        else ""
    )


def _of(libvirt: Libvirt, node: NodeName, where: str) -> Iterator[str]:
    """A machine's own."""
    made = libvirt.hardware(node)
    if made.hypervisor not in (None, libvirt.hypervisor, *libvirt.hypervisors):
        right = one_of(libvirt.hypervisors, f"add it to {_WHERE}.hypervisors")
        yield f"{where}.hypervisor: there is no hypervisor {made.hypervisor!r}; {right}"
    if libvirt.management.interface not in made.nics:
        right = one_of(made.nics, f"add it, such as {libvirt.management.interface}: {{bridge: br-mgmt}}")
        yield f"{_WHERE}.management.interface: {node} has no NIC {libvirt.management.interface!r}; {right}"
    if made.cpu_pinning and len(made.cpu_pinning) != made.cpus:
        yield f"{where}.cpuPinning: {len(made.cpu_pinning)} CPUs for the {made.cpus} of {node}; give one for each"
    if made.hugepages == "1G" and made.memory % 1024:
        whole_pages = (made.memory // 1024 + 1) * 1024
        yield f"{where}.memory: {made.memory} MiB are not whole pages of 1 GiB; write {whole_pages}, or hugepages: 2M"


def _shared(made: Hardware, node: NodeName, where: str, holders: _Holders) -> Iterator[str]:
    """What is given to two though it can be only one's: two machines, or two NICs or CPUs of this. `holders`: who has what so far."""
    for cpu, times in Counter(made.cpu_pinning).items():
        if times > 1:
            yield f"{where}.cpuPinning: CPU {cpu} is there {times} times; give each virtual CPU of {node} one of its own"
    uses = [
        *((f"CPU {cpu}", "cpuPinning", True) for cpu in made.cpu_pinning),
        *((nic.plugged_into, f"nics.{name}", nic.alone) for name, nic in made.nics.items()),
    ]
    for what, key, alone in uses:
        other, its_key, its_alone = holders.setdefault((made.hypervisor, what), (node, key, alone))
        if (other, its_key) == (node, key) or not (alone or its_alone):
            continue
        if other == node:
            yield f"{where}.{key}: {what} is {its_key.removeprefix('nics.')}'s of {node} too; give one of them another"
        else:
            yield f"{where}.{key}: {what} is {other}'s too, on the same hypervisor; give {node} another in {_WHERE}.machines.{node}"
