"""SR-IOV: what the node's unit, the device plugin and the operator are told. No such NIC is here: see docs/networks.md."""

import json

import pytest

from multus_site.render import sriov
from multus_site.render.cni_plugins import plugin_names
from multus_site.render.node_networks import variables
from tests.render.test_by_node import site

POOLS = {
    "kernel": {"resourceName": "intel.com/netdev", "pfNames": ["ens1f0", "ens1f1"], "numVfs": 8},
    "dpdk": {
        "resourceName": "intel.com/dpdk",
        "pfNames": ["ens2f0"],
        "numVfs": 4,
        "driver": "vfio-pci",
        "nodes": ["node2"],
    },
}
NETWORKS = {
    "a": {"type": "sriov", "resourceName": "intel.com/netdev", "ipam": {"type": "none"}},
    "b": {"type": "sriov", "resourceName": "intel.com/dpdk", "driver": "vfio-pci", "ipam": {"type": "none"}},
}


def made(**more):
    return site(NETWORKS, sriov={"pools": POOLS, **more})


def test_each_node_makes_the_functions_of_its_pools():
    assert variables(made(), "node1")["FUNCTIONS"].splitlines() == ["ens1f0 8 netdevice", "ens1f1 8 netdevice"]
    assert variables(made(), "node2")["FUNCTIONS"].splitlines()[-1] == "ens2f0 4 vfio-pci"
    assert "sriov_numvfs" in variables(made(), "node2")["FUNCTIONS_SCRIPT"]


def test_a_network_of_the_type_brings_the_plugin_to_the_nodes():
    assert plugin_names(made()) == ["sriov"]
    assert plugin_names(made(manager="operator")) == []


def test_the_device_plugin_s_configuration():
    text = sriov.config_map(made().sriov)["data"]["config.json"]
    assert json.loads(text) == {
        "resourceList": [
            {"resourcePrefix": "intel.com", "resourceName": "netdev", "selectors": [{"pfNames": ["ens1f0", "ens1f1"]}]},
            {
                "resourcePrefix": "intel.com",
                "resourceName": "dpdk",
                "selectors": [{"pfNames": ["ens2f0"], "drivers": ["vfio-pci"]}],
            },
        ]
    }


def test_a_change_of_it_restarts_the_device_plugin():
    def annotation(number):
        pools = {**POOLS, "kernel": {**POOLS["kernel"], "resourceName": f"intel.com/n{number}"}}
        daemon = sriov.daemon("image", made(pools=pools).sriov, ["node1"])
        return daemon["spec"]["template"]["metadata"]["annotations"]

    assert annotation(1) == annotation(1) != annotation(2)


def test_an_operator_makes_its_own_functions():
    adopted = made(manager="operator", operatorNamespace="openshift-sriov-network-operator")
    assert variables(adopted, "node2")["FUNCTIONS"] == ""
    policies = sriov.policies(adopted, adopted.sriov)
    assert sorted(policies) == ["dpdk-node2", "kernel-node1", "kernel-node2", "kernel-node3"]
    assert policies["dpdk-node2"] == {
        "metadata": {"name": "dpdk-node2", "namespace": "openshift-sriov-network-operator"},
        "spec": {
            "resourceName": "dpdk",
            "nodeSelector": {"kubernetes.io/hostname": "node2"},
            "numVfs": 4,
            "nicSelector": {"pfNames": ["ens2f0"]},
            "deviceType": "vfio-pci",
            "isRdma": False,
        },
    }


@pytest.mark.parametrize("replicas", [1, 3])
def test_pods_ask_for_a_device_for_each_attachment(replicas):
    w = {"image": "docker.io/library/busybox:1.36", "replicas": replicas, "networks": ["a", "b", "a"]}
    with_pods = site(NETWORKS, sriov={"pools": POOLS}, workloads={"w": w})
    assert with_pods.devices(with_pods.workloads["w"]) == {"intel.com/netdev": 2, "intel.com/dpdk": 1}
