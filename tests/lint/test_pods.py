"""Pods and workloads: the annotation in both forms, effective interface names, and the networks and facts that they meet."""

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
        {"DEFAULT_ROUTE_TWICE": E, "DEFAULT_ROUTE_MOVES": W},
    ),
    (
        [{"name": "a", "default-route": ["10.1.10.1", "10.1.10.2"]}],
        {"DEFAULT_ROUTE_TWICE": E, "DEFAULT_ROUTE_MOVES": W},
    ),
    ([{"name": "a", "default-route": ["10.1.10.1", "fd00::1"]}], {"DEFAULT_ROUTE_MOVES": W}),
    ([{"name": "a", "default-route": []}], {}),
    ([{"name": "core.internal"}], {}),  # the JSON form is not compared with a pattern, and the name may be there
    ([{"name": "Internal"}], {"ANNOTATION_NAME": E}),
    ([{"name": "a", "namespace": "tele.com"}], {"ANNOTATION_NAME": E}),
    ([{"name": "a", "infiniband-guid": "c2:11:22:33:44:55:66:77"}], {}),
    ([{"name": "a", "infiniband-guid": "c2:11:22:33:44:55"}], {"ANNOTATION_VALUE": E}),
    ([{"name": "a", "infiniband-guid": "c2:11-22:33:44:55:66:77"}], {"ANNOTATION_VALUE": E}),
    ([{"name": "a", "ipam-claim-reference": "c"}], {}),
    ([{"name": "a", "ipam-claim-reference": "c", "ips": ["10.1.10.5/24"]}], {"ANNOTATION_VALUE": E}),
    *(
        (
            [{"name": "a", "portMappings": [{"hostPort": p, "containerPort": 80}]}],
            {} if good else {"ANNOTATION_VALUE": E},
        )
        for p, good in ((0, False), (1, True), (65535, True), (65536, False), ("80", False), (True, False))
    ),
    *(
        (
            [{"name": "a", "portMappings": [{"hostPort": 80, "containerPort": 80, "protocol": p}]}],
            {} if good else {"ANNOTATION_VALUE": E},
        )
        for p, good in (("tcp", True), ("UDP", True), ("sctp", True), ("icmp", False))
    ),
    ([{"name": "a", "bandwidth": {"ingressRate": 1, "ingressBurst": 1}}], {}),
    ([{"name": "a", "bandwidth": {"ingressRate": 1}}], {"ANNOTATION_VALUE": E}),
    ([{"name": "a", "bandwidth": {"egressBurst": 1}}], {"ANNOTATION_VALUE": E}),
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


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ("kube-system/calico", True),
        ('[{"name": "calico"}]', True),
        ("", True),
        ("a,b", False),
        ('[{"name": "a"}, {"name": "b"}]', False),
        ("[]", False),
        ('{"name": "a"}', False),
    ],
)
def test_one_network_in_the_place_of_the_clusters(value, right, found):
    assert found(pod(value, key="v1.multus-cni.io/default-network")) == ({} if right else {"DEFAULT_NETWORK": E})


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
    assert found(several(nad("macvlan-internal"), pod("macvlan-external"))) == {}
    assert found(several(nad("macvlan-conf-1"), pod("macvlan-conf-2"))) == {}
    assert found(several(nad("macvlan-conf"), pod("macvlan-config"))) == {"NAD_NOT_FOUND": W}
    assert found(several(nad("macvlan-conf", namespace="x"), pod("macvlan-config"))) == {}


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


@pytest.mark.parametrize(
    ("kind", "key", "count", "nodes", "expected"),
    [
        ("StatefulSet", "replicas", 2, None, True),
        ("ReplicaSet", "replicas", 1, None, False),
        ("Job", "parallelism", 2, None, True),
        ("Job", "parallelism", 1, None, False),
        ("Job", "completions", 5, None, False),
        ("CronJob", "parallelism", 2, None, True),
        ("DaemonSet", "x", 0, 2, True),
        ("DaemonSet", "x", 0, 1, False),
        ("DaemonSet", "x", 0, None, False),
    ],
)
def test_one_address_for_many(kind, key, count, nodes, expected, found):
    made = pod([{"name": "a", "ips": ["10.1.10.5/24"]}], kind=kind)
    spec = made["spec"]["jobTemplate"]["spec"] if kind == "CronJob" else made["spec"]
    spec[key] = count
    assert found(made, {"nodes": nodes} if nodes else None) == ({"IPS_WITH_REPLICAS": E} if expected else {})


