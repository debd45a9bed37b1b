"""Why a pod lacks an interface: what the API, the Multus daemon's log and the pod's node show of it."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import kr8s

from multus_site.cni import go_json
from multus_site.cni.catalogue import nic_keys
from multus_site.cni.configuration import Config
from multus_site.cni.selections import ANNOTATION, Selection, selections_of
from multus_site.render.attachment import API_VERSION, KIND
from multus_site.verify.cluster import DNS_NAME, Cluster
from multus_site.verify.observed import Inside, NodeSeen, read_answer, unreadable
from multus_site.verify.on_node import PROBE, LookError, run_on_node

MULTUS = "app=multus"
"""Label of the Multus daemon's pods: upstream's, OpenShift's and ours."""

_Attachment = kr8s.asyncio.objects.new_class(
    KIND, API_VERSION, namespaced=True, plural="network-attachment-definitions", asyncio=True
)


class NoPodError(Exception):
    """A pod that does not exist; the message names those that do."""


@dataclass(frozen=True)
class Evidence:
    """What is known of one pod."""

    pod: dict[str, Any]
    events: tuple[dict[str, Any], ...] = ()
    """Oldest first."""
    attachments: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    """namespace/name of each network that the pod asks for → its object; None if there is none."""
    node: NodeSeen | None = None
    """None while no node is assigned."""
    inside: Inside | None = None
    """None unless the pod runs."""
    log: tuple[str, ...] = ()
    allocatable: dict[str, dict[str, str]] = field(default_factory=dict)
    """Node → resource → how many devices it offers."""

    @property
    def name(self) -> str:
        """Namespace and name."""
        return f"{self.pod['metadata']['namespace']}/{self.pod['metadata']['name']}"

    @property
    def node_name(self) -> str:
        """Its node; empty while none is assigned."""
        return str(self.pod["spec"].get("nodeName") or "")

    @property
    def runs(self) -> bool:
        """Whether its sandbox has a network, so that containers run or may start: one that waits for an image is past its networks."""
        status = self.pod.get("status", {})
        ready = {c.get("type"): c.get("status") for c in status.get("conditions") or []}
        return status.get("phase") == "Running" or (
            status.get("phase") == "Pending" and ready.get("PodReadyToStartContainers") == "True"
        )

    @property
    def selections(self) -> list[Selection]:
        """The networks that it asks for."""
        return selections_in(self.pod)


def requested(pod: dict[str, Any]) -> str:
    """Return the annotation with the networks of a pod; empty if it has none."""
    return str((pod["metadata"].get("annotations") or {}).get(ANNOTATION) or "")


def selections_in(pod: dict[str, Any]) -> list[Selection]:
    """Return the networks that a pod asks for."""
    return selections_of(requested(pod), str(pod["metadata"]["namespace"]), ())


def config_text(attachment: dict[str, Any]) -> str:
    """Return the configuration in a NetworkAttachmentDefinition; empty if it has none."""
    spec = attachment.get("spec")
    found = spec.get("config") if isinstance(spec, dict) else None
    return found if isinstance(found, str) else ""


def config_of(attachment: dict[str, Any] | None) -> Config:
    """Return the configuration, parsed; an empty one if it cannot be."""
    data, _ = go_json.parse(config_text(attachment)) if attachment else (None, None)
    return Config(data if isinstance(data, dict) else {}, ())


def plugins_of(config: Config) -> list[str]:
    """Return the plugins that a configuration calls, those of address management too."""
    called = [*(p.type for p in config.plugins), *(i.text("type") for i in config.addresses)]
    return [name for name in dict.fromkeys(called) if name and "/" not in name]


def nics_of(config: Config) -> Iterator[tuple[str, str]]:
    """Yield (key, NIC of the node) of the plugin that creates the interface."""
    for key in nic_keys(config.first.type):
        if (name := config.first.text(key)) and not config.first.get("linkInContainer"):
            yield key, name


