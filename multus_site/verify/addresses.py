"""The addresses of running pods in their network-status, and the allocations of whereabouts."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import kr8s
from kr8s.asyncio.objects import new_class

from multus_site.cni.network_status import StatusError, annotation, network_status
from multus_site.model.printable import printable
from multus_site.render.address_plan import Reserved, Taken
from multus_site.render.attachment import API_VERSION, KIND
from multus_site.render.whereabouts import GROUP
from multus_site.render.workload import ATTACHMENT_HASH
from multus_site.verify.cluster import Cluster
from multus_site.verify.connection import connected
from multus_site.verify.leaks import NodeAudit, leaks_of_node, network_name, task
from multus_site.verify.pools import allocations
from multus_site.verify.pools import leaked as pools_leaked


class LiveAddressesError(RuntimeError):
    """A cluster that cannot be read; the message says why."""


@dataclass(frozen=True)
class Live:
    """The addresses in a cluster."""

    taken: tuple[Taken, ...]
    """Addresses of pods."""
    configs: dict[str, str]
    """Namespace and name of an attachment → its configuration."""
    leaked: tuple[str, ...]
    """Allocations of pods that no longer exist, a sentence each."""
    unread: tuple[str, ...]
    """Pods whose addresses are unknown, because their network-status is malformed, and nodes that cannot be asked, a sentence each."""
    reserved: tuple[Reserved, ...] = ()
    """Addresses that host-local holds on the nodes."""


async def read(kubeconfig: dict[str, Any] | str | None, context: str | None = None) -> Live:
    """Read them from the API server. `kubeconfig`: content, or name of the file. Raises LiveAddressesError."""
    pool = new_class("IPPool", f"{GROUP}/v1alpha1", namespaced=True, plural="ippools", asyncio=True)
    attachment = new_class(KIND, API_VERSION, namespaced=True, plural="network-attachment-definitions", asyncio=True)
    try:
        api = await connected(kubeconfig, context)
        pods = [_plain(p) async for p in api.get("pods", namespace=kr8s.ALL)]
        nads = await _all(api, attachment)
        pools = await _all(api, pool)
        audits = await _audits(Cluster(api), nads)
    except Exception as error:  # kr8s and httpx raise many kinds; each means the same here
        msg = f"the cluster cannot be read: {error}"
        raise LiveAddressesError(msg) from None
    configs = {
        f"{n['metadata']['namespace']}/{n['metadata']['name']}": str((n.get("spec") or {}).get("config", ""))
        for n in nads
    }
    addresses, unread = taken(pods)
    left = [
        leak.line() for node, seen in audits.items() for leak in leaks_of_node(node, seen) if leak.kind == "address"
    ]
    blind = [f"{node}: what is reserved there is unknown: {seen.error}" for node, seen in audits.items() if seen.error]
    return Live(
        tuple(addresses),
        configs,
        (*leaked(pools, pods), *left),
        (*unread, *blind),
        tuple(reserved(nads, audits)),
    )


async def _audits(cluster: Cluster, nads: Iterable[dict[str, Any]]) -> dict[str, NodeAudit]:
    """Return node → what pods left behind there and what is reserved, for nodes with a Multus daemon."""
    daemons = await cluster.daemons()
    names = [network_name(nad) for nad in nads]
    found = await asyncio.gather(*(cluster.audit(daemon, task((), names)) for daemon in daemons.values()))
    return dict(zip(daemons, found, strict=True))


def reserved(nads: Iterable[dict[str, Any]], audits: Mapping[str, NodeAudit]) -> Iterator[Reserved]:
    """Yield the addresses that host-local holds, by attachment: it knows the name of the network in the configuration."""
    for nad in nads:
        full = f"{nad['metadata']['namespace']}/{nad['metadata']['name']}"
        for node, seen in audits.items():
            for address in seen.reserved.get(network_name(nad), ()):
                yield Reserved(full, address, node)


async def _all(api: Any, kind: Any) -> list[dict[str, Any]]:  # noqa: ANN401  # kr8s' own types
    """Return all objects of a kind; none if the cluster does not know it."""
    try:
        return [_plain(found) async for found in api.get(kind, namespace=kr8s.ALL)]
    except (kr8s.ServerError, kr8s.NotFoundError):
        return []


def taken(pods: Iterable[dict[str, Any]]) -> tuple[list[Taken], list[str]]:
    """Return the addresses in the pods' network-status, and the pods whose annotation is malformed. Finished pods hold none."""
    found: list[Taken] = []
    unread = []
    for pod in pods:
        metadata = pod["metadata"]
        if pod.get("status", {}).get("phase") in {"Succeeded", "Failed"}:
            continue
        name, node = f"{metadata['namespace']}/{metadata['name']}", pod.get("spec", {}).get("nodeName", "")
        ours = ATTACHMENT_HASH in (metadata.get("annotations") or {})
        try:
            for attached in network_status(annotation(pod)):
                addresses = () if attached.default else attached.addresses
                found += [Taken(attached.network, address, name, node, ours=ours) for address in addresses]
        except StatusError as error:
            unread.append(f"pod {name} on {node}: {error}")
    return found, unread


def leaked(pools: Iterable[dict[str, Any]], pods: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield allocations of pods that no longer exist, and malformed pools."""
    held, wrong = allocations(pools)
    yield from wrong
    for one in pools_leaked(held, {f"{pod['metadata']['namespace']}/{pod['metadata']['name']}" for pod in pods}):
        yield f"{one.address} is held for {printable(one.pod)}, which no longer exists; the reconciler releases it"


def _plain(resource: Any) -> dict[str, Any]:  # noqa: ANN401  # kr8s' objects
    plain: dict[str, Any] = resource.raw.to_dict()
    return plain
