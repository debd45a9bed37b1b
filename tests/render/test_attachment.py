"""Networks as CNI configurations and NADs."""

import json

import pytest
from pydantic import TypeAdapter

from multus_site.model.networks import Network
from multus_site.render.attachment import nad_config, nad_manifest

NETWORK: TypeAdapter = TypeAdapter(Network)


def made(**keys):
    return NETWORK.validate_python({"type": "macvlan", "master": "ens6", "ipam": {"type": "none"}, **keys})


def test_a_list_of_one_plugin():
    assert nad_config("internal", made()) == {
        "cniVersion": "1.0.0",
        "name": "internal",
        "plugins": [{"type": "macvlan", "master": "ens6", "mode": "bridge", "ipam": {}}],
    }


def test_host_local_has_a_set_for_each_range():
    ranges = [{"subnet": "10.1.10.0/24", "rangeStart": "10.1.10.200", "gateway": "10.1.10.1"}, {"subnet": "fd00::/64"}]
    network = made(ipam={"type": "host-local", "ranges": ranges, "routes": [{"dst": "10.2.0.0/16"}]}, mtu=9000)
    plugin = nad_config("internal", network)["plugins"][0]
    assert plugin["mtu"] == 9000
    assert plugin["ipam"] == {
        "type": "host-local",
        "ranges": [[ranges[0]], [ranges[1]]],
        "routes": [{"dst": "10.2.0.0/16"}],
    }


def test_raw_is_left_as_it_is():
    config = {"plugins": [{"type": "x"}], "name": "other"}
    network = NETWORK.validate_python(
        {"type": "raw", "config": config, "annotations": {"k8s.v1.cni.cncf.io/resourceName": "intel.com/sriov"}}
    )
    manifest = nad_manifest("internal", network)
    assert json.loads(manifest["spec"]["config"]) == config
    assert manifest["metadata"] == {
        "name": "internal",
        "namespace": "default",
        "annotations": {"k8s.v1.cni.cncf.io/resourceName": "intel.com/sriov"},
    }


@pytest.mark.parametrize("order", [1, -1])
def test_equal_networks_give_equal_text(order):
    keys = {"mtu": 1500, "mode": "vepa", "namespace": "telecom"}
    text = nad_manifest("internal", made(**dict(list(keys.items())[::order])))["spec"]["config"]
    assert text == nad_manifest("internal", made(**keys))["spec"]["config"]
    assert list(json.loads(text)) == sorted(json.loads(text))
