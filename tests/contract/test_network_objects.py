"""The objects that networks need besides attachments, taken by a real API server, unknown fields refused."""

import pytest

from multus_site.render import dhcp, repair, sriov, whereabouts
from multus_site.render.daemon import rights
from multus_site.render.workload import Surroundings, objects
from tests.render.test_by_node import BUSYBOX, site
from tests.render.test_sriov import made as sriov_site

RBAC = "/apis/rbac.authorization.k8s.io/v1"


def workload(kind, networks, **more):
    w = {"kind": kind, "image": BUSYBOX, "networks": networks, **more}
    return site({"a": {"type": "macvlan", "master": "ens6", "ipam": {"type": "static"}}}, workloads={"w": w}).workloads[
        "w"
    ]


def manifests():
    """(path, kind, object) of each."""
    setup = sriov_site().sriov
    core, apps = "/api/v1/namespaces/kube-system", "/apis/apps/v1/namespaces/kube-system"
    for plural in whereabouts.PLURALS:
        crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        yield crds, "apiextensions.k8s.io/v1", "CustomResourceDefinition", whereabouts.crd(plural)
    for account, role, binding in (
        rights(whereabouts.NAME, whereabouts.RULES),
        rights(repair.NAME, repair.rules_everywhere()),
    ):
        yield f"{core}/serviceaccounts", "v1", "ServiceAccount", account
        yield f"{RBAC}/clusterroles", "rbac.authorization.k8s.io/v1", "ClusterRole", role
        body = {**binding, "roleRef": binding["role_ref"]}
        del body["role_ref"]
        yield f"{RBAC}/clusterrolebindings", "rbac.authorization.k8s.io/v1", "ClusterRoleBinding", body
    yield f"{core}/configmaps", "v1", "ConfigMap", whereabouts.config_map("*/15 * * * *")
    yield f"{core}/configmaps", "v1", "ConfigMap", repair.config_map()
    yield f"{core}/configmaps", "v1", "ConfigMap", repair.record()
    scope = repair.Scope(("default",), None, ("default",), 5)
    for namespace, role in repair.roles(scope).items():
        yield f"{RBAC}/namespaces/{namespace}/roles", "rbac.authorization.k8s.io/v1", "Role", role
        bound = repair.role_binding(namespace)
        body = {"metadata": bound["metadata"], "roleRef": bound["role_ref"], "subjects": bound["subjects"]}
        yield f"{RBAC}/namespaces/{namespace}/rolebindings", "rbac.authorization.k8s.io/v1", "RoleBinding", body
    yield f"{core}/configmaps", "v1", "ConfigMap", sriov.config_map(setup)
    yield f"{apps}/daemonsets", "apps/v1", "DaemonSet", whereabouts.daemon("image:1", "256Mi", "*/15 * * * *")
    yield f"{apps}/daemonsets", "apps/v1", "DaemonSet", dhcp.daemon("image:1", "1.9.1")
    yield f"{apps}/daemonsets", "apps/v1", "DaemonSet", sriov.daemon("image:1", setup, ["node1"])
    job = repair.cron_job("image:1", scope)
    yield "/apis/batch/v1/namespaces/kube-system/cronjobs", "batch/v1", "CronJob", job
    around = Surroundings("image:1", ["node1"], {"a": "{}"}, {"intel.com/vf": 1}, "shell:1", ["10.233.0.0/18"])
    full = {
        "resources": {"requests": {"cpu": "100m"}, "limits": {"memory": "64Mi"}},
        "readinessProbe": {"exec": ["true"]},
        "livenessProbe": {"httpGet": ":8080/healthz"},
    }
    for kind, networks in (
        ("Deployment", [{"name": "a", "ips": ["10.1.10.5/24"], "defaultRoute": ["10.1.10.1"]}]),
        ("DaemonSet", ["a"]),
        ("StatefulSet", [{"name": "a", "ipsByReplica": ["10.1.10.5/24"]}]),
    ):
        for one in objects("w", workload(kind, networks, **full), around):
            group, version = ("/api/v1", "v1") if one.kind == "Service" else ("/apis/apps/v1", "apps/v1")
            yield f"{group}/namespaces/default/{one.kind.lower()}s", version, one.kind, one.body


@pytest.mark.parametrize(
    ("path", "version", "kind", "body"),
    list(manifests()),
    ids=lambda value: value["metadata"]["name"] if isinstance(value, dict) else None,
)
def test_the_api_server_takes_it(cluster, path, version, kind, body):
    made = cluster.post(f"{path}?dryRun=All&fieldValidation=Strict", {"apiVersion": version, "kind": kind, **body})
    assert made["metadata"]["name"] == body["metadata"]["name"]
