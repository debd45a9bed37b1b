"""Networks and nodes of a running cluster, read through the API."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import kr8s
from kr8s.objects import ConfigMap, CronJob, DaemonSet, Deployment, Job, Node, Pod, StatefulSet, new_class

from multus_site.cni.uplinks import nics
from multus_site.kubespray.found import CONFIG_MAPS
from multus_site.render.attachment import API_VERSION, KIND
from multus_site.verify.connection import passing_keys

_MULTUS = "app=multus"
"""Label of the Multus daemon's pods: they run in the network namespace of their node."""

_SYSTEM = "kube-system"


class ClusterError(RuntimeError):
    """The cluster cannot be read; the message gives the reason."""


@dataclass(slots=True)
class Seen:
    """Objects as the API returns them, and the interfaces of the nodes that answered."""

    manifests: list[dict[str, Any]] = field(default_factory=list)
    interfaces: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    workloads: list[dict[str, Any]] = field(default_factory=list)
    """Pods, and the objects with their templates; only for the linter."""
    programs: dict[str, list[str]] = field(default_factory=dict)
    """Names of the plugins of the nodes that answered; only for the linter."""
    control_plane: list[dict[str, Any]] = field(default_factory=list)
    """What tells how the cluster was installed (multus_site/kubespray/found.py); empty where the user may not read it."""


_WORKLOADS = (Deployment, StatefulSet, DaemonSet, CronJob, Job, Pod)


def read(kubeconfig: Path | None, context: str | None, *, for_linter: bool = False) -> Seen:
    """NADs of all namespaces, nodes, and each node's NICs; for the linter also workloads and plugins. Raises ClusterError."""
    seen = Seen()
    attachment = new_class(KIND, API_VERSION, namespaced=True, plural="network-attachment-definitions")
    try:
        with passing_keys():
            # It connects on the first request.
            api = kr8s.api(kubeconfig=str(kubeconfig) if kubeconfig else None, context=context)
            seen.manifests += [
                {**_raw(o), "apiVersion": API_VERSION, "kind": KIND}
                for o in attachment.list(api=api, namespace=kr8s.ALL)
            ]
            seen.manifests += [{**_raw(o), "kind": "Node"} for o in Node.list(api=api)]
            for kind in _WORKLOADS if for_linter else ():
                shown = {"apiVersion": kind.version, "kind": kind.kind}
                seen.workloads += [{**shown, **_raw(o), **shown} for o in kind.list(api=api, namespace=kr8s.ALL)]
            pods = list(Pod.list(api=api, namespace=kr8s.ALL, label_selector=_MULTUS))
            if not for_linter:
                seen.control_plane = _control_plane(api, seen)
    except Exception as error:  # kr8s and httpx raise many kinds; each means the same to the user
        message = f"the cluster cannot be read: {error}"
        if "404" in str(error):
            message = "the cluster has no CRD for NetworkAttachmentDefinitions: Multus is not installed"
        raise ClusterError(message) from None
    for pod in pods:
        if not isinstance(pod, Pod):
            continue
        raw = _raw(pod)
        node = raw.get("spec", {}).get("nodeName", "")
        try:
            answer = pod.exec(["ls", "/sys/class/net"], container=raw["spec"]["containers"][0]["name"])
            names = answer.stdout.decode().split()
        except Exception as error:  # as above; NICs are optional
            seen.notes.append(f"the NICs of {node} are unknown: {error}")
            continue
        seen.interfaces[node] = nics(names)
        if for_linter:
            try:
                there = pod.exec(["ls", "/hostroot/opt/cni/bin"], container=raw["spec"]["containers"][0]["name"])
                seen.programs[node] = there.stdout.decode().split()
            except Exception as error:  # as above
                seen.notes.append(f"the plugins of {node} are unknown: {error}")
    return seen


def _control_plane(api: Any, seen: Seen) -> list[dict[str, Any]]:  # noqa: ANN401  # kr8s' client has no public type
    try:
        maps = [
            one
            for one in map(_raw, ConfigMap.list(api=api, namespace=_SYSTEM))
            if one["metadata"]["name"] in CONFIG_MAPS
        ]
        daemons = [_raw(one) for one in DaemonSet.list(api=api, namespace=kr8s.ALL)]
        pods = [_raw(one) for one in Pod.list(api=api, namespace=_SYSTEM, label_selector="tier=control-plane")]
    except kr8s.ServerError as error:
        seen.notes.append(f"how the cluster was installed is unknown: {error}")
        return []
    nodes = [one for one in seen.manifests if one["kind"] == "Node"]
    kinds = (("ConfigMap", maps), ("DaemonSet", daemons), ("Pod", pods))
    return [*nodes, *({**one, "kind": kind} for kind, found in kinds for one in found)]


def _raw(resource: Any) -> dict[str, Any]:  # noqa: ANN401  # kr8s' objects
    """The object as plain data."""
    plain: dict[str, Any] = json.loads(json.dumps(resource.raw.to_dict()))
    return plain
