"""What the verification reads from a cluster: pods, observations of nodes and pods, and evidence for failed checks."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import kr8s
from kr8s.asyncio.objects import Pod, new_class

from multus_site.cni.network_status import StatusError, annotation, network_status
from multus_site.model.printable import short
from multus_site.render.attachment import API_VERSION, KIND
from multus_site.render.daemon import NAMESPACE
from multus_site.render.multus import LABELS as MULTUS_LABELS
from multus_site.render.whereabouts import GROUP as WHEREABOUTS
from multus_site.verify.connection import connected
from multus_site.verify.expectation import Expectation, ExpectedNode
from multus_site.verify.leaks import NODE_MODULE as LEFTOVERS
from multus_site.verify.leaks import NodeAudit, network_name, read_audit
from multus_site.verify.leaks import task as leftovers_task
from multus_site.verify.observed import Inside, NodeSeen, PodSeen, read_answer, unreadable
from multus_site.verify.on_node import EXEC_ERRORS, PROBE, LookError, run_on_node
from multus_site.verify.pools import Allocation, allocations, overlapping
from multus_site.verify.reach import Targets, targets

LOG_SECONDS = 15
"""For a log, whose kubelet may be gone."""

DNS_NAME = "kubernetes.default"

_Attachment = new_class(KIND, API_VERSION, namespaced=True, plural="network-attachment-definitions")
_Pool = new_class("IPPool", f"{WHEREABOUTS}/v1alpha1", namespaced=True, plural="ippools")
_Reservation = new_class(
    "OverlappingRangeIPReservation",
    f"{WHEREABOUTS}/v1alpha1",
    namespaced=True,
    plural="overlappingrangeipreservations",
)


class Cluster:
    """A connection to one cluster."""

    def __init__(self, api: Any) -> None:  # noqa: ANN401 - kr8s.asyncio.Api is built by a factory without a public type
        self._api = api

    @property
    def api(self) -> Any:  # noqa: ANN401 - as above
        """The API client of kr8s."""
        return self._api

    @classmethod
    async def connect(cls, kubeconfig: dict[str, Any]) -> "Cluster":
        """Connect. Raises errors of kr8s and httpx if the API server does not answer."""
        return cls(await connected(kubeconfig))

    async def look(self, expected: Expectation, *, evidence: bool = False) -> tuple[dict[str, NodeSeen], list[PodSeen]]:
        """Observe all nodes and their pods in parallel, with one command per node."""
        pods = [
            p
            for found in await asyncio.gather(
                *(self._pods(w.name, w.namespace, w.selector) for w in expected.workloads)
            )
            for p in found
        ]
        daemons = await self.daemons()
        where = {f"{workload}/{p.name}": str(p.raw["spec"].get("nodeName", "")) for workload, p in pods}
        names = await self._network_names()
        asked = targets(expected, addresses_asked_for(pods), where)
        looks = await asyncio.gather(
            *(
                self._node(
                    node,
                    daemons.get(node.name),
                    [(w, p) for w, p in pods if where[f"{w}/{p.name}"] == node.name],
                    asked,
                    evidence,
                    leftovers_task(expected.attachments.values(), names),
                )
                for node in expected.nodes
            )
        )
        nodes = {node.name: seen for node, (seen, _) in zip(expected.nodes, looks, strict=True)}
        inside = {uid: pod for _, found in looks for uid, pod in found.items()}
        return nodes, [
            PodSeen(
                workload=workload,
                name=p.name,
                node=where[f"{workload}/{p.name}"],
                uid=p.raw["metadata"]["uid"],
                network_status=annotation(p.raw),
                inside=inside.get(p.raw["metadata"]["uid"], Inside(error="its node is not in the site")),
            )
            for workload, p in pods
        ]

    async def attachments(self, namespaces: Iterable[str]) -> dict[str, str]:
        """Return namespace/name of the existing NetworkAttachmentDefinitions → configuration."""
        found = {}
        for namespace in namespaces:
            with contextlib.suppress(kr8s.ServerError, kr8s.NotFoundError):
                async for nad in self._api.get(_Attachment, namespace=namespace):
                    found[f"{namespace}/{nad.name}"] = str(nad.raw.get("spec", {}).get("config", ""))
        return found

    async def daemons(self) -> dict[str, Pod]:
        """Return node → the running pod of its Multus daemon."""
        found = self._api.get("pods", namespace=NAMESPACE, label_selector={"name": MULTUS_LABELS["name"]})
        return {
            p.raw["spec"].get("nodeName", ""): p
            async for p in found
            if p.raw["status"].get("phase") == "Running" and "deletionTimestamp" not in p.raw["metadata"]
        }

    async def _pods(self, workload: str, namespace: str, selector: dict[str, str]) -> list[tuple[str, Pod]]:
        """Return the workload's running pods that are not being deleted."""
        found = self._api.get("pods", namespace=namespace, label_selector=selector)
        return [
            (workload, p)
            async for p in found
            if "deletionTimestamp" not in p.raw["metadata"] and p.raw["status"].get("phase") == "Running"
        ]

    async def _node(
        self,
        node: ExpectedNode,
        daemon: Pod | None,
        pods: Sequence[tuple[str, Pod]],
        asked: dict[tuple[str, str], Targets],
        evidence: bool,
        leftovers: dict[str, Any],
    ) -> tuple[NodeSeen, dict[str, Inside]]:
        """Observe a node and its pods through its Multus daemon, which can access the host and every pod's network."""
        if daemon is None:
            unseen = Inside(error=f"{node.name} has no running Multus daemon, through which pods are inspected")
            return NodeSeen(), {p.raw["metadata"]["uid"]: unseen for _, p in pods}
        task = {
            "binaries": sorted(node.plugins),
            "needed": node.needed,
            "uplinks": sorted(node.uplinks),
            "name": DNS_NAME,
            "evidence": evidence,
            "pods": [
                {
                    "uid": p.raw["metadata"]["uid"],
                    "interfaces": [
                        {
                            "name": interface,
                            "gateways": t.gateways,
                            "peers": t.peers,
                            "strangers": t.strangers,
                            "ownMac": t.own_mac,
                        }
                        for (pod, interface), t in asked.items()
                        if pod == f"{workload}/{p.name}"
                    ],
                }
                for workload, p in pods
            ],
        }
        ready = any(
            c.get("type") == "Ready" and c.get("status") == "True" for c in daemon.raw["status"].get("conditions", [])
        )
        uids = [p.raw["metadata"]["uid"] for _, p in pods]
        try:
            seen, inside = read_answer(node.name, await run_on_node(self._api, daemon, task, *PROBE), uids)
        except LookError as error:
            seen, inside = unreadable(node.name, str(error), uids)
        if not seen.error:
            seen = seen.model_copy(update={"audit": await self.audit(daemon, leftovers)})
        return seen.model_copy(update={"daemon": daemon.name, "daemon_ready": ready}), inside

    async def audit(self, daemon: Pod, leftovers: dict[str, Any]) -> NodeAudit:
        """Return what pods left behind on the node of a daemon. `leftovers`: the task of multus_site/verify/leftovers.py."""
        try:
            return read_audit(await run_on_node(self._api, daemon, leftovers, LEFTOVERS))
        except LookError as error:
            return NodeAudit(error=str(error))

    async def _network_names(self) -> list[str]:
        """Return the names of the networks of all attachments, under which host-local keeps addresses."""
        found = []
        with contextlib.suppress(kr8s.ServerError, kr8s.NotFoundError):
            found = [network_name(nad.raw) async for nad in self._api.get(_Attachment, namespace=kr8s.ALL)]
        return found

    async def allocated(self) -> tuple[list[Allocation], set[str]]:
        """Return the allocations of whereabouts, and then the pods that exist (namespace and name)."""
        pools = [one.raw async for one in self._all(_Pool)]
        overlaps = [one.raw async for one in self._all(_Reservation)]
        pods = {f"{pod.namespace}/{pod.name}" async for pod in self._api.get("pods", namespace=kr8s.ALL)}
        return [*allocations(pools)[0], *overlapping(overlaps)], pods

    async def _all(self, kind: Any) -> AsyncIterator[Any]:  # noqa: ANN401 - a class of kr8s
        """Yield all objects of a kind; none if the cluster does not know it."""
        with contextlib.suppress(kr8s.ServerError, kr8s.NotFoundError):
            async for one in self._api.get(kind, namespace=kr8s.ALL):
                yield one

    async def held(self) -> set[str]:
        """Return the addresses that pods of all namespaces hold on Multus networks."""
        found: set[str] = set()
        async for pod in self._api.get("pods", namespace=kr8s.ALL):
            try:
                found |= {address for entry in network_status(annotation(pod.raw)) for address in entry.addresses}
            except StatusError as error:
                print(f"{pod.namespace}/{pod.name}: {error}", file=sys.stderr)
        return found

    async def inventory(self) -> dict[str, dict[str, Any]]:
        """Return node → versions reported by its kubelet, and the digest of each running image."""
        found: dict[str, dict[str, Any]] = {}
        wanted = ("osImage", "kernelVersion", "kubeletVersion", "containerRuntimeVersion")
        async for node in self._api.get("nodes"):
            info = node.raw["status"].get("nodeInfo", {})
            found[node.name] = {"versions": {key: str(info.get(key, "")) for key in wanted}, "images": {}}
        async for pod in self._api.get("pods", namespace=kr8s.ALL):
            node_inventory = found.get(pod.raw["spec"].get("nodeName", ""), {"images": {}})
            for status in pod.raw["status"].get("containerStatuses", []):
                if digest := str(status.get("imageID", "")).rpartition("@")[2]:
                    node_inventory["images"][status["image"]] = digest
        return found

    async def events(self, namespace: str, selector: dict[str, str]) -> dict[str, tuple[str, list[str]]]:
        """Return pod → its node and last events, also for pods that do not run."""
        found: dict[str, tuple[str, list[str]]] = {}
        async for pod in self._api.get("pods", namespace=namespace, label_selector=selector):
            selected = self._api.get("events", namespace=namespace, field_selector={"involvedObject.name": pod.name})
            events = [e.raw async for e in selected]
            lines = [short(f"{e.get('type')} {e.get('reason')}: {e.get('message')}", 1000) for e in events[-10:]]
            found[pod.name] = (
                pod.raw["spec"].get("nodeName", ""),
                [*lines, f"network-status: {short(annotation(pod.raw), 4000) or 'none'}"],
            )
        return found

    async def multus_log(self, daemon: Pod, pods: Iterable[str]) -> list[str]:
        """Return the last lines of the daemon's log, those about `pods` if any."""
        lines: list[str] = []
        with contextlib.suppress(*EXEC_ERRORS):
            async with asyncio.timeout(LOG_SECONDS):
                lines = [short(line, 400) async for line in daemon.logs(tail_lines=200)]
        mine = [line for line in lines if any(pod in line for pod in pods)]
        return (mine or lines)[-12:]


def addresses_asked_for(pods: Iterable[tuple[str, Pod]]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return (workload/pod, interface) → addresses in network-status, which other pods try to reach.

    Pods with a malformed annotation are left out; they fail their own check.
    """
    found = {}
    for workload, pod in pods:
        with contextlib.suppress(StatusError):
            for entry in network_status(annotation(pod.raw)):
                found[f"{workload}/{pod.name}", entry.interface] = entry.addresses
    return found
