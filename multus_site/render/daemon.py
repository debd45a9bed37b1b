"""DaemonSets that run on every node, whatever its taints, with folders of the node as volumes."""

from typing import Any

NAMESPACE = "kube-system"


def daemon_set(
    name: str,
    containers: list[dict[str, Any]],
    volumes: list[dict[str, Any]],
    account: str,
    *,
    annotations: dict[str, str],
) -> dict[str, Any]:
    """A DaemonSet in kube-system. A change of its pods' `annotations` restarts them."""
    labels = {"app": name}
    return {
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "10%"}},
            "template": {
                "metadata": {"labels": labels, "annotations": annotations},
                "spec": {
                    "hostNetwork": True,
                    "priorityClassName": "system-node-critical",
                    "serviceAccountName": account,
                    "automountServiceAccountToken": account != "default",
                    "terminationGracePeriodSeconds": 5,
                    "tolerations": [
                        {"operator": "Exists", "effect": "NoSchedule"},
                        {"operator": "Exists", "effect": "NoExecute"},
                    ],
                    "containers": containers,
                    "volumes": volumes,
                },
            },
        },
    }


def folder(name: str, path: str) -> dict[str, Any]:
    """A volume: a folder of the node, created if it does not exist."""
    return {"name": name, "hostPath": {"path": path, "type": "DirectoryOrCreate"}}


def mount(name: str, path: str, propagation: str | None = None) -> dict[str, Any]:
    """The mount of a volume in a container."""
    return {"name": name, "mountPath": path, **({"mountPropagation": propagation} if propagation else {})}
