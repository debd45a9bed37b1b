"""The text of every finding, each provoked alone on hosts that meet all requirements.

findings.txt has the lines of each case. To accept new text: UPDATE_GOLDEN=1 pytest tests/nodes/preflight/test_findings.py, then read the diff.
"""

import os
from pathlib import Path

import pytest

from multus_site.nodes.preflight.finding import CHECKS
from tests.nodes.preflight.sites import AIR_GAP, MEDIA, nodes, said, site

GOLDEN = Path(__file__).parent / "findings.txt"


def on(node="node2", **facts):
    """Other facts on one node."""

    def change(all_facts):
        for key, value in facts.items():
            there = all_facts[node][key]
            all_facts[node][key] = {**there, **value} if isinstance(there, dict) and isinstance(value, dict) else value

    return change


def nic(node="node2", name="ens6", **facts):
    """Other facts of one NIC."""
    return lambda all_facts: all_facts[node]["nics"][name].update(facts)


def gone(all_facts):
    del all_facts["node2"]["nics"]["ens6"]


def everywhere(**facts):
    """Other facts on all nodes."""

    def change(all_facts):
        for its in all_facts.values():
            its.update(facts)

    return change


def renamed(all_facts):
    nics = all_facts["node2"]["nics"]
    nics["enp4s0"] = nics.pop("ens6")


def alternative_name(**facts):
    """ens6 is only an alternative name of a NIC of node2."""

    def change(all_facts):
        nics = all_facts["node2"]["nics"]
        nics["enp4s0"] = {**nics.pop("ens6"), "altnames": ["ens6"], **facts}

    return change


def bond():
    return site(
        links={"bond0": {"type": "bond", "members": ["eth0", "ens6"]}},
        networks={"media": {**MEDIA, "master": "bond0"}},
    )


def pool(**more):
    setup = {"pools": {"fast": {"resourceName": "example.com/fast", "pfNames": ["ens6"], "numVfs": 8, **more}}}
    return site(sriov=setup, networks={})


def device():
    return site(networks={"whole": {"type": "host-device", "device": "ens6", "ipam": {"type": "none"}}})


CLUSTER = {"kubelet": True, "server": "https://192.0.2.7:6443", "ca": "b" * 64}

