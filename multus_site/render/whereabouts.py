"""The whereabouts daemon's objects (after whereabouts doc/crds), as dictionaries.

Differences from upstream's manifest: minimal rights; the binary is moved into place, so that nothing runs a half-written
one; a readiness probe that checks binary and kubeconfig; no node-slice controller, which nothing here uses; a sufficient
memory limit; shorter retries for the lease.
"""

import json
from typing import Any

from multus_site.render.daemon import NAMESPACE, daemon_set, folder, mount

GROUP = "whereabouts.cni.cncf.io"
NAME = "whereabouts"
LEASE = "whereabouts"
"""The lease that each call of the plugin holds (whereabouts pkg/storage/kubernetes/ipam.go)."""
TUNING = {"leader_lease_duration": 1500, "leader_renew_deadline": 1000, "leader_retry_period": 200}
"""Times of the lease that each call of the plugin holds, in ms. Upstream retries every 500 ms, which slows concurrent calls;
below 200 ms the retries themselves load the API server (docs/measurements.md)."""

LEFT = {
    "PROCESS": "ip-control-loop",
    "LEFT": "/opt/cni/bin/whereabouts /opt/cni/bin/.whereabouts-new /etc/cni/net.d/whereabouts.d",
}
"""What the daemon leaves on a node when it stops: the variables of multus_site/scripts/daemon-files.sh."""

_TEXT = {"type": "string"}
_ALLOCATION = {
    "type": "object",
    "properties": {"id": _TEXT, "ifname": _TEXT, "podref": _TEXT},
    "required": ["id", "podref"],
}
_KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "ippools": (
        "IPPool",
        {
            "type": "object",
            "properties": {
                "allocations": {"type": "object", "additionalProperties": _ALLOCATION},
                "range": _TEXT,
            },
            "required": ["allocations", "range"],
        },
    ),
    "overlappingrangeipreservations": (
        "OverlappingRangeIPReservation",
        {
            "type": "object",
            "properties": {"containerid": _TEXT, "ifname": _TEXT, "podref": _TEXT},
            "required": ["podref"],
        },
    ),
}
PLURALS = tuple(_KINDS)

_READ = ["get", "list", "watch"]
_WRITE = [*_READ, "create", "update", "patch", "delete"]
RULES = [
    {"apiGroups": [GROUP], "resources": list(PLURALS), "verbs": _WRITE},
    # Nodes and controllers have leases too. A right to create cannot be limited to a name.
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
    {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "resourceNames": [LEASE],
        "verbs": ["get", "update", "patch"],
    },
    {"apiGroups": [""], "resources": ["pods", "nodes"], "verbs": _READ},
    {"apiGroups": ["k8s.cni.cncf.io"], "resources": ["network-attachment-definitions"], "verbs": _READ},
    {"apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch", "update", "get"]},
]
"""Rights of daemon and plugin: write pools and reservations, hold the allocation lease, read pods, nodes and attachments."""

_RUN = (
    """\
set -e
export CNI_BIN_DIR=/host/opt/cni/bin/.whereabouts-new
mkdir -p "$CNI_BIN_DIR"
SLEEP=false
. /install-cni.sh
mv -f "$CNI_BIN_DIR/whereabouts" /host/opt/cni/bin/whereabouts
rmdir "$CNI_BIN_DIR"
sed 's/^  "datastore"/  TUNING,\\n&/' "$WHEREABOUTS_CONF_FILE" >"$WHEREABOUTS_CONF_FILE.new"
chmod 600 "$WHEREABOUTS_CONF_FILE.new"
mv -f "$WHEREABOUTS_CONF_FILE.new" "$WHEREABOUTS_CONF_FILE"
/token-watcher.sh &
exec /ip-control-loop -log-level verbose
"""
).replace("TUNING", json.dumps(TUNING)[1:-1])


def crd(plural: str) -> dict[str, Any]:
    """A CustomResourceDefinition: `ippools`, or `overlappingrangeipreservations`."""
    kind, spec = _KINDS[plural]
    schema = {
        "type": "object",
        "properties": {"apiVersion": _TEXT, "kind": _TEXT, "metadata": {"type": "object"}, "spec": spec},
    }
    return {
        "metadata": {
            "name": f"{plural}.{GROUP}",
            "annotations": {"pulumi.com/waitFor": "condition=Established"},
        },
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"},
            "versions": [{"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }


def config_map(cron_expression: str) -> dict[str, Any]:
    """The schedule of the search for leaked addresses. The daemon reloads it."""
    return {
        "metadata": {"name": "whereabouts-config", "namespace": NAMESPACE},
        "data": {"cron-expression": cron_expression},
    }


def daemon(image: str, memory_limit: str, cron_expression: str) -> dict[str, Any]:
    """The daemon on every node: it installs the plugin with its kubeconfig and releases leaked addresses."""
    container = {
        "name": NAME,
        "image": image,
        "command": ["/bin/sh", "-c", _RUN],
        "env": [
            {"name": "NODENAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
            {"name": "WHEREABOUTS_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
            {"name": "WHEREABOUTS_RECONCILER_CRON", "value": cron_expression},
        ],
        "resources": {
            "requests": {"cpu": "50m", "memory": memory_limit},
            "limits": {"memory": memory_limit},
        },
        "securityContext": {"privileged": True},
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "readinessProbe": {
            "exec": {
                "command": [
                    "sh",
                    "-c",
                    "test -x /host/opt/cni/bin/whereabouts && grep -q leader_ /host/etc/cni/net.d/whereabouts.d/whereabouts.conf && test -s /host/etc/cni/net.d/whereabouts.d/whereabouts.kubeconfig",
                ]
            },
            "periodSeconds": 2,
        },
        "volumeMounts": [
            mount("cnibin", "/host/opt/cni/bin"),
            mount("cni-net-dir", "/host/etc/cni/net.d"),
            mount("cron-schedule", "/cron-schedule"),
        ],
    }
    schedule = {
        "name": "cron-schedule",
        "configMap": {"name": "whereabouts-config", "items": [{"key": "cron-expression", "path": "config"}]},
    }
    volumes = [folder("cnibin", "/opt/cni/bin"), folder("cni-net-dir", "/etc/cni/net.d"), schedule]
    return daemon_set(NAME, [container], volumes, NAME, annotations={})
