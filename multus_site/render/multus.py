"""The Multus daemon's objects (thick; after multus-cni deployments/multus-daemonset-thick.yml), as dictionaries.

Differences from upstream's manifest: minimal rights; a sufficient memory limit, on the init container too; the node's
configuration is ours (docs/decisions/0016-our-00-multus-conf.md); probes that check it and restart the daemon if it is missing or
changed; a hash of all that the daemon is given, so that a change restarts the daemon.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from multus_site.render.daemon import NAMESPACE, mount
from multus_site.render.script import script

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

FILES = "multus-files"
"""The ConfigMap of what the daemon is given. Until 0.3.0 it was multus-daemon-config: the data of an object cannot be replaced while a daemon starts."""

CLUSTER_NETWORK = "/run/multus-site/cluster-network"
"""Folder in the daemon's container with a link to the configuration of the cluster's own network (multus_site/scripts/multus-config.sh)."""

_PROGRAMS = "/usr/src/multus-cni/bin"
_GIVEN = "/etc/cni/net.d/multus.d"
_SCRIPT = f"{_GIVEN}/multus-config.sh"


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
        # The daemon insists on generating a configuration of its own: with a file given it ends at once (cmd/multus-daemon waits for
        # nothing else). It writes its own to where nobody reads it.
        "multusConfigFile": "auto",
        "multusAutoconfigDir": CLUSTER_NETWORK,
        "cniConfigDir": "/run/multus-site/daemon",
        "socketDir": "/host/run/multus/",
    }


def node_config() -> dict[str, Any]:
    """00-multus.conf of every node: the same whatever the cluster's own network is.

    The shim needs type and version. `clusterNetwork` is a folder in the daemon's container: from a folder, every release of Multus reads the whole configuration,
    and keeps it for DEL. `capabilities` are those that Multus passes on; each delegate gets the ones that it declares itself.
    """
    return {
        "cniVersion": "0.3.1",
        "name": "multus-cni-network",
        "type": "multus-shim",
        "capabilities": {"bandwidth": True, "portMappings": True},
        "clusterNetwork": CLUSTER_NETWORK,
        "logLevel": "verbose",
        "logToStderr": True,
    }


def given_files() -> dict[str, str]:
    """Name → content of the files that the daemon's container is given."""
    return {
        "daemon-config.json": json.dumps(daemon_config(), indent=2, sort_keys=True) + "\n",
        "00-multus.conf": json.dumps(node_config(), indent=2, sort_keys=True) + "\n",
        "multus-config.sh": script("multus-config", {}),
    }


def config_map(files: Mapping[str, str]) -> dict[str, Any]:
    """The files as the daemon mounts them."""
    return {
        "metadata": {"name": FILES, "namespace": NAMESPACE, "labels": LABELS},
        "data": dict(files),
    }


def daemon_set(image: str, memory_limit: str, files: Mapping[str, str]) -> dict[str, Any]:
    """The daemon on every node, whatever its taints."""
    given = json.dumps(files, sort_keys=True)
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
        {"name": FILES, "mountPath": _GIVEN, "readOnly": True},
        mount("hostroot", "/hostroot", "HostToContainer"),
        mount("multus-conf-dir", "/etc/cni/multus/net.d"),
    ]
    proof = {"command": ["sh", _SCRIPT, "check"]}
    daemon = {
        "name": "kube-multus",
        "image": image,
        "command": ["sh", _SCRIPT, "run"],
        "env": [{"name": "MULTUS_NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        "resources": memory,
        "securityContext": {"privileged": True},
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": mounts,
        "readinessProbe": {"exec": proof, "periodSeconds": 2, "failureThreshold": 2},
        # The configuration is written at start. Whoever deletes or changes it later, or brings the cluster another network, restarts the daemon.
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
                    "annotations": {"multus-site/config": hashlib.sha256(given.encode()).hexdigest()[:16]},
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
                            "name": FILES,
                            "configMap": {
                                "name": FILES,
                                "items": [{"key": name, "path": name} for name in sorted(files)],
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
