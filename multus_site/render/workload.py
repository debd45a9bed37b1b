"""A workload's Kubernetes objects, as dictionaries."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from multus_site import scripts
from multus_site.model.racks import Taint
from multus_site.model.workloads import Attachment, Probe, Workload, replica_name
from multus_site.render import topology

NETWORKS = "k8s.v1.cni.cncf.io/networks"
ATTACHMENT_HASH = "multus-site/networks-hash"
LABEL = "app.kubernetes.io/name"
GROUP_LABEL = "app.kubernetes.io/part-of"

Kind = Literal["Deployment", "StatefulSet", "DaemonSet", "Service"]


@dataclass(frozen=True)
class Surroundings:
    """What the site adds to a workload: its image, where it can run, its networks and their devices."""

    image: str
    nodes: Sequence[str] = ()
    """Hosts that the pods can run on; all if empty."""
    contents: Mapping[str, str] = field(default_factory=dict)
    """Network → its configuration. The pod template has a hash of those that it uses, so that a changed attachment restarts the pods."""
    devices: Mapping[str, int] = field(default_factory=dict)
    """Device resource → how many a pod's attachments need."""
    shell_image: str = ""
    """An image with a shell and iproute2, for the init container of pods with their own default route."""
    cluster_networks: Sequence[str] = ()
    """Networks that stay reachable through eth0: pods, services, nodes."""
    shunned_racks: Sequence[str] = ()
    """Racks that a DaemonSet avoids: a taint that is added later does not remove its pod."""
    tolerated: Sequence[Taint] = ()
    """Taints of the dedicated racks that it can run in."""


@dataclass(frozen=True)
class Made:
    """One object: its kind, name, and body (metadata and spec)."""

    kind: Kind
    name: str
    body: dict[str, Any]


def networks_annotation(workload: Workload, replica: int = 0) -> str:
    """The networks annotation: Multus' short form, `a,b@net5`, or JSON if an attachment has more than a name."""
    if all(_plain(a) for a in workload.networks):
        return ",".join(f"{a.name}@{a.interface}" if a.interface else a.name for a in workload.networks)
    return json.dumps([selection(a, replica) for a in workload.networks], sort_keys=True)


def _plain(attachment: Attachment) -> bool:
    a = attachment
    return not (a.ips or a.ips_by_replica or a.mac or a.default_route or a.port_mappings)


def selection(attachment: Attachment, replica: int) -> dict[str, Any]:
    """One entry of the JSON form (multi-net-spec v1.3, 4.1.2.1)."""
    ips = attachment.ips_by_replica[replica] if attachment.ips_by_replica else attachment.ips
    found = {
        "name": attachment.name,
        "interface": attachment.interface,
        "ips": list(ips),
        "mac": attachment.mac,
        "default-route": list(attachment.default_route),
        "portMappings": [mapping.model_dump(by_alias=True) for mapping in attachment.port_mappings],
    }
    return {key: value for key, value in found.items() if value}


def objects(name: str, workload: Workload, around: Surroundings) -> list[Made]:
    """The workload's objects, in the order of their creation.

    Replicas with their own addresses are a StatefulSet of one pod each, because a pod template has only one annotation.
    Each is ready before the next one changes, as in a single StatefulSet.
    """
    if workload.kind != "StatefulSet":
        return [Made(workload.kind, name, _manifest(name, workload, around, {LABEL: name}, 0))]
    if not workload.sticky:
        labels = {LABEL: name}
        return [
            _service(name, workload, labels),
            Made("StatefulSet", name, _manifest(name, workload, around, labels, 0)),
        ]
    made = [_service(name, workload, {GROUP_LABEL: name})]
    for replica in range(workload.replicas):
        own = replica_name(name, replica)
        labels = {LABEL: own, GROUP_LABEL: name}
        body = _manifest(own, workload, around, labels, replica)
        body["spec"] |= {"replicas": 1, "serviceName": name}
        made.append(Made("StatefulSet", own, body))
    return made


def _service(name: str, workload: Workload, selector: dict[str, str]) -> Made:
    """The headless service that gives a StatefulSet's pods DNS names."""
    spec = {"clusterIP": "None", "selector": selector, "publishNotReadyAddresses": True}
    metadata = {"name": name, "namespace": workload.namespace, "labels": selector}
    return Made("Service", name, {"metadata": metadata, "spec": spec})


