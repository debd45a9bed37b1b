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
NETWORK_STATUS = "k8s.v1.cni.cncf.io/network-status"
ATTACHMENT_HASH = "multus-site/networks-hash"
LABEL = "app.kubernetes.io/name"
GROUP_LABEL = "app.kubernetes.io/part-of"

Kind = Literal["Deployment", "StatefulSet", "DaemonSet", "Service"]


@dataclass(frozen=True)
class Surroundings:
    """What the site adds to a workload: images by digest, where it may run, what its networks are and need."""

    image: str
    nodes: Sequence[str] = ()
    """Host names that the pods may run on; empty for any."""
    contents: Mapping[str, str] = field(default_factory=dict)
    """Configuration of each network, by name. A hash of those that pods use stands in their template: running pods do not notice a changed attachment."""
    devices: Mapping[str, int] = field(default_factory=dict)
    """Device resources that a pod's attachments need, and how many of each."""
    shell_image: str = ""
    """An image with a shell and iproute2, for the init container of pods with a default route of their own."""
    cluster_networks: Sequence[str] = ()
    """Pods, services and nodes: what stays reachable through eth0."""
    shunned_racks: Sequence[str] = ()
    """Racks that a DaemonSet leaves out: where its taint came later, its pod would stay there."""
    tolerated: Sequence[Taint] = ()
    """Taints of the dedicated racks that it is for."""


@dataclass(frozen=True)
class Made:
    """One object: its kind and name, and its metadata and spec."""

    kind: Kind
    name: str
    body: dict[str, Any]


def networks_annotation(workload: Workload, replica: int = 0) -> str:
    """The pods' networks: Multus' short form, `a,b@net5`, or its JSON form where an attachment asks for more than a name."""
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
    """The workload's objects, in the order in which they are made.

    Replicas with addresses of their own are a StatefulSet of one pod each: a template has one annotation, and an address
    stands in it. The one before is ready before the next is touched, as in one StatefulSet.
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
    """The headless service by which a StatefulSet's pods have names in the cluster's DNS."""
    spec = {"clusterIP": "None", "selector": selector, "publishNotReadyAddresses": True}
    metadata = {"name": name, "namespace": workload.namespace, "labels": selector}
    return Made("Service", name, {"metadata": metadata, "spec": spec})


def _manifest(
    name: str, workload: Workload, around: Surroundings, labels: dict[str, str], replica: int
) -> dict[str, Any]:
    """Metadata and spec of one object that makes pods."""
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
        # Addresses of a range are scarce, and a static one is there once: the old pod goes first.
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
        # `tail -f` as process 1 does not end at SIGTERM; half a minute a pod would be lost at each change.
        "terminationGracePeriodSeconds": 5,
    }
    if any(a.default_route for a in workload.networks):
        pod["initContainers"] = [_cluster_routes(workload, around)]
    pod |= _placement(workload, around, {GROUP_LABEL: group} if group else {LABEL: name})
    return pod


def _placement(workload: Workload, around: Surroundings, selector: dict[str, str]) -> dict[str, Any]:
    """Where the pods may run, and how they are spread there; `selector` is that of all of the workload's pods."""
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
    """The default route leads through another network; what only eth0's led to gets routes of its own before the container starts."""
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
    """Devices are asked for in whole and cannot be overcommitted: request and limit are the same."""
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