POOL = {"type": "host-local", "subnet": "10.1.10.0/24", "rangeStart": "10.1.10.1", "rangeEnd": "10.1.10.99"}
ROUTED = {"type": "static", "addresses": [{"address": "10.1.10.5/24", "gateway": "10.1.10.1"}]}


@pytest.mark.parametrize(
    ("ipam", "ip", "right"),
    [
        *((POOL, f"10.1.10.{n}", 2 <= n <= 99) for n in (0, 1, 2, 99, 100, 255)),
        (POOL, "10.1.11.5", False),
        (POOL, "fd00::5", False),
        ({"type": "host-local", "ranges": [[{"subnet": "10.1.10.0/24"}], [{"subnet": "fd00::/64"}]]}, "fd00::5", True),
        *(({"type": "static"}, f"10.1.10.{n}/24", 1 <= n <= 254) for n in (0, 1, 254, 255)),
        ({"type": "static"}, "10.1.10.0/31", True),
        ({"type": "static"}, "10.1.10.0/32", True),
        ({"type": "static"}, "fd00::/64", True),
        ({"type": "static"}, "10.1.10.5", False),
        (ROUTED, "10.1.10.1/24", False),
        (ROUTED, "10.1.10.6/24", True),
        ({"type": "whereabouts", "range": "10.1.10.0/24"}, "10.1.11.5/24", True),
    ],
)
def test_an_address_that_the_network_gives(ipam, ip, right, found):
    network = nad("a", ipam=ipam, capabilities={"ips": True})
    assert found(several(network, pod([{"name": "a", "ips": [ip]}]))) == ({} if right else {"IPS_WRONG": E})


def test_one_address_or_mac_twice(found):
    network = nad("a", ipam={"type": "static"}, capabilities={"ips": True, "mac": True})
    one, same = [{"name": "a", "ips": ["10.1.10.5/24"]}], [{"name": "a", "ips": ["10.1.10.5/16"]}]
    mac = [{"name": "a", "ips": ["10.1.10.6/24"], "mac": "02:00:0a:01:0a:05"}]
    mac_too = [{"name": "a", "ips": ["10.1.10.7/24"], "mac": "02-00-0A-01-0A-05"}]
    assert found(several(network, pod(one, name="p"), pod(same, name="q"))) == {"IPS_TWICE": E}
    assert found(several(network, pod(mac, name="p"), pod(mac_too, name="q"))) == {"IPS_TWICE": E}
    assert found(several(network, pod([*one, *same]))) == {"IPS_TWICE": E}
    assert found(several(network, pod(one, name="p"), pod(one, name="p"))) == {}  # the same pod in another file
    assert found(several(network, pod(one, name="p"), pod(mac, name="q"))) == {}


def test_fixed_address_of_a_network(found):
    fixed = nad("a", ipam={"type": "static", "addresses": [{"address": "10.1.10.5/24"}]}, capabilities={"ips": True})
    own = [{"name": "a", "ips": ["10.1.10.6/24"]}]
    assert found(several(fixed, pod("a"))) == {}
    assert found(several(fixed, pod("a", name="p"), pod("a", name="q"))) == {"STATIC_SHARED": E}
    assert found(several(fixed, pod("a", kind="Deployment", replicas=2))) == {"STATIC_SHARED": E}
    assert found(several(fixed, pod("a,a"))) == {"STATIC_SHARED": E}
    assert found(several(fixed, pod("a", name="p"), pod(own, name="q"))) == {}
    assert found(several(fixed, pod("a", name="p"), pod("a", name="p"))) == {}


@pytest.mark.parametrize(
    ("gateway", "right"),
    [("10.1.10.1", True), ("10.1.10.254", True), ("10.1.11.1", False), ("fe80::1", True), ("fd00::1", True)],
)
def test_default_gateway_is_on_the_network(gateway, right, found):
    network = nad("a", ipam={"type": "whereabouts", "range": "10.1.10.0/24"})
    expected = {"DEFAULT_ROUTE_MOVES": W, **({} if right else {"DEFAULT_ROUTE_OUTSIDE": E})}
    assert found(several(network, pod([{"name": "a", "default-route": [gateway]}]))) == expected
    assert found(several(nad("a"), pod([{"name": "a", "default-route": [gateway]}]))) == {"DEFAULT_ROUTE_MOVES": W}


def test_items_of_a_list_of_pods(found):
    item = {key: value for key, value in pod("a,").items() if key not in {"apiVersion", "kind"}}
    inner = {"apiVersion": "v1", "kind": "PodList", "items": [item]}
    assert found(inner) == {"ANNOTATION_EMPTY_ITEM": E}
    assert found(several(inner)) == {"ANNOTATION_EMPTY_ITEM": E}


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
