"""The addresses that live pods have on their networks, as Multus told the API server of them; and what whereabouts holds."""

import ipaddress
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import kr8s
from kr8s.asyncio.objects import new_class

from multus_site.render.address_plan import Taken
from multus_site.render.attachment import API_VERSION, KIND
from multus_site.render.whereabouts import GROUP
from multus_site.render.workload import ATTACHMENT_HASH, NETWORK_STATUS
from multus_site.verify.connection import connected


class LiveAddressesError(RuntimeError):
    """A cluster that cannot be read: the message says why."""


@dataclass(frozen=True)
class Live:
    """What a cluster says: addresses of pods, configurations of attachments by namespace/name, leaked addresses in words."""

    taken: tuple[Taken, ...]
    configs: dict[str, str]
    leaked: tuple[str, ...]


async def read(kubeconfig: dict[str, Any] | str | None, context: str | None = None) -> Live:
    """Asks the API server; `kubeconfig` is its content, or the name of its file. Raises LiveAddressesError."""
    pool = new_class("IPPool", f"{GROUP}/v1alpha1", namespaced=True, plural="ippools", asyncio=True)
    attachment = new_class(KIND, API_VERSION, namespaced=True, plural="network-attachment-definitions", asyncio=True)
    try:
        api = await connected(kubeconfig, context)
        pods = [_plain(p) async for p in api.get("pods", namespace=kr8s.ALL)]
        nads = await _all(api, attachment)
        pools = await _all(api, pool)
    except Exception as error:  # kr8s and httpx raise many kinds; each means the same here
        msg = f"the cluster cannot be read: {error}"
        raise LiveAddressesError(msg) from None
    configs = {f"{n['metadata']['namespace']}/{n['metadata']['name']}": n["spec"].get("config", "") for n in nads}
    return Live(tuple(taken(pods)), configs, tuple(leaked(pools, pods)))


async def _all(api: Any, kind: Any) -> list[dict[str, Any]]:  # noqa: ANN401  # kr8s' own types
    """Every object of a kind; none where the cluster does not know it."""
    try:
        return [_plain(found) async for found in api.get(kind, namespace=kr8s.ALL)]
    except (kr8s.ServerError, kr8s.NotFoundError):
        return []


def taken(pods: Iterable[dict[str, Any]]) -> Iterator[Taken]:
    """The addresses of attachments, by the pods' network-status; ended pods hold none."""
    for pod in pods:
        metadata = pod["metadata"]
        annotations = metadata.get("annotations") or {}
        status = annotations.get(NETWORK_STATUS)
        if not status or pod.get("status", {}).get("phase") in {"Succeeded", "Failed"}:
            continue
        for entry in json.loads(status):
            for address in entry.get("ips") or () if not entry.get("default") else ():
                name = f"{metadata['namespace']}/{metadata['name']}"
                node = pod.get("spec", {}).get("nodeName", "")
                yield Taken(entry["name"], address, name, node, ours=ATTACHMENT_HASH in annotations)


def leaked(pools: Iterable[dict[str, Any]], pods: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Allocations of pods that are no more."""
    there = {f"{pod['metadata']['namespace']}/{pod['metadata']['name']}" for pod in pods}
    for pool in pools:
        first = ipaddress.ip_network(pool["spec"]["range"], strict=False).network_address
        for offset, held in sorted(pool["spec"]["allocations"].items(), key=lambda item: int(item[0])):
            if held["podref"] not in there:
                address = first + int(offset)
                yield f"{address} is held for {held['podref']}, which is no more; the reconciler gives it back"


def _plain(resource: Any) -> dict[str, Any]:  # noqa: ANN401  # kr8s' objects
    plain: dict[str, Any] = resource.raw.to_dict()
    return plain
