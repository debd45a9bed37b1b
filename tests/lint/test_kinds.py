"""Objects that define networks or have pods, of every kind: each is read, at any depth, and others are not accused."""

import json

import pytest

from multus_site.lint.facts import Facts

VLAN = (
    '{"cniVersion": "1.0.0", "name": "x", "type": "vlan", "master": "eth1", "vlanId": 4095, "ipam": {"type": "dhcp"}}'
)
COMMA = '{"type": "host-local", "subnet": "10.1.10.0/24",}'
BITS = '{"type": "host-local", "subnet": "10.1.10.5/24"}'
NETWORKS = "k8s.v1.cni.cncf.io/networks"
BAD = {NETWORKS: "a,,b"}
EMPTY = ["ANNOTATION_EMPTY_ITEM"]


def obj(kind, api="v1", **more):
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "x", "namespace": "y"}, **more}


def nad(config=VLAN, **more):
    return obj("NetworkAttachmentDefinition", "k8s.cni.cncf.io/v1", spec={"config": config}, **more)


def template(**spec):
    return {"metadata": {"annotations": BAD}, "spec": {"containers": [{"name": "c"}], **spec}}


def rules(found):
    return [(f.rule, f.path) for f in found]


@pytest.mark.parametrize(
    ("kind", "api"),
    [
        ("SriovNetwork", "sriovnetwork.openshift.io/v1"),
        ("SriovIBNetwork", "sriovnetwork.openshift.io/v1"),
        ("OVSNetwork", "sriovnetwork.openshift.io/v1"),
        ("MacvlanNetwork", "mellanox.com/v1alpha1"),
        ("HostDeviceNetwork", "mellanox.com/v1alpha1"),
        ("IPoIBNetwork", "mellanox.com/v1alpha1"),
    ],
)
def test_kinds_of_which_operators_make_networks(kind, api, findings):
    def found(**spec):
        return rules(findings({"x.json": json.dumps(obj(kind, api, spec={"networkNamespace": "y", **spec}))}))

    assert found(ipam=BITS) == [("HOST_BITS_SET", "spec.ipam.subnet")]
    assert found(ipam=COMMA) == [("JSON_TRAILING_COMMA", "spec.ipam")]
    assert found(ipam="") == []
    assert found(nettworkNamespace="y") == [("UNKNOWN_KEY_FOR_TYPE", "spec.nettworkNamespace")]
    # its network is there for pods
    pod = obj("Pod", metadata={"name": "p", "namespace": "y", "annotations": {NETWORKS: "xx"}})
    network = obj(kind, api, metadata={"name": "xxy"}, spec={"networkNamespace": "y"})
    together = findings({"n.json": json.dumps(network), "p.json": json.dumps(pod)}, Facts(nads=[]))
    assert [(f.rule, "y/xxy" in f.hint) for f in together] == [("NAD_NOT_FOUND", True)]


def test_networks_that_operators_make_are_compared_with_others(findings):
    made = obj("MacvlanNetwork", "mellanox.com/v1alpha1", spec={"master": "eth1", "networkNamespace": "z"})
    own = nad('{"cniVersion": "1.0.0", "name": "x", "type": "ipvlan", "master": "eth1", "ipam": {"type": "static"}}')
    found = findings({"a.json": json.dumps(made), "b.json": json.dumps(own)})
    assert "MACVLAN_IPVLAN_SAME_MASTER" in {f.rule for f in found}


def test_additional_networks_of_openshift(findings):
    raw = {"name": "x", "namespace": "y", "type": "Raw"}
    networks = [{**raw, "rawCNIConfig": VLAN}, {**raw, "rawCNIConfig": "{,}"}, {"type": "SimpleMacvlan"}, None]
    network = obj("Network", "operator.openshift.io/v1", spec={"additionalNetworks": networks})
    assert rules(findings({"x.json": json.dumps(network)})) == [
        ("VLAN_ID", "spec.additionalNetworks[0].rawCNIConfig.vlanId"),
        ("JSON_SYNTAX", "spec.additionalNetworks[1].rawCNIConfig"),
    ]


