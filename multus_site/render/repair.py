"""The CronJob that evicts pods that lack interfaces, its rights and its record: objects as dictionaries.

Its program is multus_site/repair, with the modules that it imports, in a ConfigMap.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from multus_site import repair
from multus_site.model.racks import Taint
from multus_site.model.site import Site
from multus_site.model.workloads import replica_name
from multus_site.render import topology
from multus_site.render.daemon import NAMESPACE, rights

NAME = "mend-interfaces"
RECORD = "mend-interfaces-record"
_FOLDER = Path(repair.__file__).parents[2]

Object = dict[str, Any]


@dataclass(frozen=True)
class Scope:
    """The pods that it may evict. `namespaces`: None for all; `workloads`: (namespace, kind, name), None for all pods of the namespaces."""

    namespaces: tuple[str, ...] | None
    workloads: tuple[tuple[str, str, str], ...] | None
    attachments: tuple[str, ...]
    """Namespaces of the site's networks, where the networks of its pods are."""
    pods_per_pass: int

    def text(self) -> str:
        """JSON for multus_site/repair/scope.py."""
        settings = {
            "namespaces": self.namespaces,
            "workloads": self.workloads,
            "attachments": self.attachments,
            "podsPerPass": self.pods_per_pass,
            "system": NAMESPACE,
            "record": RECORD,
        }
        return json.dumps(settings, sort_keys=True)


def scope(site: Site) -> Scope:
    """The scope that a site asks for. Raises ValueError if it asks for none."""
    asked = site.interface_repair
    if asked is None:
        msg = "the site has no interfaceRepair"
        raise ValueError(msg)
    attachments = tuple(sorted({network.namespace for network in site.networks.values()}))
    if asked.namespaces == "all":
        return Scope(None, None, attachments, asked.pods_per_pass)
    if asked.namespaces:
        return Scope(tuple(sorted(set(asked.namespaces))), None, attachments, asked.pods_per_pass)
    own = []
    for name, workload in site.workloads.items():
        if workload.networks:
            names = [replica_name(name, i) for i in range(workload.replicas)] if workload.sticky else [name]
            own += [(workload.namespace, workload.kind, n) for n in names]
    return Scope(tuple(sorted({namespace for namespace, _, _ in own})), tuple(own), attachments, asked.pods_per_pass)


def rules_everywhere() -> list[Object]:
    """The rules of a cluster role, for a scope without limits."""
    return [*_on_pods(), _read_attachments()]


def roles(scope: Scope) -> dict[str, Object]:
    """Namespace → the role in it: pods of the scope, attachments that they may ask for, and in kube-system daemons and record."""
    rules: dict[str, list[Object]] = {}
    for namespace in scope.namespaces or ():
        rules.setdefault(namespace, []).extend([*_on_pods(), _read_attachments()])
    for namespace in () if scope.namespaces is None else scope.attachments:
        if namespace not in rules:
            rules[namespace] = [_read_attachments()]
    record = {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": [RECORD], "verbs": ["get", "update"]}
    daemons = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}
    system = rules.setdefault(NAMESPACE, [])
    system += [record] if scope.namespaces is None or _on_pods()[0] in system else [record, daemons]
    return {
        namespace: {"metadata": {"name": NAME, "namespace": namespace}, "rules": its}
        for namespace, its in rules.items()
    }


def role_binding(namespace: str) -> Object:
    """Gives the role in a namespace to the account."""
    _, _, binding = rights(NAME, [])
    role = {**binding["role_ref"], "kind": "Role"}
    return {"metadata": {"name": NAME, "namespace": namespace}, "role_ref": role, "subjects": binding["subjects"]}


def _on_pods() -> list[Object]:
    return [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
        {"apiGroups": [""], "resources": ["pods/eviction"], "verbs": ["create"]},
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]},
    ]


def _read_attachments() -> Object:
    return {"apiGroups": ["k8s.cni.cncf.io"], "resources": ["network-attachment-definitions"], "verbs": ["list"]}


def config_map() -> Object:
    """The program, a key for each module. Its name has a hash: a pass runs the program that its Job names, or another one, never a part of each."""
    texts = _texts()
    name = f"{NAME}-{hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest()[:10]}"
    return {"metadata": {"name": name, "namespace": NAMESPACE}, "data": texts}


def record() -> Object:
    """What passes write: their memory, and metrics. It has no contents of ours."""
    return {"metadata": {"name": RECORD, "namespace": NAMESPACE}}


def _texts() -> dict[str, str]:
    return {
        f"{module}.py": (_FOLDER / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
        for module in repair.MODULES
    }


def cron_job(image: str, scope: Scope, tolerated: Iterable[Taint] = ()) -> Object:
    """The CronJob: every two minutes on a control plane node, in any rack."""
    container = {
        "name": NAME,
        "image": image,
        "command": ["python3", "-B", "-s", "-m", "multus_site.repair.main"],
        "workingDir": "/program",
        "env": [{"name": "SETTINGS", "value": scope.text()}],
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "runAsUser": 65534,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [{"name": "program", "mountPath": "/program", "readOnly": True}],
    }
    files = [{"key": f"{m}.py", "path": f"{m.replace('.', '/')}.py"} for m in repair.MODULES]
    pod = {
        "serviceAccountName": NAME,
        "restartPolicy": "Never",
        # Its token can evict pods: not on nodes with pods of other people.
        "nodeSelector": {"node-role.kubernetes.io/control-plane": ""},
        "tolerations": [
            {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"},
            *topology.tolerations(tolerated),
        ],
        "containers": [container],
        "volumes": [{"name": "program", "configMap": {"name": config_map()["metadata"]["name"], "items": files}}],
    }
    template = {"metadata": {"labels": {"app": NAME}}, "spec": pod}
    return {
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {
            "schedule": "*/2 * * * *",
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 60,
            "successfulJobsHistoryLimit": 1,
            "failedJobsHistoryLimit": 1,
            "jobTemplate": {"spec": {"backoffLimit": 0, "activeDeadlineSeconds": 100, "template": template}},
        },
    }
