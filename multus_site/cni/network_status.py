"""The network-status annotation of a pod: the interfaces that Multus attached, and their addresses.

Source: Network Plumbing Working Group, CustomResourceDefinition de facto standard v1.3, section 4.2. Standard library only: pods run this too.
"""

import ipaddress
import json
from typing import Any, NamedTuple

from multus_site.model.printable import first_line

MOST = 64
"""Interfaces of a pod, and addresses of one, that are read: whoever may change the pod can write anything."""

NETWORK_STATUS = "k8s.v1.cni.cncf.io/network-status"


class StatusError(ValueError):
    """A malformed annotation; the message shows how it begins."""


class AttachedInterface(NamedTuple):
    """One interface of a pod."""

    network: str
    """Namespace and name of the network; the cluster's own network has the name in its configuration."""
    interface: str
    addresses: tuple[str, ...]
    default: bool
    """Whether it is the interface of the cluster's own network."""


def network_status(text: str) -> tuple[AttachedInterface, ...]:
    """Return the interfaces in an annotation; empty for an empty text. Raises StatusError."""
    if not text:
        return ()
    try:
        return tuple(_attached(entry) for entry in _list(json.loads(text)))
    except (ValueError, TypeError, AttributeError, RecursionError):
        msg = (
            f"the network-status annotation is no JSON list of at most {MOST} interfaces; it begins: {first_line(text)}"
        )
        raise StatusError(msg) from None


def annotation(pod: Any) -> str:  # noqa: ANN401  # an object of the API as plain data
    """Return the text of a pod's annotation; empty if it has none."""
    return str((pod["metadata"].get("annotations") or {}).get(NETWORK_STATUS, ""))


def _list(data: Any) -> list[Any]:  # noqa: ANN401  # any JSON
    if not isinstance(data, list) or len(data) > MOST:
        raise TypeError
    return data


def _attached(entry: Any) -> AttachedInterface:  # noqa: ANN401  # any JSON
    network, interface, ips = entry.get("name", ""), entry.get("interface", ""), entry.get("ips") or []
    if not isinstance(network, str) or not isinstance(interface, str) or not isinstance(ips, list):
        raise TypeError
    if len(ips) > MOST or not (network + interface).isprintable():
        raise TypeError
    # Only validated: messages show addresses as written.
    for address in ips:
        if not isinstance(address, str):
            raise TypeError
        ipaddress.ip_address(address)
    return AttachedInterface(network, interface, tuple(ips), bool(entry.get("default")))
