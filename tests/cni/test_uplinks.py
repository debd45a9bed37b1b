"""Which NICs of a node a site's networks use, however each is given, and that preflight asks for the same ones. That nodes find them: tests/scripts/test_nics.py."""

import pytest

from multus_site.cni.uplinks import find, nics_in_use, uplink_of
from multus_site.model.load import parse_site
from multus_site.nodes.preflight.requirements import requirements_of
from tests.graph.recording import ED25519

NONE = {"type": "none"}
MAC = "02:00:00:00:00:06"


def site(networks, **more):
    hosts = {name: {"address": f"10.1.1.{i}", "hostKey": ED25519} for i, name in enumerate(("node1", "node2"), 5)}
    hosts["node1"] |= {"roles": ["control-plane", "etcd", "worker"], "groups": ["edge"]}
    data = {"name": "dallas", "nodes": {"backend": "existing", "hosts": hosts}, "networks": networks, **more}
    return parse_site(data, source="x")


def macvlan(master, **more):
    return {"type": "macvlan", "master": master, "ipam": NONE, **more}


def raw(*plugins):
    return {"type": "raw", "config": {"cniVersion": "1.0.0", "name": "a", "plugins": list(plugins)}}


@pytest.mark.parametrize(
    ("network", "nic"),
    [
        (macvlan("ens6"), "ens6"),
        (macvlan({"groups": {"edge": "eno2"}}), "eno2"),
        (macvlan({"mac": {"node1": MAC}}), f"mac {MAC}"),
        (macvlan({"pci": "0000:3b:00.0"}), "pci 0000:3b:00.0"),
        (macvlan({"altname": "enp59s0f0np0"}), "altname enp59s0f0np0"),
        (macvlan("net1", linkInContainer=True), None),
        ({"type": "host-device", "device": "ens6", "ipam": NONE}, "ens6"),
        ({"type": "host-device", "hwaddr": MAC, "ipam": NONE}, f"mac {MAC}"),
        ({"type": "host-device", "pciBusID": "0000:3b:00.0", "ipam": NONE}, "pci 0000:3b:00.0"),
        ({"type": "host-device", "kernelpath": "/sys/devices/pci0000:00/1", "ipam": NONE}, "path /sys/devices/pci0000:00/1"),
        ({"type": "bridge", "bridge": "br0", "ipam": NONE}, None),
        (raw({"type": "ipvlan", "master": "ens6"}, {"type": "tuning"}), "ens6"),
        (raw({"type": "host-device", "hwaddr": MAC}), f"mac {MAC}"),
        (raw({"type": "host-device", "pciBusID": "0000:3b:00.0"}), "pci 0000:3b:00.0"),
        (raw({"type": "vlan", "master": "net1", "linkInContainer": True}), None),
        (raw({"type": "macvlan"}), None),
        (raw({"type": "macvlan", "master": ["ens6"]}), None),
        ({"type": "raw", "config": {"plugins": ["macvlan"]}}, None),
    ],
)  # fmt: skip
def test_the_nic_of_a_network(network, nic):
    made = site({"a": network})
    assert uplink_of(made, "node1", made.networks["a"]) == nic


EVERYTHING = {
    "networks": {
        "by-name": macvlan("ens6"),
        "by-group": macvlan({"groups": {"edge": "eno2"}}),
        "by-pci": macvlan({"pci": "0000:3b:00.0"}),
        "word-for-word": raw({"type": "macvlan", "master": "ens7"}),
        "on-a-bond": macvlan("bond0.110"),
        "device": {"type": "host-device", "device": "ens8", "ipam": NONE},
        "device-word-for-word": raw({"type": "host-device", "device": "ens9"}),
        "inside": macvlan("net1", linkInContainer=True),
        "elsewhere": macvlan("ens10", nodes=["node2"]),
    },
    "links": {
        "bond0": {"type": "bond", "members": ["ens20", "ens21"]},
        "bond0.110": {"type": "vlan", "link": "bond0", "id": 110},
        "ens22.5": {"type": "vlan", "link": "ens22", "id": 5, "nodes": ["node2"]},
    },
    "sriov": {
        "pools": {
            "fast": {"resourceName": "example.com/fast", "pfNames": ["ens30", "ens31"], "numVfs": 4, "nodes": ["node1"]}
        }
    },
}


def test_all_nics_that_stay_on_the_node_are_in_use():
    made = site(**EVERYTHING)
    found = ["eno2", "ens20", "ens21", "ens30", "ens31", "ens6", "ens7", "pci 0000:3b:00.0"]
    assert nics_in_use(made, "node1") == found
    assert nics_in_use(made, "node2") == ["ens10", "ens20", "ens21", "ens22", "ens6", "ens7", "pci 0000:3b:00.0"]


def test_preflight_insists_on_the_same_ones():
    made = site(**EVERYTHING)
    for node, its in requirements_of(made, {}).items():
        assert [nic for nic, wanted in its.nics.items() if not wanted.absent] == nics_in_use(made, node)


def test_a_name_may_be_an_alternative_one_and_case_does_not_matter():
    there = {"ens6": {"mac": MAC, "pci": "0000:3b:00.0", "altnames": ["enp59s0f0"], "path": "/sys/devices/a"}}
    for nic in (
        "ens6",
        "enp59s0f0",
        "altname enp59s0f0",
        f"mac {MAC.upper()}",
        "pci 0000:3B:00.0",
        "path /sys/devices/a",
    ):
        assert find(nic, there) == "ens6"
    for nic in ("ens7", "altname ens6", "mac 02:00:00:00:00:07", "pci 0000:3b:00.1", "path /sys/devices"):
        assert find(nic, there) is None