CASES = {
    "HOSTNAME_DIFFERS": {"change": on(hostname="localhost")},
    "OS_UNSUPPORTED": {"change": on(os={"id": "alpine", "name": "Alpine Linux v3.20"})},
    "INIT_UNSUPPORTED": {"change": on(init="openrc-init")},
    "NO_APT": {"data": site(airGap=AIR_GAP), "change": on(apt=False, os={"id": "rocky", "name": "Rocky Linux 9.4"})},
    "ARCHITECTURE_DIFFERS": {"change": on(architecture="aarch64")},
    "ARCHITECTURE_DIFFERS other": {"change": on(architecture="ppc64le")},
    "PYTHON_MISSING": {"change": on(python="")},
    "PYTHON_MISSING old": {"change": on(python="3.6.8", os={"id": "rocky"})},
    "MEMORY_SMALL": {"change": on(memory=1000)},
    "MEMORY_SMALL control plane": {"change": on("node1", memory=1400)},
    "DISK_FULL": {"change": on(disk={"/var": 900})},
    "DISK_FULL of our cluster": {"change": on(disk={"/var": 900}), "ours": ["node2"]},
    "DISK_SMALL": {"change": on(disk={"/var": 8000})},
    "KERNEL_OLD": {"change": on(kernel="5.10.0-28-amd64"), "variables": {"kube_proxy_mode": "nftables"}},
    "CGROUP_V1": {"change": on(cgroup=1)},
    "CGROUP_V1 older Kubernetes": {"change": on(cgroup=1), "variables": {"kube_version": "1.34.7"}},
    "SWAP_ON": {"change": on(swap=2048)},
    "MACHINE_ID_MISSING": {"change": on(machineId="")},
    "MACHINE_ID_SHARED": {"change": on(machineId="1" * 32)},
    "PRODUCT_UUID_SHARED": {"change": everywhere(productUuid="03000200-0400-0500-0006-000700080009")},
    "MAC_SHARED": {"change": nic(mac="02:00:00:00:02:01")},
    "CLOCK_UNSYNCHRONISED": {"change": everywhere(synchronized=False)},
    "CLOCK_DIFFERS": {"change": on(offset=-3600.4)},
    "ADDRESS_MISSING": {"change": nic(name="eth0", addresses=["192.168.0.7/24"])},
    "NIC_MISSING": {"change": renamed},
    "NIC_MISSING of a pod": {"data": device(), "change": gone},
    "NIC_ALTNAME": {"change": alternative_name(up=False)},
    "NIC_DOWN": {"change": nic(up=False, carrier=False)},
    "NIC_NO_CARRIER": {"change": nic(carrier=False)},
    "NIC_MTU_SMALL": {"data": site(networks={"media": {**MEDIA, "mtu": 9000}})},
    "NIC_IN_USE": {"change": nic(master="br0")},
    "NIC_OWN": {"data": site(networks={"media": {**MEDIA, "master": "eth0"}})},
    "NIC_OWN taken": {"data": bond()},
    "NIC_HAS_ADDRESS": {"change": nic(addresses=["10.1.10.6/24", "2001:db8::6/64"])},
    "NIC_HAS_ADDRESS taken": {"data": device(), "change": nic(addresses=["10.1.10.6/24"])},
    "ADDRESS_IN_RANGE": {"change": nic(addresses=["10.1.10.205/24"])},
    "SRIOV_FUNCTIONS": {"data": pool(), "change": nic(functions=4)},
    "MODULE_ABSENT": {"change": on(modules={"macvlan": "absent"})},
    "IOMMU_OFF": {"data": pool(driver="vfio-pci"), "change": everywhere(iommu=False)},
    "HYPERVISOR_FILTERS": {"change": everywhere(hypervisor="vmware")},
    "OTHER_CLUSTER": {"change": on(cluster=CLUSTER)},
    "OTHER_CLUSTER of a site": {"change": on(cluster={**CLUSTER, "site": "austin"})},
    "CLUSTER_LEFTOVERS": {
        "change": on(cluster={"left": ["/var/lib/etcd/member", "/etc/kubernetes/manifests/etcd.yaml"]})
    },
    "CNI_LEFTOVERS": {"change": on(cluster={"left": ["/etc/cni/net.d/10-flannel.conflist"]})},
    "HOST_MULTUS_LOSES_ADDRESSES": {
        "change": on(
            multus={"conf": '{"clusterNetwork": "/host/etc/cni/net.d/10-calico.conflist"}', "version": "v4.2.3"}
        )
    },
    "PORT_TAKEN": {"change": on("node1", ports={"6443": "haproxy", "10250": ""})},
}


def golden():
    return dict(part.split("\n", 1) for part in GOLDEN.read_text().split("\n\n## ")[1:])


@pytest.mark.parametrize("case", CASES)
def test_reads_as_written(case):
    found = said(**CASES[case])
    assert any(f"({case.split()[0]})" in line for line in found)
    if "UPDATE_GOLDEN" not in os.environ:
        assert found == golden()[case].strip().splitlines()


@pytest.mark.skipif("UPDATE_GOLDEN" not in os.environ, reason="only to accept new text")
def test_accept():
    parts = ["The lines of each case of test_findings.py.\n"]
    parts += [f"\n## {case}\n" + "".join(f"{line}\n" for line in said(**its)) for case, its in CASES.items()]
    GOLDEN.write_text("".join(parts))


def test_every_check_is_provoked():
    assert {case.split()[0] for case in CASES} == set(CHECKS)


EXCLUDED = {"exclude": ["10.1.10.5/32", "10.1.10.64/26", "10.1.10.77", "fd00::/64"], "range": "10.1.10.0/24"}
WHEREABOUTS = {"type": "whereabouts", **EXCLUDED}


