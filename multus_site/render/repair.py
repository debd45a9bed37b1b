"""The CronJob that deletes pods that lack interfaces which they request: objects as dictionaries.

Its script is multus_site/scripts/repair-interfaces.sh; its kubectl is the one that Kubespray installs on control planes.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

from multus_site import scripts
from multus_site.model.racks import Taint
from multus_site.render import topology
from multus_site.render.daemon import NAMESPACE

NAME = "mend-interfaces"
SCRIPT = scripts.FOLDER / "repair-interfaces.sh"


def service_account() -> dict[str, Any]:
    """The service account of the CronJob."""
    return {"metadata": {"name": NAME, "namespace": NAMESPACE}}


def cluster_role() -> dict[str, Any]:
    """The rights to read and delete pods."""
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "delete"]}
    return {"metadata": {"name": NAME}, "rules": [rule]}


def cluster_role_binding() -> dict[str, Any]:
    """Gives the role to the account."""
    return {
        "metadata": {"name": NAME},
        "role_ref": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NAME},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
    }


def config_map() -> dict[str, Any]:
    """The script."""
    return {"metadata": {"name": NAME, "namespace": NAMESPACE}, "data": {"mend.sh": SCRIPT.read_text(encoding="utf-8")}}


def cron_job(image: str, programs: str, tolerated: Iterable[Taint] = ()) -> dict[str, Any]:
    """The CronJob: every two minutes on a control plane node, in any rack. `image` needs a shell; `programs` is the node's folder with kubectl."""
    container = {
        "name": NAME,
        "image": image,
        "command": ["sh", "/script/mend.sh"],
        "env": [{"name": "PATH", "value": "/bin:/usr/bin:/programs"}],
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "runAsUser": 65534,
            "capabilities": {"drop": ["ALL"]},
        },
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": "script", "mountPath": "/script", "readOnly": True},
            {"name": "kubectl", "mountPath": "/programs/kubectl", "readOnly": True},
        ],
    }
    pod = {
        "serviceAccountName": NAME,
        "restartPolicy": "Never",
        "nodeSelector": {"node-role.kubernetes.io/control-plane": ""},
        "tolerations": [
            {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"},
            *topology.tolerations(tolerated),
        ],
        "containers": [container],
        "volumes": [
            {"name": "script", "configMap": {"name": NAME}},
            {"name": "kubectl", "hostPath": {"path": f"{programs}/kubectl", "type": "File"}},
        ],
    }
    written = hashlib.sha256(SCRIPT.read_bytes()).hexdigest()[:16]
    template = {"metadata": {"labels": {"app": NAME}, "annotations": {"multus-site/script": written}}, "spec": pod}
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
