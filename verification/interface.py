"""What `ip` says of an interface: the JSON of iproute2, or the text of images whose `ip` has no -j (busybox)."""

import json
import re
from dataclasses import dataclass

_HEAD = re.compile(r"^\d+:\s+(?P<name>[^:@\s]+)[^<]*<(?P<flags>[^>]*)>.*?mtu\s+(?P<mtu>\d+)", re.MULTILINE)
_ADDRESS = re.compile(r"^\s+inet6?\s+(?P<address>[0-9a-f.:]+)/(?P<prefix>\d+)\s+(?P<rest>.*)$", re.MULTILINE)
_MAC = re.compile(r"link/ether\s+(?P<mac>[0-9a-f:]{17})")


@dataclass(frozen=True)
class Interface:
    """An interface of a pod. `addresses`: (address, prefix length) without link-local ones."""

    name: str
    up: bool
    mtu: int
    mac: str
    addresses: tuple[tuple[str, int], ...]


def parse_interface(text: str) -> Interface | None:
    """The one interface in the output of `ip -j addr show dev X` or `ip addr show dev X`; None if there is none."""
    stripped = text.strip()
    if stripped.startswith("["):
        links = [link for link in json.loads(stripped) if link.get("ifname")]
        return _from_json(links[0]) if links else None
    head = _HEAD.search(text)
    if not head:
        return None
    mac = _MAC.search(text)
    return Interface(
        name=head["name"],
        up="UP" in head["flags"].split(","),
        mtu=int(head["mtu"]),
        mac=mac["mac"] if mac else "",
        addresses=tuple(
            (m["address"], int(m["prefix"])) for m in _ADDRESS.finditer(text) if "scope link" not in m["rest"]
        ),
    )


def _from_json(link: dict[str, object]) -> Interface:
    flags, addresses = link.get("flags") or [], link.get("addr_info") or []
    return Interface(
        name=str(link["ifname"]),
        up="UP" in flags if isinstance(flags, list) else False,
        mtu=int(str(link.get("mtu", 0))),
        mac=str(link.get("address", "")),
        addresses=tuple(
            (str(a["local"]), int(a["prefixlen"]))
            for a in (addresses if isinstance(addresses, list) else [])
            if a.get("scope") != "link"
        ),
    )