def _manifest(
    name: str, workload: Workload, around: Surroundings, labels: dict[str, str], replica: int
) -> dict[str, Any]:
    """Metadata and spec of a Deployment, StatefulSet or DaemonSet."""
    selector = {LABEL: name}
    annotations = _annotations(workload, around, replica)
    template = {
        "metadata": {"labels": labels, **({"annotations": annotations} if annotations else {})},
        "spec": _pod(name, workload, around, labels.get(GROUP_LABEL, "")),
    }
    spec: dict[str, Any] = {"selector": {"matchLabels": selector}, "template": template}
    if workload.kind != "DaemonSet":
        spec["replicas"] = workload.replicas
    if workload.kind == "Deployment":
        # Ranges are small and a static address exists once: the old pod must stop first.
        spec["strategy"] = {"type": "Recreate"}
    elif workload.kind == "StatefulSet":
        spec["serviceName"] = name
    return {"metadata": {"name": name, "namespace": workload.namespace, "labels": labels}, "spec": spec}


def _annotations(workload: Workload, around: Surroundings, replica: int) -> dict[str, str]:
    if not workload.networks:
        return {}
    used = {a.name: around.contents[a.name] for a in workload.networks}
    return {
        NETWORKS: networks_annotation(workload, replica),
        ATTACHMENT_HASH: hashlib.sha256(json.dumps(used, sort_keys=True).encode()).hexdigest()[:16],
    }


def _pod(name: str, workload: Workload, around: Surroundings, group: str) -> dict[str, Any]:
    container: dict[str, Any] = {"name": name, "image": around.image}
    if workload.command:
        container["command"] = list(workload.command)
    if resources := _resources(workload, around.devices):
        container["resources"] = resources
    for key, probe in (("readinessProbe", workload.readiness_probe), ("livenessProbe", workload.liveness_probe)):
        if probe is not None:
            container[key] = _probe(probe)
    pod: dict[str, Any] = {
        "containers": [container],
        # `tail -f` as process 1 ignores SIGTERM; the default would delay each change by half a minute.
        "terminationGracePeriodSeconds": 5,
    }
    if any(a.default_route for a in workload.networks):
        pod["initContainers"] = [_cluster_routes(workload, around)]
    pod |= _placement(workload, around, {GROUP_LABEL: group} if group else {LABEL: name})
    return pod


def _placement(workload: Workload, around: Surroundings, selector: dict[str, str]) -> dict[str, Any]:
    """Where the pods can run and how they are spread. `selector` matches all pods of the workload."""
    found: dict[str, Any] = {}
    if around.nodes:
        found["affinity"] = topology.affinity(topology.on_nodes(around.nodes))
    elif workload.racks:
        found["affinity"] = topology.affinity(topology.in_racks(workload.racks))
    elif around.shunned_racks and workload.kind == "DaemonSet":
        found["affinity"] = topology.affinity(topology.in_racks(around.shunned_racks, out=True))
    if around.tolerated:
        found["tolerations"] = topology.tolerations(around.tolerated)
    if workload.spread:
        found["topologySpreadConstraints"] = topology.spread(workload.spread, selector)
    return found


def _cluster_routes(workload: Workload, around: Surroundings) -> dict[str, Any]:
    """The init container of pods whose default route is on another network: it adds routes for cluster networks through eth0."""
    routers = [f"{interface}={router}" for interface, a in workload.interfaces() for router in a.default_route]
    return {
        "name": "cluster-routes",
        "image": around.shell_image,
        "command": ["sh", "-c", scripts.text("cluster-routes")],
        "env": [
            {"name": "NETWORKS", "value": " ".join(around.cluster_networks)},
            {"name": "DEFAULT", "value": " ".join(routers)},
        ],
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "32Mi"}},
        "securityContext": {"capabilities": {"add": ["NET_ADMIN"]}, "runAsUser": 0},
    }


def _resources(workload: Workload, devices: Mapping[str, int]) -> dict[str, Any]:
    """Requests and limits. Kubernetes cannot overcommit devices: their request and limit are equal."""
    asked = {name: str(count) for name, count in sorted(devices.items())}
    requests, limits = {**workload.resources.requests, **asked}, {**workload.resources.limits, **asked}
    return {**({"requests": requests} if requests else {}), **({"limits": limits} if limits else {})}


def _probe(probe: Probe) -> dict[str, Any]:
    times = {"initial_delay_seconds", "period_seconds", "timeout_seconds", "failure_threshold"}
    found = probe.model_dump(by_alias=True, include=times)
    if probe.exec:
        return {**found, "exec": {"command": list(probe.exec)}}
    if probe.http_get is not None:
        port, slash, path = probe.http_get.removeprefix(":").partition("/")
        return {**found, "httpGet": {"port": int(port), "path": slash + path}}
    return {**found, "tcpSocket": {"port": probe.tcp_socket}}
