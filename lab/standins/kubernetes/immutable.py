"""Which changes the API server refuses to make in place, so that the object is replaced.

From pulumi-kubernetes 4 (`provider/pkg/provider/diff.go`), for the kinds and fields that the API itself keeps immutable.
"""

from __future__ import annotations

import re

from .identity import Object

_ALWAYS = ("metadata.name", "metadata.namespace")
_POD = [
    "affinity",
    "automountServiceAccountToken",
    "dnsConfig",
    "dnsPolicy",
    "enableServiceLinks",
    "hostAliases",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostname",
    "imagePullSecrets",
    "nodeName",
    "nodeSelector",
    "overhead",
    "preemptionPolicy",
    "priority",
    "priorityClassName",
    "readinessGates",
    "restartPolicy",
    "runtimeClassName",
    "schedulerName",
    "securityContext",
    "serviceAccount",
    "serviceAccountName",
    "shareProcessNamespace",
    "subdomain",
    "terminationGracePeriodSeconds",
    "volumes",
    "containers",
    "initContainers",
]
_FIELDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("apps", "Deployment"): ("spec.selector",),
    ("apps", "DaemonSet"): ("spec.selector",),
    ("apps", "StatefulSet"): (
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    ("batch", "Job"): ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    ("rbac.authorization.k8s.io", "RoleBinding"): ("roleRef",),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): ("roleRef",),
    ("storage.k8s.io", "StorageClass"): ("parameters", "provisioner"),
    ("", "Pod"): tuple(f"spec.{field}" for field in _POD),
    ("", "PersistentVolumeClaim"): ("spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"),
    ("", "ResourceQuota"): ("spec.scopes",),
    ("", "Service"): ("spec.clusterIP",),
}
_DATA = {"ConfigMap": ("binaryData", "data"), "Secret": ("type", "stringData", "data")}
_INDEX = re.compile(r"\[\d+\]")


def replaces(wanted: Object, path: str, mutable: frozenset[str]) -> bool:
    """Whether a change at `path` (`spec.selector.matchLabels.app`) needs another object.

    The data of ConfigMaps and Secrets counts as immutable unless the kind is in `mutable`: pods see new data as a new object.
    """
    group = str(wanted.get("apiVersion", "")).rpartition("/")[0]
    kind = str(wanted.get("kind"))
    fields = (*_ALWAYS, *_FIELDS.get((group, kind), ()))
    if not group and kind in _DATA and (kind not in mutable or wanted.get("immutable") is True):
        fields += _DATA[kind]
    bare = _INDEX.sub("", path)
    return any(bare == field or bare.startswith((f"{field}.", f"{field}[")) for field in fields)
