"""The repair of interfaces in the graph: asked for, with rights where its scope is."""

import json

import pytest

from tests.graph.recording import lab_site, record

NAME = "lab-mend-interfaces"
RECORD = f"ConfigMap {NAME}-record"


def ours(**repair):
    """The resources of the repair."""
    return {name: one for name, one in record(lab_site(interfaceRepair=repair)).items() if "mend-interfaces" in name}


def test_a_site_that_does_not_ask_has_none_of_it():
    assert not [name for name in record() if "mend" in name]


def test_it_goes_before_what_pods_need_to_come_back():
    graph = record(lab_site(interfaceRepair={}))
    assert {"DaemonSet lab-multus", "Deployment lab-samplepod", f"ServiceAccount {NAME}", RECORD} <= graph.before(f"CronJob {NAME}")  # fmt: skip


@pytest.mark.parametrize(
    ("repair", "cluster_wide", "namespaces"),
    [
        ({}, False, {"default", "kube-system"}),
        ({"namespaces": ["telecom", "web"]}, False, {"telecom", "web", "default", "kube-system"}),
        ({"namespaces": ["kube-system"]}, False, {"default", "kube-system"}),
        ({"namespaces": "all"}, True, {"kube-system"}),
    ],
)
def test_rights_are_where_its_scope_is(repair, cluster_wide, namespaces):
    made = ours(**repair)
    assert (f"ClusterRole {NAME}" in made) == (f"ClusterRoleBinding {NAME}" in made) == cluster_wide
    assert {n.removeprefix(f"Role {NAME}-") for n in made if n.startswith("Role ")} == namespaces
    assert {n.removeprefix(f"RoleBinding {NAME}-") for n in made if n.startswith("RoleBinding ")} == namespaces


def test_evictions_are_allowed_in_its_namespaces_alone():
    made = ours(namespaces=["telecom"])
    may = {
        one.inputs["metadata"]["namespace"]
        for name, one in made.items()
        if name.startswith("Role ") and any("pods/eviction" in rule["resources"] for rule in one.inputs["rules"])
    }
    assert may == {"telecom"}


def settings(made):
    pod = made[f"CronJob {NAME}"].inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return json.loads(pod["containers"][0]["env"][0]["value"])


def test_its_own_workloads_are_those_with_networks():
    data = lab_site(interfaceRepair={"podsPerPass": 2})
    data["networks"]["bgp"] = {"type": "macvlan", "master": "ens6", "ipam": {"type": "static"}}
    image = "docker.io/library/busybox:1.36"
    data["workloads"] |= {
        "plain": {"image": image},
        "each": {"kind": "DaemonSet", "image": image, "networks": ["macvlan-internal"]},
        "speaker": {
            "kind": "StatefulSet", "replicas": 2, "image": image,
            "networks": [{"name": "bgp", "ipsByReplica": ["10.1.10.11/24", "10.1.10.12/24"]}],
        },
    }  # fmt: skip
    found = settings(record(data))
    assert found["podsPerPass"] == 2
    assert found["namespaces"] == ["default"]
    assert {tuple(w) for w in found["workloads"]} == {
        ("default", "Deployment", "samplepod"),
        ("default", "DaemonSet", "each"),
        ("default", "StatefulSet", "speaker-0"),
        ("default", "StatefulSet", "speaker-1"),
    }


def test_its_pod_has_no_host_path_and_no_privilege():
    made = ours()
    pod = made[f"CronJob {NAME}"].inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert not [v for v in pod["volumes"] if "hostPath" in v]
    (container,) = pod["containers"]
    context = container["securityContext"]
    assert (context["runAsNonRoot"], context["allowPrivilegeEscalation"], context["readOnlyRootFilesystem"]) == (True, False, True)  # fmt: skip
    assert "hostNetwork" not in pod


def test_what_passes_write_is_no_change_of_ours():
    assert ours()[RECORD].options.ignoreChanges == ["data"]
