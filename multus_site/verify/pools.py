"""The allocations of whereabouts, and those that no pod holds any more. Pure: objects as the API server has them."""

import ipaddress
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from multus_site.model.printable import first_line
from multus_site.render.whereabouts import GROUP

POOLS = f"/apis/{GROUP}/v1alpha1/ippools"
OVERLAPPING = f"/apis/{GROUP}/v1alpha1/overlappingrangeipreservations"


@dataclass(frozen=True)
class Allocation:
    """An address that whereabouts gave to a pod. `key`: its entry in the pool, empty for a reservation over all pools."""

    address: str
    pod: str
    """Namespace and name."""
    sandbox: str
    interface: str
    kind: str
    namespace: str
    name: str
    """Of the object."""
    key: str = ""


def allocations(pools: Iterable[Mapping[str, Any]]) -> tuple[list[Allocation], list[str]]:
    """The allocations of the pools, and a sentence for each malformed pool."""
    found: list[Allocation] = []
    wrong: list[str] = []
    for pool in pools:
        metadata = pool.get("metadata") or {}
        try:
            found += _of_pool(pool["spec"], str(metadata.get("namespace", "")), str(metadata.get("name", "")))
        except (ValueError, TypeError, KeyError, AttributeError):
            begin = first_line(str(pool.get("spec")))
            wrong.append(
                f"IPPool {metadata.get('name')}: its spec has no range with allocations by offset; it begins: {begin}"
            )
    return found, wrong


def _of_pool(spec: Mapping[str, Any], namespace: str, name: str) -> Iterator[Allocation]:
    first = ipaddress.ip_network(spec["range"], strict=False).network_address
    for key, held in sorted(spec["allocations"].items(), key=lambda one: int(one[0])):
        address, sandbox = str(first + int(key)), str(held.get("id", "")).strip()
        pod, interface = str(held["podref"]), str(held.get("ifname", ""))
        yield Allocation(address, pod, sandbox, interface, "IPPool", namespace, name, key)


def overlapping(reservations: Iterable[Mapping[str, Any]]) -> list[Allocation]:
    """Reservations over all pools; their name is the address, with dashes for the colons of IPv6."""
    found = []
    for one in reservations:
        metadata, spec = one.get("metadata") or {}, one.get("spec") or {}
        name = str(metadata.get("name", ""))
        pod, sandbox = str(spec.get("podref", "")), str(spec.get("containerid", "")).strip()
        found.append(
            Allocation(
                name.replace("-", ":"),
                pod,
                sandbox,
                str(spec.get("ifname", "")),
                "OverlappingRangeIPReservation",
                str(metadata.get("namespace", "")),
                name,
            )
        )
    return found


def leaked(
    held: Iterable[Allocation], pods: Collection[str], sandboxes: Collection[str] | None = None
) -> list[Allocation]:
    """Those of pods that no longer exist. `pods`: namespace and name of each, read after the allocations; `sandboxes`: those of all nodes: a pod that
    was deleted by force may still run."""
    return [one for one in held if one.pod not in pods and one.sandbox not in (sandboxes or ())]
