"""A workload's Kubernetes object, as a dictionary."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from model.workloads import Workload

NETWORKS = "k8s.v1.cni.cncf.io/networks"
NETWORK_STATUS = "k8s.v1.cni.cncf.io/network-status"
ATTACHMENT_HASH = "multus-site/networks-hash"
LABEL = "app.kubernetes.io/name"


def networks_annotation(workload: Workload) -> str:
    """The pods' networks: Multus' short form, `a,b@net5`."""
    return ",".join(f"{a.name}@{a.interface}" if a.interface else a.name for a in workload.networks)


def manifest(
    name: str, workload: Workload, image: str, nodes: list[str], contents: Mapping[str, str]
) -> dict[str, Any]:
    """Metadata and spec of the Deployment.

    `nodes`: host names that the pods may run on; empty for any. `contents`: configuration of each network, by name; a hash
    of those that the pods use stands in their template, since running pods do not notice a changed attachment.
    """
    annotations = {}
    if workload.networks:
        used = {a.name: contents[a.name] for a in workload.networks}
        annotations = {
            NETWORKS: networks_annotation(workload),
            ATTACHMENT_HASH: hashlib.sha256(json.dumps(used, sort_keys=True).encode()).hexdigest()[:16],
        }
    container: dict[str, Any] = {"name": name, "image": image}
    if workload.command:
        container["command"] = list(workload.command)
    pod: dict[str, Any] = {
        "containers": [container],
        # `tail -f` as process 1 does not end at SIGTERM; half a minute a pod would be lost at each change.
        "terminationGracePeriodSeconds": 5,
    }
    if nodes:
        pod["affinity"] = {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [
                        {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": nodes}]}
                    ]
                }
            }
        }
    return {
        "metadata": {"name": name, "namespace": workload.namespace, "labels": {LABEL: name}},
        "spec": {
            "replicas": workload.replicas,
            "selector": {"matchLabels": {LABEL: name}},
            # Addresses of a range are scarce, and a static one is there once: the old pod goes first.
            "strategy": {"type": "Recreate"},
            "template": {
                "metadata": {"labels": {LABEL: name}, **({"annotations": annotations} if annotations else {})},
                "spec": pod,
            },
        },
    }