def test_configurations_in_config_maps(findings):
    def found(**files):
        return rules(findings({"x.json": json.dumps(obj("ConfigMap", data=files))}))

    assert found(**{"cni-conf.json": VLAN}) == [("VLAN_ID", 'data["cni-conf.json"].vlanId')]
    delegates = json.dumps({"cniVersion": "1.0.0", "name": "m", "type": "multus", "delegates": [json.loads(VLAN), 3]})
    assert ("VLAN_ID", 'data["00-multus.conf"].delegates[0].vlanId') in found(**{"00-multus.conf": delegates})
    assert found(**{"10-x.conflist": '{"cniVersion": "1.0.0",}'})[-1][0] == "JSON_TRAILING_COMMA"
    assert found(**{"net-conf.json": '{"Network": "10.244.0.0/16"}', "x.json": "{broken", "y": VLAN}) == []


CARRIERS = {
    "Template": obj("Template", "template.openshift.io/v1", objects=[nad(), obj("Service")]),
    "HelmRelease": obj("HelmRelease", "helm.toolkit.fluxcd.io/v2", spec={"values": {"extra": {"objects": [nad()]}}}),
    "ConfigMap": obj("ConfigMap", data={"nad.yaml": "# first\n" + json.dumps(nad(), indent=1)}),
    "Object": obj("Object", "kubernetes.crossplane.io/v1", spec={"forProvider": {"manifest": nad()}}),
    "Policy": obj("ConfigurationPolicy", "policy.open-cluster-management.io/v1", spec={"object-templates": [{"objectDefinition": nad()}]}),
}  # fmt: skip


@pytest.mark.parametrize("kind", CARRIERS)
def test_objects_inside_objects(kind, findings):
    found = findings({"x.json": json.dumps(CARRIERS[kind])})
    assert [f.rule for f in found] == ["VLAN_ID"]
    assert found[0].path.endswith("spec.config.vlanId")


def test_a_copy_in_an_annotation_is_no_object(findings):
    applied = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(nad()) + "\n"}
    assert findings({"x.json": json.dumps(obj("ConfigMap", metadata={"name": "x", "annotations": applied}))}) == []


POD_TEMPLATES = {
    "CronJob": obj("CronJob", "batch/v1", spec={"jobTemplate": {"spec": {"template": template()}}}),
    "PyTorchJob": obj("PyTorchJob", "kubeflow.org/v1", spec={"pytorchReplicaSpecs": {"Worker": {"replicas": 2, "template": template()}}}),
    "MPIJob": obj("MPIJob", "kubeflow.org/v2beta1", spec={"mpiReplicaSpecs": {"Launcher": {"template": template()}}}),
    "RayCluster": obj("RayCluster", "ray.io/v1", spec={"workerGroupSpecs": [{"groupName": "g", "template": template()}]}),
    "Knative": obj("Service", "serving.knative.dev/v1", spec={"template": template()}),
    "Workflow": obj("Workflow", "argoproj.io/v1alpha1", spec={"templates": [{"name": "t", "metadata": {"annotations": BAD}, "container": {"image": "i"}}]}),
    "HelmRelease": obj("HelmRelease", "helm.toolkit.fluxcd.io/v2", spec={"values": {"server": {"podAnnotations": BAD}}}),
    "App": obj("HelmRelease", "helm.toolkit.fluxcd.io/v2", spec={"values": {"defaultPodOptions": {"annotations": BAD}}}),
    "HelmChart": obj("HelmChart", "helm.cattle.io/v1", spec={"valuesContent": json.dumps({"podAnnotations": BAD}, indent=1)}),
    "Operator": obj("Kafka", "kafka.strimzi.io/v1", spec={"kafka": {"template": {"pod": {"metadata": {"annotations": BAD}}}}}),
    "values": {"upf": {"podAnnotations": BAD}},
}  # fmt: skip


