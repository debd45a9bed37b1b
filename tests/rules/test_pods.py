"""Pods and workloads: the annotation in both forms, effective interface names, what networks and facts say to it."""

import json

import pytest

E, W = "error", "warning"


def pod(value, *, kind="Pod", namespace=None, replicas=1, resources=None, name="p", key="k8s.v1.cni.cncf.io/networks"):
    value = value if isinstance(value, str) else json.dumps(value)
    container = {
        "name": "c",
        "image": "docker.io/library/busybox:1.36",
        **({"resources": {"requests": resources}} if resources else {}),
    }
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    template = {"metadata": {"annotations": {key: value}}, "spec": {"containers": [container]}}
    if kind == "Pod":
        return {"apiVersion": "v1", "kind": "Pod", **template, "metadata": {**metadata, **template["metadata"]}}
    if kind == "CronJob":
        return {
            "apiVersion": "batch/v1",
            "kind": kind,
            "metadata": metadata,
            "spec": {"jobTemplate": {"spec": {"template": template}}},
        }
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": metadata,
        "spec": {"replicas": replicas, "template": template},
    }


def nad(name="a", ipam=None, namespace="default", annotations=None, **config):
    made = {"cniVersion": "1.0.0", "name": name, "type": "macvlan", "master": "eth1", "ipam": ipam or {}, **config}
    metadata = {"name": name, "namespace": namespace, "annotations": annotations or {}}
    return {
        "apiVersion": "k8s.cni.cncf.io/v1",
        "kind": "NetworkAttachmentDefinition",
        "metadata": metadata,
        "spec": {"config": json.dumps(made)},
    }


def several(*objects):
    return {"apiVersion": "v1", "kind": "List", "items": list(objects)}


ANNOTATIONS = [
    ("a", {}),
    ("a,b", {}),
    (" a , ns/b@eth7 ", {}),
    ("", {}),
    ("a,", {"ANNOTATION_EMPTY_ITEM": E}),
    ("a,,b", {"ANNOTATION_EMPTY_ITEM": E}),
    (",", {"ANNOTATION_EMPTY_ITEM": E}),
    ("@net1", {"ANNOTATION_EMPTY_ITEM": E}),
    ("a.b", {"ANNOTATION_NAME": E}),
    ("A", {"ANNOTATION_NAME": E}),
    ("x/y/z", {"ANNOTATION_NAME": E}),
    ("a@b@c", {"ANNOTATION_NAME": E}),
    ("a-", {"ANNOTATION_NAME": E}),
    ("a@" + "i" * 15, {}),
    ("a@" + "i" * 16, {"IFNAME_TOO_LONG": E}),
    ("a@eth0", {"IFNAME_INVALID": E}),
    ("a@lo", {"IFNAME_INVALID": E}),
    ("a@..", {"IFNAME_INVALID": E}),
    ("a@x:y", {"IFNAME_INVALID": E}),
    ("a@net2,b", {"IFNAME_DUPLICATE": E}),
    ("a@net1,b", {}),
    ("a@net3,b", {}),
    ("a,b,c@net1", {"IFNAME_DUPLICATE": E}),
    ("a@x,b@x", {"IFNAME_DUPLICATE": E}),
    ("a,a", {}),
    ([{"name": "a"}], {}),
    ([{"name": "a", "interface": "net2"}, {"name": "b"}], {"IFNAME_DUPLICATE": E}),
    ([{"name": "a", "interface": "i" * 16}], {"IFNAME_TOO_LONG": E}),
    ([{}], {"ANNOTATION_EMPTY_ITEM": E}),
    ([{"name": ""}], {"ANNOTATION_EMPTY_ITEM": E}),
    ([None], {"ANNOTATION_EMPTY_ITEM": E}),
    ({"name": "a"}, {"ANNOTATION_JSON": E}),
    ('[{"name": "a",}]', {"ANNOTATION_JSON": E}),
    ('[{"name": "a"}', {"ANNOTATION_JSON": E}),
    ('"a"', {"ANNOTATION_JSON": E}),
    ([{"name": "a", "ips": "10.1.10.5/24"}], {"ANNOTATION_JSON": E}),
    ([{"name": "a", "ips": ["10.1.10.5/33"]}], {"ANNOTATION_JSON": E}),
    ([{"name": "a", "ips": ["10.1.10.5/24", "fd00::5"]}], {}),
    ([{"name": "a", "mac": 5}], {"ANNOTATION_JSON": E}),
    ([{"name": "a", "default-route": ["gateway"]}], {"ANNOTATION_JSON": E}),
    ([{"name": "ns/a"}], {"ANNOTATION_NS_IN_NAME": E}),
    ([{"name": "a", "namespace": "ns"}], {}),
    ([{"name": "a", "ip": "10.1.10.5"}], {"ANNOTATION_UNKNOWN_KEY": W}),
    ([{"NAME": "a"}], {}),  # Go reads keys in any case
    ([{"name": "a", "mac": "02:00:0a:01:0a:05"}], {}),
    ([{"name": "a", "mac": "01:00:0a:01:0a:05"}], {"MAC_MULTICAST": E}),
    ([{"name": "a", "mac": "02:00:0a:01:0a"}], {"MAC_INVALID": E}),
    (
        [{"name": "a", "default-route": ["10.1.10.1"]}, {"name": "b", "default-route": ["10.1.20.1"]}],
        {"DEFAULT_ROUTE_TWICE": E},
    ),
    ([{"name": "a", "default-route": ["10.1.10.1", "10.1.10.2"]}], {"DEFAULT_ROUTE_TWICE": E}),
    ([{"name": "a", "default-route": ["10.1.10.1", "fd00::1"]}], {}),
]


