"""The repair of interfaces against a real API server: its objects applied, its program run as its pod runs it, pods as kubelet and Multus leave them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

from multus_site.cni.network_status import NETWORK_STATUS
from multus_site.cni.selections import ANNOTATION
from multus_site.render import multus, repair
from multus_site.render.daemon import rights

RBAC = "/apis/rbac.authorization.k8s.io/v1"
NADS = "/apis/k8s.cni.cncf.io/v1"
SYSTEM = "/api/v1/namespaces/kube-system"
ADDRESS = "10.233.65.5"
ETH0 = {"name": "cbr0", "interface": "eth0", "ips": [ADDRESS], "default": True}
WITHOUT = json.dumps([ETH0])


def entry(network, interface="net1", **more):
    return {"name": network, "interface": interface, "ips": ["10.1.10.5"], **more}


class Repairing:
    """The objects of a scope, and passes with their rights."""

    def __init__(self, cluster, folder: Path, prefix: str) -> None:
        self.cluster, self.folder, self.prefix = cluster, folder, prefix
        self._paths: list[str] = []
        self.namespaces: list[str] = []

    def create(self, path: str, version: str, kind: str, body: dict) -> dict:
        """An object that goes when the test ends."""
        made = self.cluster.post(path, {"apiVersion": version, "kind": kind, **body})
        self._paths.append(f"{path}/{made['metadata']['name']}")
        return made

    def namespace(self) -> str:
        name = f"{self.prefix}-{uuid.uuid4().hex[:6]}"
        self.create("/api/v1/namespaces", "v1", "Namespace", {"metadata": {"name": name}})
        self.namespaces.append(name)
        return name

    def network(self, namespace: str, name: str) -> None:
        path = f"{NADS}/namespaces/{namespace}/{multus.PLURAL}"
        self.create(path, "k8s.cni.cncf.io/v1", "NetworkAttachmentDefinition", {"metadata": {"name": name}, "spec": {"config": "{}"}})  # fmt: skip

    def install(self, scope: repair.Scope) -> None:
        """As components/repair.py does it."""
        self.scope = scope
        account, role, everywhere = rights(repair.NAME, repair.rules_everywhere())
        self.create(f"{SYSTEM}/serviceaccounts", "v1", "ServiceAccount", account)
        self.create(f"{SYSTEM}/configmaps", "v1", "ConfigMap", repair.config_map())
        self.create(f"{SYSTEM}/configmaps", "v1", "ConfigMap", repair.record())
        group = "rbac.authorization.k8s.io/v1"
        if scope.namespaces is None:
            self.create(f"{RBAC}/clusterroles", group, "ClusterRole", role)
            self.create(f"{RBAC}/clusterrolebindings", group, "ClusterRoleBinding", bound(everywhere))  # fmt: skip
        for namespace, body in repair.roles(scope).items():
            self.create(f"{RBAC}/namespaces/{namespace}/roles", group, "Role", body)
            binding = bound(repair.role_binding(namespace))
            self.create(f"{RBAC}/namespaces/{namespace}/rolebindings", group, "RoleBinding", binding)
        tokens = f"{SYSTEM}/serviceaccounts/{repair.NAME}/token"
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
        self.token = self.cluster.post(tokens, body)["status"]["token"]
        (self.folder / "token").write_text(self.token)
        (self.folder / "ca.crt").write_text(self.cluster.authority)
        job = repair.cron_job("image:1", scope)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        self.container = job["containers"][0]
        data = repair.config_map()["data"]
        for item in job["volumes"][0]["configMap"]["items"]:
            target = self.folder / "program" / item["path"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(data[item["key"]])

    def run(self, **more: str) -> subprocess.CompletedProcess[str]:
        """One pass, as the pod's container: nothing of this environment, and no package but what the ConfigMap holds."""
        host, _, port = self.cluster.server.removeprefix("https://").partition(":")
        environment = {e["name"]: e["value"] for e in self.container["env"]}
        environment |= {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port, "ACCOUNT": str(self.folder)}
        command = [os.path.realpath(sys.executable), *self.container["command"][1:]]
        return subprocess.run(
            command, cwd=self.folder / "program", env={**environment, **more}, capture_output=True, text=True, check=False, timeout=120
        )  # fmt: skip

    def ran(self) -> list[str]:
        """The lines of a pass that did all of its work, but its last."""
        done = self.run()
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout.splitlines()[:-1]

    def daemon(self, node: str, *, ready: bool = True, name: str = "") -> None:
        """The pod of a node's Multus daemon."""
        self.pod("kube-system", name or f"multus-{node}", node=node, labels=multus.LABELS, ready=ready)

    def pod(
        self, namespace, name, *, networks=None, status=None, owner=("ReplicaSet", "web-1"), node="node1", ready=True,
        labels=None, address=ADDRESS, annotations=None, phase="Running", version=None, controller=True, **spec,
    ) -> dict:  # fmt: skip
        """A pod as it runs: `owner` is kind and name of its controller."""
        notes = {ANNOTATION: networks, NETWORK_STATUS: status, **(annotations or {})}
        metadata = {
            "name": name,
            "labels": labels or {"app": "web"},
            "annotations": {k: v for k, v in notes.items() if v is not None},
        }
        if owner:
            api = version or {"Job": "batch/v1", "Node": "v1", "ReplicationController": "v1"}.get(owner[0], "apps/v1")
            metadata["ownerReferences"] = [
                {"apiVersion": api, "kind": owner[0], "name": owner[1], "uid": "u-1", "controller": controller}
            ]
        container = {"name": "c", "image": "i:1", "env": [{"name": "PASSWORD", "value": "hunter2"}]}
        body = {"metadata": metadata, "spec": {"nodeName": node, "containers": [container], **spec}}
        path = f"/api/v1/namespaces/{namespace}/pods"
        self.create(path, "v1", "Pod", body)
        state = {"phase": phase, "podIPs": [{"ip": address}], "podIP": address}
        state["conditions"] = [{"type": "Ready", "status": str(ready)}]
        return self.cluster.patch(f"{path}/{name}/status", {"status": state})

    def going(self, namespace: str) -> set[str]:
        """Names of the pods that are being deleted: no kubelet here ends them."""
        pods = self.cluster.get(f"/api/v1/namespaces/{namespace}/pods")["items"]
        return {p["metadata"]["name"] for p in pods if "deletionTimestamp" in p["metadata"]}

    def gone(self, namespace: str, name: str) -> None:
        """What the kubelet does at the end of a pod."""
        self.cluster.delete(f"/api/v1/namespaces/{namespace}/pods/{name}?gracePeriodSeconds=0")

    def events(self, namespace: str) -> list[dict]:
        return self.cluster.get(f"/api/v1/namespaces/{namespace}/events")["items"]

    @property
    def data(self) -> dict:
        return self.cluster.get(f"{SYSTEM}/configmaps/{repair.RECORD}").get("data") or {}

    def remember(self, **changes) -> None:
        """Change the record: `groups={...}`."""
        record = {**json.loads(self.data.get("record") or '{"groups":{},"evictions":{},"refusals":{}}'), **changes}
        self.cluster.patch(f"{SYSTEM}/configmaps/{repair.RECORD}", {"data": {"record": json.dumps(record)}})

    def end(self) -> None:
        for path in reversed(self._paths):
            self.cluster.delete(f"{path}?gracePeriodSeconds=0")


def bound(binding: dict) -> dict:
    body = {**binding, "roleRef": binding["role_ref"]}
    del body["role_ref"]
    return body
