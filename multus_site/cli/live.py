"""What runs in a cluster, as files for the linter, and facts about its nodes."""

from pathlib import Path
from typing import Any

import yaml

from multus_site.cli.cluster import Seen, read
from multus_site.cli.files import Found
from multus_site.lint.facts import Facts
from multus_site.model.paths import Data

_MADE_BY_OBJECTS = {"ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob"}
"""Controllers whose template is checked where it was written."""

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_SERVER_KEYS = ("managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink")


def collected(kubeconfig: Path | None, context: str | None) -> tuple[list[Found], Facts, list[str]]:
    """The objects with networks and pods, the facts, and what is unknown. Raises ClusterError."""
    seen = read(kubeconfig, context, for_linter=True)
    nodes = [m for m in seen.manifests if m["kind"] == "Node"]
    attachments = [m for m in seen.manifests if m["kind"] != "Node"]
    workloads = [m for m in seen.workloads if not _is_made(m)]
    return [_file(m) for m in (*attachments, *workloads)], _facts(seen, nodes, attachments), seen.notes


def _facts(seen: Seen, nodes: list[dict[str, Any]], attachments: list[dict[str, Any]]) -> Facts:
    names = {node["metadata"]["name"] for node in nodes}
    whole = bool(names) and names <= set(seen.programs)
    plugins = sorted(set.intersection(*map(set, seen.programs.values()))) if whole else None
    offered = {key for node in nodes for key, count in node["status"].get("allocatable", {}).items() if "/" in key and count != "0"}  # fmt: skip
    addresses = [a["address"] for n in nodes for a in n["status"].get("addresses", []) if a["type"] == "InternalIP"]
    pod_networks = [cidr for node in nodes for cidr in node["spec"].get("podCIDRs", [])]
    return Facts(
        nodes=len(nodes) or None,
        ifaces_by_node=seen.interfaces or None,
        plugins=plugins,
        nads=[f"{m['metadata']['namespace']}/{m['metadata']['name']}" for m in attachments],
        sriov_resources=sorted(offered),
        node_ips=addresses or None,
        pod_cidr=pod_networks or None,
    )


def _is_made(manifest: dict[str, Any]) -> bool:
    return any(o.get("kind") in _MADE_BY_OBJECTS for o in manifest["metadata"].get("ownerReferences") or [])


def _file(manifest: dict[str, Any]) -> Found:
    metadata = {k: v for k, v in manifest["metadata"].items() if k not in _SERVER_KEYS}
    if notes := metadata.get("annotations"):
        metadata["annotations"] = {k: v for k, v in notes.items() if k != _LAST_APPLIED}
    kept: Data = {**{k: v for k, v in manifest.items() if k != "status"}, "metadata": metadata}
    name = f"{manifest['kind']} {metadata.get('namespace', '')}/{metadata['name']}"
    return Found(name, yaml.safe_dump(kept, allow_unicode=True, sort_keys=False, width=10**6), in_folder=False)
