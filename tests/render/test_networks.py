"""Every type of network: the site's words, the configuration that they become, and what the linter says of it."""

import json
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from multus_site.cni.catalogue import COMMON, INTERFACES, PLUGINS
from multus_site.cni.versions import highest_version
from multus_site.lint import check_site
from multus_site.model.load import parse_site
from multus_site.model.networks import Network, Raw, TypedNetwork
from multus_site.render.attachment import config_of, nad_config, nad_manifest

NETWORK: TypeAdapter = TypeAdapter(Network)
FOLDER = Path(__file__).parent / "networks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


def read(name):
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text())


def site(networks, workloads=None, **more):
    data = {
        "name": "dallas",
        "nodes": {
            "backend": "container",
            "container": {"image": "localhost/node:1", "networks": {"eth0": "m", "eth1": "i", "net1": "n"}},
            "hosts": {
                "node1": {"address": "10.1.1.5", "roles": ["control-plane", "etcd", "worker"]},
                "node2": {"address": "10.1.1.6"},
            },
        },
        "segments": {"core": {}},
        "networks": networks,
        "workloads": workloads or {},
        **more,
    }
    return parse_site(data, source="stacks/Pulumi.dallas.yaml")


@pytest.mark.parametrize("name", NAMES)
def test_rendered(name):
    manifest = nad_manifest(name, NETWORK.validate_python(read(name)), cni_version="1.1.0")
    text = manifest["spec"]["config"]
    expected = json.loads((FOLDER / f"{name}.json").read_text())
    assert {
        "config": json.loads(text),
        **{k: v for k, v in manifest["metadata"].items() if k == "annotations"},
    } == expected
    assert text == json.dumps(json.loads(text), sort_keys=True)
    assert "plugins" in expected["config"]


@pytest.mark.parametrize("name", NAMES)
def test_the_linter_has_nothing_against_it(name):
    found = check_site(site({name: read(name)}), file="stacks/Pulumi.dallas.yaml")
    assert [f.line_of_text() for f in found] == []


def test_every_type_mode_and_chained_plugin_is_among_them():
    seen = [json.loads((FOLDER / f"{name}.json").read_text())["config"]["plugins"] for name in NAMES]
    plugins = [plugin for plugins in seen for plugin in plugins]
    types = {network.model_fields["type"].annotation.__args__[0] for network in get_args(TypedNetwork)}
    assert types | {"tuning", "sbr", "vrf", "bandwidth", "portmap", "firewall"} <= {p["type"] for p in plugins}
    modes = {(p["type"], p["mode"]) for p in plugins if "mode" in p}
    assert modes >= {(kind, mode) for kind in types for mode in INTERFACES[kind].values.get("mode", ())}
    assert {p.get("ipam", {}).get("type") for p in plugins} >= {"host-local", "whereabouts", "static", "dhcp", None}


@pytest.mark.parametrize("name", NAMES)
def test_the_plugin_reads_every_key(name):
    network = NETWORK.validate_python(read(name))
    if not isinstance(network, Raw):
        for plugin in nad_config(name, network)["plugins"]:
            assert set(plugin) <= {*COMMON, *PLUGINS[plugin["type"]].keys}


MACVLAN = {"type": "macvlan", "master": "eth1"}
BANDWIDTH = {"type": "bandwidth", "ingressRate": 8000, "ingressBurst": 8000}


@pytest.mark.parametrize(
    ("network", "words"),
    [
        ({**MACVLAN, "ipam": {"type": "none"}, "chain": [BANDWIDTH]}, "macvlan makes none"),
        (
            {**MACVLAN, "ipam": {"type": "none"}, "chain": [{"type": "sbr"}, {"type": "sbr"}]},
            "chain[1]: sbr is listed already",
        ),
        ({"type": "ipvlan", "master": "eth1", "ipam": {"type": "dhcp"}}, "dhcp"),
        ({"type": "ipvlan", "master": "eth1", "ipam": {"type": "none"}}, "none"),
        ({"type": "vlan", "master": "eth1", "vlanId": 4095, "ipam": {"type": "dhcp"}}, "4094"),
        ({"type": "ptp", "ipam": {"type": "none"}}, "none"),
        ({"type": "bridge", "ipam": {"type": "none"}, "hairpinMode": True, "promiscMode": True}, "exclude each other"),
        ({"type": "bridge", "ipam": {"type": "none"}, "vlanTrunk": [{"minID": 5}]}, "minID alone"),
        (
            {"type": "bridge", "ipam": {"type": "none"}, "chain": [{**BANDWIDTH, "egressRate": 9}]},
            "without egressBurst",
        ),
        ({"type": "ptp", "ipam": {"type": "static"}, "chain": [{"type": "bandwidth"}]}, "limits nothing"),
        (
            {"type": "ptp", "ipam": {"type": "static"}, "chain": [{"type": "firewall", "ingressPolicy": "isolated"}]},
            "ptp has none",
        ),
        (
            {"type": "host-device", "ipam": {"type": "none"}},
            "none of device, hwaddr, kernelpath, pciBusID, resourceName is set",
        ),
        (
            {"type": "host-device", "device": "a", "hwaddr": "02:00:00:00:00:01", "ipam": {"type": "none"}},
            "device and hwaddr are set",
        ),
        ({"type": "sriov", "ipam": {"type": "none"}}, "resourceName"),
        ({"type": "sriov", "resourceName": "vf", "ipam": {"type": "none"}}, "prefix"),
        ({"type": "sriov", "resourceName": "a.b/c", "driver": "vfio-pci", "ipam": {"type": "dhcp"}}, "vfio-pci"),
        ({"type": "sriov", "resourceName": "a.b/c", "vlanQoS": 3, "ipam": {"type": "none"}}, "vlanQoS without"),
        (
            {"type": "sriov", "resourceName": "a.b/c", "minTxRate": 9, "maxTxRate": 8, "ipam": {"type": "none"}},
            "above maxTxRate",
        ),
        ({**MACVLAN, "ipam": {"type": "whereabouts", "range": "10.1.10.9-10.1.11.4/24"}}, "is not in 10.1.11.0/24"),
        ({**MACVLAN, "ipam": {"type": "whereabouts", "range": "10.1.10.9-10.1.10.4/24"}}, "ends before it begins"),
        (
            {**MACVLAN, "ipam": {"type": "whereabouts", "range": "10.1.10.0/24", "gateway": "10.1.11.1"}},
            "not in the network",
        ),
        ({**MACVLAN, "ipam": {"type": "static", "addresses": [{"address": "10.1.10.5"}]}}, "prefix length"),
        ({**MACVLAN, "ipam": {"type": "static", "addresses": [{"address": "10.1.10.0/24"}]}}, "network itself"),
    ],
)
def test_what_cannot_be(network, words):
    with pytest.raises(ValidationError) as error:
        NETWORK.validate_python(network)
    assert words in str(error.value)