@pytest.mark.parametrize(
    ("value", "expected"), ANNOTATIONS, ids=[f"{i}-{'+'.join(e) or 'clean'}" for i, (_, e) in enumerate(ANNOTATIONS)]
)
@pytest.mark.parametrize("kind", ["Pod", "Deployment", "CronJob"])
def test_annotation(value, expected, kind, found):
    assert found(pod(value, kind=kind)) == expected


def test_annotation_must_be_text(found):
    wrong = pod("a")
    wrong["metadata"]["annotations"]["k8s.v1.cni.cncf.io/networks"] = ["a"]
    assert found(wrong) == {"ANNOTATION_JSON": E}


def test_misspelt_annotation(found):
    assert found(pod("a", key="k8s.v1.cni.cncf.io/network")) == {"ANNOTATION_UNKNOWN_KEY": W}
    assert found(pod("a", key="k8s.v1.cni.cncf.io/podcidr")) == {}


def test_annotation_on_the_workload(found):
    deployment = pod("a", kind="StatefulSet")
    deployment["metadata"]["annotations"] = deployment["spec"]["template"]["metadata"].pop("annotations")
    assert found(deployment) == {"ANNOTATION_MISPLACED": W}


def test_fixed_address_for_replicas(found):
    fixed = [{"name": "a", "ips": ["10.1.10.5/24"]}]
    assert found(pod(fixed, kind="Deployment", replicas=2)) == {"IPS_WITH_REPLICAS": E}
    assert found(pod(fixed, kind="Deployment", replicas=1)) == {}


@pytest.mark.parametrize(
    ("value", "nads", "expected"),
    [
        ("a", ["default/a"], {}),
        ("a", ["other/a"], {"NAD_NOT_FOUND": E}),
        ("other/a", ["other/a"], {}),
        ("a", [], {"NAD_NOT_FOUND": E}),
        ("a", None, {}),
        ("a,b", ["default/a"], {"NAD_NOT_FOUND": E}),
    ],
)
def test_known_networks(value, nads, expected, found):
    assert found(pod(value), {"nads": nads} if nads is not None else None) == expected


def test_networks_of_the_same_files(found):
    assert found(several(nad("a"), pod("a")), {"nads": []}) == {}
    assert found(several(nad("bond-net1"), pod("bond-net"))) == {"NAD_NOT_FOUND": W}
    assert found(several(nad("one"), pod("quite-another"))) == {}


@pytest.mark.parametrize(
    ("network", "namespace", "isolated", "expected"),
    [
        ("ns/a", "default", True, {"NAMESPACE_ISOLATION": E}),
        ("ns/a", "ns", True, {}),
        ("default/a", "ns", True, {}),
        ("ns/a", "default", False, {}),
        ("ns/a", "default", None, {}),
    ],
)
def test_namespace_isolation(network, namespace, isolated, expected, found):
    facts = {"namespaceIsolation": isolated} if isolated is not None else None
    assert found(pod(network, namespace=namespace), facts) == expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [(None, {"VF_REQUEST_LT_NETWORKS": E}), ("1", {"VF_REQUEST_LT_NETWORKS": E}), ("2", {}), (2, {}), ("3", {})],
)
def test_devices(asked, expected, found):
    resources = {"intel.com/sriov": asked} if asked else None
    assert found(pod("a,a", resources=resources), {"nadResource": {"default/a": "intel.com/sriov"}}) == expected
    network = nad("a", annotations={"k8s.v1.cni.cncf.io/resourceName": "intel.com/sriov"}, type="sriov")
    network["spec"]["config"] = json.dumps({"cniVersion": "1.0.0", "name": "a", "type": "sriov"})
    assert found(several(network, pod("a,a", resources=resources))) == expected


def test_capabilities(found):
    wants = pod([{"name": "a", "mac": "02:00:0a:01:0a:05"}])
    assert found(several(nad("a"), wants)) == {"CAPABILITY_MISSING": W}
    assert found(several(nad("a", capabilities={"mac": True}), wants)) == {}
    assert found(several(nad("a", capabilities={"mac": False}), wants)) == {"CAPABILITY_MISSING": W}


@pytest.mark.parametrize(
    ("ip", "ipam", "expected"),
    [
        ("10.1.10.5/24", {"type": "static"}, {}),
        ("10.1.10.5", {"type": "static"}, {"IPS_WRONG": E}),
        ("10.1.10.5", {"type": "host-local", "subnet": "10.1.10.0/24"}, {}),
        ("10.1.11.5", {"type": "host-local", "subnet": "10.1.10.0/24"}, {"IPS_WRONG": E}),
    ],
)
def test_requested_address(ip, ipam, expected, found):
    assert found(several(nad("a", ipam, capabilities={"ips": True}), pod([{"name": "a", "ips": [ip]}]))) == expected


def test_address_asked_for_twice(found):
    wants = [{"name": "a", "ips": ["10.1.10.5/24"]}]
    assert found(several(pod(wants), pod(wants, name="q"))) == {"IPS_TWICE": E}
    assert found(several(pod(wants), pod([{"name": "b", "ips": ["10.1.10.5/24"]}], name="q"))) == {}
