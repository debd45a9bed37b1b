"""What programs of ours in a cluster have in common: DaemonSets on every node, whatever its taints; folders of the node as volumes; rights."""

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


def account(name: str) -> dict[str, Any]:
    """A service account in kube-system."""
    return {"metadata": {"name": name, "namespace": NAMESPACE}}


def rights(name: str, rules: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """A service account, a cluster role with these rules, and the binding that gives the account the role."""
    binding = {
        "metadata": {"name": name},
        "role_ref": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}],
    }
    return account(name), {"metadata": {"name": name}, "rules": rules}, binding


def folder(name: str, path: str) -> dict[str, Any]:
    """A volume: a folder of the node, created if it does not exist."""
    return {"name": name, "hostPath": {"path": path, "type": "DirectoryOrCreate"}}


def mount(name: str, path: str, propagation: str | None = None) -> dict[str, Any]:
    """The mount of a volume in a container."""
    return {"name": name, "mountPath": path, **({"mountPropagation": propagation} if propagation else {})}
