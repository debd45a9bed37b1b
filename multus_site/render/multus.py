"""The Multus daemon's objects (thick; after multus-cni deployments/multus-daemonset-thick.yml), as dictionaries.

Differences from upstream's manifest: minimal rights; a sufficient memory limit, on the init container too; probes that check
the node's configuration and restart the daemon if it is missing; a hash of the configuration, so that a change restarts the daemon.
"""

import hashlib
import json
from typing import Any

from multus_site.render.daemon import NAMESPACE, mount

GROUP = "k8s.cni.cncf.io"
PLURAL = "network-attachment-definitions"
NAME = "multus"
LABELS = {"tier": "node", "app": NAME, "name": NAME}

RULES = [
    {"apiGroups": [GROUP], "resources": [PLURAL], "verbs": ["get", "list", "watch"]},
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": [""], "resources": ["pods/status"], "verbs": ["update", "patch"]},
    {"apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch", "update"]},
]
"""The daemon's rights: read attachments and pods, write the network-status of pods, create events."""

_PROGRAMS = "/usr/src/multus-cni/bin"


def crd() -> dict[str, Any]:
    """The NetworkAttachmentDefinition CRD (network-attachment-definition-client artifacts/networks-crd.yaml)."""
    spec = {"type": "object", "properties": {"config": {"type": "string"}}}
    schema = {
        "type": "object",
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": spec,
        },
    }
    return {
        "metadata": {
            "name": f"{PLURAL}.{GROUP}",
            # Attachments are created next; without this the provider does not wait for a CRD.
            "annotations": {"pulumi.com/waitFor": "condition=Established"},
        },
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "plural": PLURAL,
                "singular": "network-attachment-definition",
                "kind": "NetworkAttachmentDefinition",
                "shortNames": ["nad", "net-attach-def"],
            },
            "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}},
            ],
        },
    }


def daemon_config() -> dict[str, Any]:
    """The daemon's configuration (multus-cni docs/thick-plugin.md)."""
    return {
        "chrootDir": "/hostroot",
        "cniVersion": "0.3.1",
        "logLevel": "verbose",
        "logToStderr": True,
        "cniConfigDir": "/host/etc/cni/net.d",
        "multusAutoconfigDir": "/host/etc/cni/net.d",
        "multusConfigFile": "auto",
        "socketDir": "/host/run/multus/",
    }


def config_map(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration as the daemon mounts it."""
    return {
        "metadata": {"name": "multus-daemon-config", "namespace": NAMESPACE, "labels": LABELS},
        "data": {"daemon-config.json": json.dumps(config, indent=2, sort_keys=True) + "\n"},
    }


def daemon_set(image: str, memory_limit: str, config: str) -> dict[str, Any]:
    """The daemon on every node, whatever its taints."""
    memory = {"requests": {"cpu": "100m", "memory": memory_limit}, "limits": {"memory": memory_limit}}
    mounts = [
        mount("cni", "/host/etc/cni/net.d"),
        # Same path inside and outside: the daemon runs delegate plugins from it.
        mount("cnibin", "/opt/cni/bin"),
        mount("host-run", "/host/run"),
        mount("host-var-lib-cni-multus", "/var/lib/cni/multus"),
        mount("host-var-lib-kubelet", "/var/lib/kubelet", "HostToContainer"),
        mount("host-run-k8s-cni-cncf-io", "/run/k8s.cni.cncf.io"),
        mount("host-run-netns", "/run/netns", "HostToContainer"),
        {"name": "multus-daemon-config", "mountPath": "/etc/cni/net.d/multus.d", "readOnly": True},
        mount("hostroot", "/hostroot", "HostToContainer"),
        mount("multus-conf-dir", "/etc/cni/multus/net.d"),
    ]
    proof = {
        "command": [
            "sh",
            "-c",
            "test -s /host/etc/cni/net.d/00-multus.conf && test -S /host/run/multus/multus.sock",
        ]
    }
    daemon = {
        "name": "kube-multus",
        "image": image,
        "command": [f"{_PROGRAMS}/multus-daemon"],
        "env": [{"name": "MULTUS_NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        "resources": memory,
        "securityContext": {"privileged": True},
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": mounts,
        "readinessProbe": {"exec": proof, "periodSeconds": 2, "failureThreshold": 2},
        # The daemon writes its configuration at start and does not notice if it is deleted later.
        "livenessProbe": {"exec": proof, "periodSeconds": 5, "failureThreshold": 3},
        # At start it waits for the configuration of the pod network, which can take minutes.
        "startupProbe": {"exec": proof, "periodSeconds": 2, "failureThreshold": 300},
    }
    install = {
        "name": "install-multus-binary",
        "image": image,
        "command": [f"{_PROGRAMS}/install_multus", "-d", "/host/opt/cni/bin", "-t", "thick"],
        "resources": memory,
        "securityContext": {"privileged": True},
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [mount("cnibin", "/host/opt/cni/bin", "Bidirectional")],
    }
    return {
        "metadata": {"name": "kube-multus-ds", "namespace": NAMESPACE, "labels": LABELS},
        "spec": {
            "selector": {"matchLabels": {"name": "multus"}},
            # One node at a time would take hours at a large site; pods keep their interfaces meanwhile.
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "10%"}},
            "template": {
                "metadata": {
                    "labels": LABELS,
                    "annotations": {"multus-site/config": hashlib.sha256(config.encode()).hexdigest()[:16]},
                },
                "spec": {
                    "hostNetwork": True,
                    "hostPID": True,
                    "priorityClassName": "system-node-critical",
                    "serviceAccountName": NAME,
                    "terminationGracePeriodSeconds": 30,
                    "tolerations": [
                        {"operator": "Exists", "effect": "NoSchedule"},
                        {"operator": "Exists", "effect": "NoExecute"},
                    ],
                    "initContainers": [install],
                    "containers": [daemon],
                    "volumes": [
                        _host_path("cni", "/etc/cni/net.d"),
                        _host_path("cnibin", "/opt/cni/bin"),
                        _host_path("hostroot", "/"),
                        {
                            "name": "multus-daemon-config",
                            "configMap": {
                                "name": "multus-daemon-config",
                                "items": [{"key": "daemon-config.json", "path": "daemon-config.json"}],
                            },
                        },
                        _host_path("host-run", "/run"),
                        _host_path("host-var-lib-cni-multus", "/var/lib/cni/multus"),
                        _host_path("host-var-lib-kubelet", "/var/lib/kubelet"),
                        _host_path("host-run-k8s-cni-cncf-io", "/run/k8s.cni.cncf.io"),
                        _host_path("host-run-netns", "/run/netns/"),
                        _host_path("multus-conf-dir", "/etc/cni/multus/net.d"),
                    ],
                },
            },
        },
    }


def _host_path(name: str, path: str) -> dict[str, Any]:
    return {"name": name, "hostPath": {"path": path}}
