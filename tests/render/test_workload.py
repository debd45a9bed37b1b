"""Deployments: the annotation that Multus reads, the hash that restarts pods, and only those."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multus_site.model.workloads import Workload
from multus_site.render.workload import ATTACHMENT_HASH, NETWORKS, Surroundings, networks_annotation, objects

IMAGE = "docker.io/library/busybox:1.36"


def workload(**more):
    return Workload.model_validate({"image": IMAGE, "networks": ["macvlan-internal", "macvlan-external"], **more})


def template(contents, w=None, nodes=()):
    return made(w or workload(), contents, nodes=list(nodes))[-1].body["spec"]["template"]


def made(w, contents=None, **around):
    contents = CONTENTS if contents is None else contents
    return objects("samplepod", w, Surroundings(IMAGE, contents=contents, **around))


CONTENTS = {"macvlan-internal": "{1}", "macvlan-external": "{2}", "unused": "{3}"}


def test_the_annotation_is_the_short_form():
    assert networks_annotation(workload()) == "macvlan-internal,macvlan-external"
    named = workload(networks=[{"name": "a", "interface": "uplink0"}, "b"])
    assert networks_annotation(named) == "a@uplink0,b"


@given(st.sampled_from(sorted(CONTENTS)), st.text(min_size=1, max_size=5))
def test_pods_restart_when_a_network_of_theirs_changes_and_only_then(network, text):
    changed = {**CONTENTS, network: CONTENTS[network] + text}
    same = (
        template(CONTENTS)["metadata"]["annotations"][ATTACHMENT_HASH]
        == template(changed)["metadata"]["annotations"][ATTACHMENT_HASH]
    )
    assert same == (network == "unused")


def test_a_workload_without_networks_has_no_annotation():
    assert "annotations" not in template({}, workload(networks=[]))["metadata"]


def test_nodes_restrict_the_pods():
    terms = template(CONTENTS, nodes=["node2"])["spec"]["affinity"]["nodeAffinity"]
    rule = terms["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"][0]["matchExpressions"][0]
    assert rule["values"] == ["node2"]
    assert "affinity" not in template(CONTENTS)["spec"]


def test_the_selector_is_the_pods_label():
    (only,) = made(workload())
    whole = only.body
    assert whole["spec"]["selector"]["matchLabels"].items() <= whole["spec"]["template"]["metadata"]["labels"].items()
    assert whole["spec"]["template"]["metadata"]["annotations"][NETWORKS] == "macvlan-internal,macvlan-external"


def sticky(**more):
    return workload(
        kind="StatefulSet",
        replicas=2,
        networks=[
            {"name": "macvlan-internal", "ipsByReplica": ["10.1.10.11/24", ["10.1.10.12/24", "fd00::12/64"]], **more}
        ],
    )


def test_an_attachment_that_asks_for_more_than_a_name_makes_it_the_json_form():
    w = workload(
        networks=[
            {
                "name": "a",
                "interface": "bgp0",
                "ips": ["10.1.10.5/24"],
                "mac": "02:00:00:00:00:05",
                "defaultRoute": ["10.1.10.1"],
                "portMappings": [{"hostPort": 8080, "containerPort": 80}],
            },
            "b",
        ]
    )
    assert json.loads(networks_annotation(w)) == [
        {
            "name": "a",
            "interface": "bgp0",
            "ips": ["10.1.10.5/24"],
            "mac": "02:00:00:00:00:05",
            "default-route": ["10.1.10.1"],
            "portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}],
        },
        {"name": "b"},
    ]


@pytest.mark.parametrize(
    ("kind", "kinds"),
    [("Deployment", ["Deployment"]), ("DaemonSet", ["DaemonSet"]), ("StatefulSet", ["Service", "StatefulSet"])],
)
def test_each_kind(kind, kinds):
    w = workload(kind=kind)
    found = made(w)
    assert [m.kind for m in found] == kinds
    spec = found[-1].body["spec"]
    assert spec.get("replicas") == (None if kind == "DaemonSet" else 1)
    assert ("strategy" in spec) == (kind == "Deployment")
    assert spec.get("serviceName") == ("samplepod" if kind == "StatefulSet" else None)


def test_replicas_with_addresses_of_their_own_keep_them_by_ordinal():
    service, first, second = made(sticky())
    assert (service.kind, service.name, service.body["spec"]["clusterIP"]) == ("Service", "samplepod", "None")
    for made_, name, ips in (
        (first, "samplepod-0", ["10.1.10.11/24"]),
        (second, "samplepod-1", ["10.1.10.12/24", "fd00::12/64"]),
    ):
        spec = made_.body["spec"]
        template = spec["template"]["metadata"]
        assert (made_.kind, made_.name, spec["replicas"], spec["serviceName"]) == ("StatefulSet", name, 1, "samplepod")
        assert json.loads(template["annotations"][NETWORKS])[0]["ips"] == ips
        assert spec["selector"]["matchLabels"].items() <= template["labels"].items()
        assert service.body["spec"]["selector"].items() <= template["labels"].items()
    assert first.body["spec"]["selector"] != second.body["spec"]["selector"]


def test_scaling_leaves_the_addresses_of_the_others():
    fewer = sticky().model_copy(update={"replicas": 1})
    assert made(fewer)[1] == made(sticky())[1]


def test_a_default_route_brings_routes_to_the_cluster():
    w = workload(networks=[{"name": "macvlan-internal", "defaultRoute": ["10.1.10.1"]}])
    spec = made(w, shell_image="busybox", cluster_networks=["10.233.64.0/18", "10.233.0.0/18"])[0].body["spec"]
    (init,) = spec["template"]["spec"]["initContainers"]
    assert init["env"] == [
        {"name": "NETWORKS", "value": "10.233.64.0/18 10.233.0.0/18"},
        {"name": "DEFAULT", "value": "net1=10.1.10.1"},
    ]
    assert init["securityContext"]["capabilities"] == {"add": ["NET_ADMIN"]}
    assert "initContainers" not in template(CONTENTS)["spec"]


def test_devices_stand_in_requests_and_limits():
    w = workload(resources={"requests": {"cpu": "100m"}, "limits": {"memory": "64Mi"}})
    container = made(w, devices={"intel.com/vf": 2})[0].body["spec"]["template"]["spec"]["containers"][0]
    assert container["resources"] == {
        "requests": {"cpu": "100m", "intel.com/vf": "2"},
        "limits": {"memory": "64Mi", "intel.com/vf": "2"},
    }


@pytest.mark.parametrize(
    ("probe", "rendered"),
    [
        ({"exec": ["true"]}, {"exec": {"command": ["true"]}}),
        ({"httpGet": ":8080/healthz"}, {"httpGet": {"port": 8080, "path": "/healthz"}}),
        ({"tcpSocket": 179}, {"tcpSocket": {"port": 179}}),
    ],
)
def test_probes(probe, rendered):
    container = made(workload(readinessProbe=probe))[0].body["spec"]["template"]["spec"]["containers"][0]
    assert rendered.items() <= container["readinessProbe"].items()
    assert container["readinessProbe"]["periodSeconds"] == 10
    assert "livenessProbe" not in container
