"""Value types of addresses: of machines, networks and interfaces. Otherwise like those of multus_site/model/types.py."""

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator, Field

from multus_site.model.shapes import Shape

_MAC = re.compile(r"^[0-9a-f]{2}(:[0-9a-f]{2}){5}\Z")
DNS_NAME = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\Z")
SHORT_ADDRESS = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+))*", re.IGNORECASE)
"""Not a DNS name: resolvers read it as a shortened IPv4 address (inet_aton), 10.1 as 10.0.0.1."""


def mac_address(value: str) -> str:
    """A unicast MAC address, lower case with colons (the kernel answers 'cannot assign requested address' to multicast)."""
    mac = value.lower().replace("-", ":")
    if not _MAC.fullmatch(mac):
        msg = f"{value!r} is not a MAC address; write six bytes such as 02:00:0a:01:0a:05"
        raise ValueError(msg)
    if int(mac[:2], 16) & 1:
        msg = f"{value!r} is a multicast address (lowest bit of the first byte); make the first byte even, such as 02"
        raise ValueError(msg)
    return mac


def _without_zone(value: str) -> None:
    address, percent, zone = value.partition("%")
    if percent:
        msg = f"{value!r} has a zone (%{zone}), and each machine has others; write it without, such as {address or 'fd00::1'}"
        raise ValueError(msg)


def ip_address(value: str) -> str:
    """An IPv4 or IPv6 address without prefix length and zone."""
    _without_zone(value)
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        msg = f"{value!r} is not an IP address; write one such as 10.1.10.1 or fd00::1, without a prefix length"
        raise ValueError(msg) from None


def host_address(value: str) -> str:
    """An address that a machine is reached at: not of a group, and not link-local (a kubelet refuses these for its node)."""
    address = ipaddress.ip_address(ip_address(value.partition("%")[0]))
    kinds = {
        "no machine's own address": address.is_unspecified,
        "a multicast address": address.is_multicast,
        "the broadcast address": str(address) == "255.255.255.255",
        "a link-local address, which is valid on one link only": address.is_link_local,
    }
    kind = next((kind for kind, it_is in kinds.items() if it_is), "")
    if kind:
        msg = f"{value!r} is {kind}; write the one that the machine is reached at, such as 10.1.1.5 or fd00::5"
        raise ValueError(msg)
    # The zone last: no message asks for a link-local address without it.
    return ip_address(value)


def _with_length(value: str) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface | None:
    """An address and a prefix length; None where it is not both."""
    _without_zone(value)
    try:
        return ipaddress.ip_interface(value) if "/" in value else None
    except ValueError:
        return None


def cidr(value: str) -> str:
    """A network in CIDR form with all host bits zero."""
    interface = _with_length(value)
    if interface is None:
        msg = f"{value!r} is not a network; write an address and a prefix length such as 10.1.10.0/24"
        raise ValueError(msg)
    if interface.ip != interface.network.network_address:
        msg = f"{value!r} has host bits set; write {interface.network}, the network that holds it"
        raise ValueError(msg)
    return str(interface.network)


def address_range(value: str) -> str:
    """Addresses from first to last, both included, or one address alone."""
    _without_zone(value)
    first, dash, last = value.partition("-")
    try:
        ends = [ipaddress.ip_address(end.strip()) for end in ((first, last) if dash else (first,))]
    except ValueError:
        ends = []
    if not ends or len({end.version for end in ends}) > 1:
        msg = f"{value!r} is not a range of addresses; write the first and the last such as 10.1.10.200-10.1.10.250, or one address"
        raise ValueError(msg)
    if int(ends[0]) > int(ends[-1]):
        msg = f"{value!r} ends before it begins; write {ends[1]}-{ends[0]}"
        raise ValueError(msg)
    return "-".join(str(end) for end in dict.fromkeys(ends))


def interface_address(value: str) -> str:
    """An address with the prefix length of its network, host bits and all (static, Multus' `ips`)."""
    interface = _with_length(value)
    if interface is None:
        msg = f"{value!r} is not an address with a prefix length; write one such as 10.1.10.5/24"
        raise ValueError(msg)
    if interface.network.num_addresses > 2 and interface.ip in {
        interface.network.network_address,
        *([interface.network.broadcast_address] if interface.version == 4 else []),
    }:
        msg = f"{value!r} is the address of the network itself or its broadcast address; give one between them"
        raise ValueError(msg)
    return str(interface)


def address_pool(value: str) -> str:
    """A network, or first and last address with the prefix length of their network (whereabouts' `range`)."""
    _without_zone(value)
    first, dash, last = value.rpartition("-")
    if not dash:
        return cidr(value)
    try:
        start, end = ipaddress.ip_address(first.strip()), ipaddress.ip_interface(last.strip() if "/" in last else "")
    except ValueError:
        msg = f"{value!r} is not a range; write the first and the last address and the prefix length such as 10.1.10.200-10.1.10.250/24"
        raise ValueError(msg) from None
    if start not in end.network:
        msg = f"{start} is not in {end.network}, the network of {end.ip}; give both ends in one network"
        raise ValueError(msg)
    if int(start) > int(end.ip):
        msg = f"{value!r} ends before it begins; write {end.ip}-{start}/{end.network.prefixlen}"
        raise ValueError(msg)
    return f"{start}-{end}"


def cidr_or_address(value: str) -> str:
    """A network in CIDR form, or one address."""
    return cidr(value) if "/" in value else ip_address(value)


def address_or_name(value: str) -> str:
    """An IP address or a DNS name, without a port."""
    if _is_address(value):
        return host_address(value)
    if len(value) > 253 or not DNS_NAME.fullmatch(value) or SHORT_ADDRESS.fullmatch(value):
        msg = f"{value!r} is neither an address nor a DNS name; write one such as 203.0.113.20 or api.dallas.example"
        raise ValueError(msg)
    return value


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


_A = "[0-9A-Fa-f:.]+"
"""Characters of an IPv4 or IPv6 address."""

MacAddress = Annotated[
    str,
    AfterValidator(mac_address),
    Shape(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}"),
    Field(examples=["02:00:0a:01:0a:05"]),
]
IpAddress = Annotated[str, AfterValidator(ip_address), Shape(_A), Field(examples=["10.1.10.1"])]
HostAddress = Annotated[str, AfterValidator(host_address), Shape(_A), Field(examples=["10.1.1.5"])]
Cidr = Annotated[str, AfterValidator(cidr), Shape(rf"{_A}/[0-9]{{1,3}}"), Field(examples=["10.1.10.0/24"])]
AddressRange = Annotated[
    str, AfterValidator(address_range), Shape(rf"{_A}(\s*-\s*{_A})?"), Field(examples=["10.1.10.200-10.1.10.250"])
]
InterfaceAddress = Annotated[
    str, AfterValidator(interface_address), Shape(rf"{_A}/[0-9]{{1,3}}"), Field(examples=["10.1.10.5/24"])
]
AddressPool = Annotated[
    str,
    AfterValidator(address_pool),
    Shape(rf"{_A}(\s*-\s*{_A})?/[0-9]{{1,3}}"),
    Field(examples=["10.1.10.200-10.1.10.250/24"]),
]
CidrOrAddress = Annotated[
    str, AfterValidator(cidr_or_address), Shape(rf"{_A}(/[0-9]{{1,3}})?"), Field(examples=["10.1.10.0/28"])
]
AddressOrName = Annotated[str, AfterValidator(address_or_name), Field(examples=["api.dallas.example"])]