def test_a_gateway_inside_the_range_is_excluded_once():
    ipam = {"type": "whereabouts", "range": "10.1.10.0/24", "gateway": "10.1.10.1"}
    assert config({**MACVLAN, "ipam": ipam})["ipam"]["exclude"] == ["10.1.10.1"]
    assert config({**MACVLAN, "ipam": {**ipam, "exclude": ["10.1.10.0/28"]}})["ipam"]["exclude"] == ["10.1.10.0/28"]
    assert "exclude" not in config({**MACVLAN, "ipam": {**ipam, "range": "10.1.10.9-10.1.10.99/24"}})["ipam"]


def test_dual_stack_of_whereabouts_gives_each_route_the_gateway_of_its_family():
    ipam = {
        "type": "whereabouts",
        "range": "10.1.10.0/24",
        "gateway": "10.1.10.1",
        "ipRanges": [{"range": "fd00:10::/64", "gateway": "fd00:10::1"}],
        "routes": [{"dst": "10.2.0.0/16"}, {"dst": "fd00:2::/64"}, {"dst": "10.3.0.0/16", "gw": "10.1.10.9"}],
    }
    rendered = config({**MACVLAN, "ipam": ipam})["ipam"]
    assert [route["gw"] for route in rendered["routes"]] == ["10.1.10.1", "fd00:10::1", "10.1.10.9"]
    assert "gateway" not in rendered


def config(network):
    return nad_config("a", NETWORK.validate_python(network))["plugins"][0]


BUSYBOX = "docker.io/library/busybox:1.36"


@pytest.mark.parametrize(
    ("network", "attachment", "capabilities"),
    [
        ({**MACVLAN, "ipam": {"type": "none"}}, {}, [{}]),
        ({**MACVLAN, "ipam": {"type": "none"}}, {"mac": "02:00:00:00:00:01"}, [{"mac": True}]),
        ({**MACVLAN, "ipam": {"type": "static"}}, {"ips": ["10.1.10.5/24"]}, [{"ips": True}]),
        (
            {"type": "host-device", "device": "eth1", "ipam": {"type": "none"}, "chain": [{"type": "tuning"}]},
            {"mac": "02:00:00:00:00:01"},
            [{}, {"mac": True}],
        ),
        (
            {**MACVLAN, "ipam": {"type": "dhcp"}, "chain": [{"type": "portmap"}]},
            {"portMappings": [{"hostPort": 8080, "containerPort": 80}]},
            [{}, {"portMappings": True}],
        ),
    ],
)
def test_capabilities_are_those_that_pods_make_use_of(network, attachment, capabilities):
    made = site({"a": network}, {"w": {"image": BUSYBOX, "networks": [{"name": "a", **attachment}]}})
    assert [plugin.get("capabilities", {}) for plugin in config_of(made, "a")["plugins"]] == capabilities


@pytest.mark.parametrize(
    ("plugins", "multus", "kubespray", "variables", "version"),
    [
        ("1.9.1", "4.3.0", "v2.31.0", {}, "1.1.0"),
        ("1.5.1", "4.3.0", "v2.31.0", {}, "1.0.0"),
        ("1.9.1", "4.1.4", "v2.31.0", {}, "1.0.0"),
        ("1.9.1", "4.3.0", "v2.27.0", {}, "1.0.0"),
        ("1.9.1", "4.3.0", "v2.27.0", {"containerd_version": "2.0.1"}, "1.1.0"),
        ("1.9.1", "4.3.0", "v2.31.0", {"containerd_version": "1.7.24"}, "1.0.0"),
        ("1.9.1", "4.3.0", "v2.31.0", {"container_manager": "crio"}, "1.0.0"),
        ("0.9.1", "4.3.0", "v2.31.0", {}, "0.4.0"),
    ],
)
def test_the_highest_version_that_all_support(plugins, multus, kubespray, variables, version):
    assert highest_version(plugins, multus, kubespray, variables) == version
    network = {
        "a": {**MACVLAN, "ipam": {"type": "none"}},
        "b": {**MACVLAN, "cniVersion": "0.4.0", "ipam": {"type": "none"}},
    }
    made = site(
        network,
        cniPlugins={"version": plugins},
        multus={"version": multus},
        kubespray={"version": kubespray, "variables": variables},
    )
    assert [config_of(made, name)["cniVersion"] for name in "ab"] == [version, "0.4.0"]