def gateways_of(config: Config) -> list[str]:
    """Return the gateways that address management hands out."""
    found: list[str] = []
    stack: list[Any] = [ipam.data for ipam in config.addresses]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            stack += one.values()
            found += [v for k, v in one.items() if str(k).lower() in {"gateway", "gw"} and isinstance(v, str)]
        elif isinstance(one, list):
            stack += one
    return list(dict.fromkeys(found))


async def evidence(cluster: Cluster, namespace: str, name: str) -> Evidence:
    """Collect what can be seen of a pod. Raises NoPodError, and errors of kr8s and httpx if the API server does not answer."""
    pods = {p.name: p.raw.to_dict() async for p in cluster.api.get("pods", namespace=namespace)}
    if name not in pods:
        some = ", ".join(sorted(pods)[:10]) or "none"
        msg = f"there is no pod {namespace}/{name}; the pods of namespace {namespace}: {some}"
        raise NoPodError(msg)
    pod = pods[name]
    selected = cluster.api.get(
        "events",
        namespace=namespace,
        field_selector={"involvedObject.name": name, "involvedObject.uid": pod["metadata"]["uid"]},
    )
    events = sorted([e.raw.to_dict() async for e in selected], key=_when)
    attachments = {s.full_name: await _attachment(cluster, s.namespace, s.name) for s in selections_in(pod)}
    allocatable = {
        n.name: {k: str(v) for k, v in n.raw["status"].get("allocatable", {}).items()}
        async for n in cluster.api.get("nodes")
    }
    found = Evidence(pod, tuple(events), attachments, allocatable=allocatable)
    if not found.node_name:
        return found
    node, inside, log = await _on_node(cluster, found)
    return Evidence(pod, tuple(events), attachments, node, inside, tuple(log), allocatable)


def _when(event: dict[str, Any]) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")


async def _attachment(cluster: Cluster, namespace: str, name: str) -> dict[str, Any] | None:
    with contextlib.suppress(kr8s.NotFoundError, kr8s.ServerError):
        async for one in cluster.api.get(_Attachment, namespace=namespace):
            if one.name == name:
                found: dict[str, Any] = json.loads(json.dumps(one.raw.to_dict()))
                return found
    return None


async def _on_node(cluster: Cluster, found: Evidence) -> tuple[NodeSeen, Inside | None, list[str]]:
    """Look at the pod's node through its Multus daemon, and into the pod if it runs."""
    daemons = [
        p
        async for p in cluster.api.get("pods", namespace=kr8s.ALL, label_selector=MULTUS)
        if p.raw["spec"].get("nodeName") == found.node_name
        and p.raw["status"].get("phase") == "Running"
        and "deletionTimestamp" not in p.raw["metadata"]
    ]
    if not daemons:
        return NodeSeen(), None, []
    daemon, uid = daemons[0], str(found.pod["metadata"]["uid"])
    ready = any(c.get("type") == "Ready" and c.get("status") == "True" for c in daemon.raw["status"]["conditions"])
    configs = {s.interface: config_of(found.attachments.get(s.full_name)) for s in found.selections}
    plugins = sorted({plugin for config in configs.values() for plugin in plugins_of(config)})
    inspected = [
        {"name": name, "gateways": gateways_of(config), "peers": [], "strangers": [], "ownMac": False}
        for name, config in configs.items()
    ]
    task = {
        "binaries": [],
        "needed": plugins,
        "uplinks": sorted({nic for config in configs.values() for _, nic in nics_of(config)}),
        "name": DNS_NAME,
        "evidence": False,
        "pods": [{"uid": uid, "interfaces": inspected}] if found.runs else [],
    }
    uids = [uid] if found.runs else []
    log = asyncio.create_task(cluster.multus_log(daemon, [found.pod["metadata"]["name"]]))
    try:
        node, inside = read_answer(found.node_name, await run_on_node(cluster.api, daemon, task, *PROBE), uids)
    except LookError as error:
        node, inside = unreadable(found.node_name, str(error), uids)
    node = node.model_copy(update={"daemon": daemon.name, "daemon_ready": ready})
    return node, inside.get(uid), await log