@pytest.mark.parametrize("kind", POD_TEMPLATES)
def test_pods_at_any_depth(kind, findings):
    assert [f.rule for f in findings({"x.yaml": "#\n" + json.dumps(POD_TEMPLATES[kind])})] == EMPTY


def test_several_pods_of_one_object_are_told_apart(findings):
    fixed = {
        "metadata": {"annotations": {NETWORKS: '[{"name": "a", "mac": "02:00:0a:01:0a:05"}]'}},
        "spec": {"containers": []},
    }
    job = obj("PyTorchJob", "kubeflow.org/v1", spec={"pytorchReplicaSpecs": {"Master": {"template": fixed}, "Worker": {"template": fixed}}})  # fmt: skip
    (found,) = findings({"x.json": json.dumps(job)})
    assert found.rule == "IPS_TWICE"
    assert "PyTorchJob y/x (pytorchReplicaSpecs.Master)" in found.message


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("VirtualMachineInstance", lambda s: s),
        ("VirtualMachine", lambda s: {"template": {"spec": {"domain": {}, **s}}}),
        ("VirtualMachineInstanceReplicaSet", lambda s: {"replicas": 2, "template": {"spec": {"domain": {}, **s}}}),
        ("VirtualMachinePool", lambda s: {"virtualMachineTemplate": {"spec": {"template": {"spec": {"domain": {}, **s}}}}}),
    ],
)  # fmt: skip
def test_virtual_machines(kind, spec, findings):
    networks = [{"name": "d", "pod": {}}, *({"name": n, "multus": {"networkName": n}} for n in ("lan", "z/wan", "lam"))]
    machine = obj(kind, "kubevirt.io/v1", spec=spec({"networks": networks}))
    found = findings({"x.json": json.dumps(machine)}, Facts(nads=["y/lan", "z/wan"]))
    assert [f.rule for f in found] == ["NAD_NOT_FOUND"]
    assert found[0].path.endswith("networks[3].multus.networkName")
    assert found[0].hint == "Did you mean y/lan?"


@pytest.mark.parametrize(
    "other",
    [
        obj("MultiNetworkPolicy", "k8s.cni.cncf.io/v1beta1", spec={"podSelector": {}}),
        obj("MultiNetworkPolicyList", "k8s.cni.cncf.io/v1beta1", items=[]),
        obj("IPAMClaim", "k8s.cni.cncf.io/v1alpha1", spec={"network": "n"}),
        obj("SpiderMultusConfig", "spiderpool.spidernet.io/v2beta1", spec={"cniType": "macvlan"}),
        obj("UserDefinedNetwork", "k8s.ovn.org/v1", spec={"topology": "Layer2"}),
        obj("Network", "config.openshift.io/v1", spec={"additionalNetworks": [{"rawCNIConfig": "{"}]}),
        obj("Certificate", "cert-manager.io/v1", spec={"config": "text"}),
        obj("HorizontalPodAutoscaler", "autoscaling/v2", spec={"scaleTargetRef": {"apiVersion": "k8s.cni.cncf.io/v1", "kind": "X"}}),
    ],
)  # fmt: skip
def test_kinds_that_are_not_ours(other, findings):
    assert findings({"x.json": json.dumps(other)}) == []


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        ("NetworkAttachmentDefinitions", "Write kind: NetworkAttachmentDefinition"),
        ("MultiNetworkPolcy", "Did you mean MultiNetworkPolicy?"),
        ("IpamClaim", "Did you mean IPAMClaim?"),
    ],
)
def test_misspelt_kinds_of_the_group(kind, hint, findings):
    (found,) = findings({"x.json": json.dumps(obj(kind, "k8s.cni.cncf.io/v1", spec={}))})[:1]
    assert (found.rule, found.hint) == ("WRONG_KIND", hint)