@pytest.mark.parametrize(
    "network",
    [
        {**MEDIA, "ipam": WHEREABOUTS},
        {"type": "raw", "config": {"type": "macvlan", "master": "ens6", "ipam": {**WHEREABOUTS, "exclude": [*EXCLUDED["exclude"], "?"]}}},
    ],
    ids=["typed", "raw"],
)  # fmt: skip
@pytest.mark.parametrize(
    ("address", "told"),
    [
        *(("10.1.10.4", True), ("10.1.10.5", False), ("10.1.10.6", True), ("10.1.10.63", True), ("10.1.10.64", False)),
        *(("10.1.10.77", False), ("10.1.10.127", False), ("10.1.10.128", True), ("10.1.10.254", True)),
    ],
)
def test_what_a_range_excludes_no_pod_gets(network, address, told):
    found = said(site(networks={"media": network}), nic(addresses=[f"{address}/24"]))
    assert any("(ADDRESS_IN_RANGE)" in line for line in found) == told


@pytest.mark.parametrize("mac", ["", "00:00:00:00"])
def test_interfaces_without_a_mac_address_share_none(mac):
    def change(facts):
        for its in facts.values():
            its["nics"]["eth0"] |= {"mac": mac, "kind": "tun"}

    assert said(change=change) == []


def test_a_nic_by_its_altname_or_one_that_moves_may_have_that_name_only():
    change = alternative_name()
    by_altname = {**MEDIA, "master": {"altname": "ens6"}}

    def everywhere_altname(all_facts):
        change(all_facts)
        for name in ("node1", "node3"):
            all_facts[name]["nics"]["ens6"]["altnames"] = ["ens6"]

    assert said(site(networks={"media": by_altname}), everywhere_altname) == []
    assert said(device(), change) == []


def raw(**config):
    return site(networks={"whole": {"type": "raw", "config": config}})


@pytest.mark.parametrize(
    "config", [{"type": "host-device", "device": "ens6"}, {"plugins": [{"type": "host-device", "device": "ens6"}]}]
)
def test_a_device_word_for_word_is_asked_for(config):
    typed = [line for line in said(device(), gone) if "(NIC_MISSING)" in line]
    assert typed
    assert said(raw(**config), gone) == typed
    assert "(NIC_HAS_ADDRESS)" in said(raw(**config), nic(addresses=["10.1.10.6/24"]))[0]


def test_a_device_word_for_word_that_holds_the_node():
    (line,) = said(raw(type="host-device", device="eth0"))
    assert line.startswith("error: node1, node2, node3: eth0 has the node's own address; network whole")


@pytest.mark.parametrize(
    "config",
    [
        {"type": "macvlan", "master": "net1", "linkInContainer": True},
        {"type": "host-device", "device": ["ens9"]},
        {"type": "macvlan", "master": {"groups": {}}},
        {"type": "macvlan", "master": "mac 1"},
        {"type": "macvlan"},
        {"type": "ptp", "device": "ens9"},
    ],
)
def test_what_is_no_nic_of_the_node_is_not_asked_for(config):
    assert nodes(raw(**config))[0].requirements.nics == {}


def test_a_routed_host_holds_its_address_on_lo():
    def change(facts):
        for i, its in enumerate(facts.values(), 1):
            its["loopback"] = [f"10.1.1.{4 + i}/32"]
            its["nics"]["eth0"]["addresses"] = [f"10.9.{i}.2/31"]

    assert said(change=change) == []
    own = {node.name: (node.own, node.wired()) for node in nodes(change=change)}
    assert own["node2"] == (None, ["ens6"])


def test_the_mac_address_of_a_bond_is_not_its_members():
    """They share it; a member could have no children."""

    def change(facts):
        for i, its in enumerate(facts.values(), 1):
            ens6 = its["nics"].pop("ens6")
            its["nics"] |= {
                "ens6": {**ens6, "master": "team0"},
                "team0": {**ens6, "kind": "bond", "mtu": 1400, "below": ["ens6"]},
            }
            assert ens6["mac"] == f"02:00:00:00:02:0{i}"

    by_mac = {**MEDIA, "master": {"mac": {f"node{i}": f"02:00:00:00:02:0{i}" for i in (1, 2, 3)}}}
    data = site(networks={"media": {**by_mac, "mtu": 1500}})
    assert {node.wired()[-1] for node in nodes(data, change)} == {"team0"}
    (line,) = said(data, change)
    assert line.startswith("error: node1, node2, node3: team0 has an MTU of 1400")


def test_hosts_that_lack_nothing_are_not_spoken_of():
    assert said() == []
