"""From what is found on hosts to the nodes of a site. The whole files are in sites/; to accept new words: UPDATE_GOLDEN=1, then read the diff."""

import os
from pathlib import Path

import pytest
import yaml

from multus_site.cli.adopted_hosts import Seen, take_over
from multus_site.cli.adoption import Adopted
from multus_site.cli.host_list import Target
from multus_site.model.load import parse_stack_text
from tests.cli.test_adopt import MACVLAN, NODE, nad

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE6UjHoFP2mV0r7K9pMZ2EEq4xJd6JvLqdTXCI2jX1rI"
CLUSTER = {"kubelet": True, "server": "https://10.1.1.5:6443", "ca": "", "site": "", "left": []}
API_SERVER, ETCD = "/etc/kubernetes/manifests/kube-apiserver.yaml", "/var/lib/etcd/member"


def nic(*addresses, **other):
    """What multus_site/scripts/facts.sh says of an interface."""
    given = {"mac": "52:54:00:00:00:01", "mtu": 9000, "up": True, "carrier": True, "driver": "ixgbe", "speed": 10000}
    rest = {"pci": "0000:00:05.0", "default": False, "kind": "physical", "master": "", "altnames": [], "functions": 0}
    return {**given, **rest, "addresses": list(addresses), **other}


def host(place, *, hostname=None, name="", nics=None, **facts):
    """A host at 10.1.1.<place>."""
    address = f"10.1.1.{place}"
    own = {"ens3": nic(f"{address}/24", driver="virtio_net", mtu=1500, default=True), "ens6": nic(), "ens7": nic()}
    cluster = {"kubelet": False, "server": "", "ca": "", "site": "", "left": []}
    found = {
        "hostname": hostname or f"node{place - 4}", "machineId": f"{place:032x}", "productUuid": "", "architecture": "x86_64",
        "os": {"id": "debian", "version": "12", "name": "Debian GNU/Linux 12 (bookworm)"}, "memory": 8000, "hypervisor": "kvm",
        "nics": own if nics is None else nics, "loopback": [], "cluster": cluster,
    }  # fmt: skip
    return Seen(Target(address, address, name), KEY, {**found, **facts})


def adopted(*seen, manifests=()):
    made = Adopted("dallas")
    made.add(manifests)
    take_over(made, seen)
    return made


CASES = {
    "three": lambda: adopted(host(5), host(6), host(7)),
    "one": lambda: adopted(host(5)),
    "unlike": lambda: adopted(
        host(5),
        host(6, nics={"ens3": nic("10.1.1.6/24", "fd00::6/64"), "ens6": nic(mtu=1500, speed=None, driver="e1000"), "ens7": nic(carrier=False)}),
        host(7, architecture="aarch64", nics={"bond0": nic(kind="bond"), "ens3": nic("10.1.1.7/24"), "ens6": nic(master="bond0"), "ens7": nic(up=False, carrier=False)}),
    ),
    "running": lambda: adopted(
        host(5, cluster={**CLUSTER, "left": [API_SERVER, ETCD]}), host(6, cluster={**CLUSTER, "left": [API_SERVER]}), host(7, cluster=CLUSTER)
    ),
    "whole": lambda: adopted(host(5), host(6), manifests=[NODE, nad(MACVLAN)]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_golden(case):
    made = CASES[case]()
    golden = Path(__file__).parent / "sites" / f"{case}.yaml"
    text = "".join([made.stack_file(), *(f"# look at: {sentence}\n" for sentence in made.findings)])
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()
    site = parse_stack_text(text, source=golden.name)
    assert list(site.nodes.hosts) == list(made.hosts)
    assert made.left_out == []


def test_a_proposed_network_is_one_once_its_range_is_there():
    text = adopted(host(5), host(6)).stack_file()
    kept = text.replace("    # networks:", "    networks:").replace("    #   ens6-net:", "      ens6-net:")
    site = parse_stack_text(kept.replace("range: RANGE", "range: 10.1.10.0/24"), source="x")
    assert site.networks["ens6-net"].master == "ens6"


@pytest.mark.parametrize(
    ("seen", "names"),
    [
        ([host(5, hostname="node1.example.org")], ["node1"]),
        ([host(5, hostname="Node1")], ["node1"]),
        ([host(5, hostname="localhost"), host(6, hostname="localhost.localdomain")], ["node1", "node2"]),
        ([host(5, hostname="debian"), host(6, hostname="debian")], ["node1", "node2"]),
        ([host(5, hostname="node2"), host(6, hostname="rack_1")], ["node2", "node3"]),
        ([host(5, hostname="x", name="cp1")], ["cp1"]),
    ],
)
def test_names(seen, names):
    made = adopted(*seen)
    assert list(made.hosts) == names


def test_the_cluster_knows_names_roles_and_addresses():
    node = {**NODE, "metadata": {"name": "cp", "labels": NODE["metadata"]["labels"]}}
    taint = {"taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]}
    two = host(105, hostname="a", nics={"ens3": nic("10.1.1.5/24", "10.1.1.105/24")})
    made = adopted(two, host(6), manifests=[{**node, "spec": taint}])
    assert made.hosts["cp"] == {"address": "10.1.1.5", "hostKey": KEY, "roles": ["control-plane", "etcd"]}
    assert made.hosts["node2"] == {"address": "10.1.1.6", "hostKey": KEY}
    assert any(
        "its address in the cluster is 10.1.1.5, but it was reached at 10.1.1.105" in found for found in made.findings
    )


def test_a_routed_host_is_known_by_its_address_on_lo():
    routed = host(105, hostname="a", nics={"ens3": nic("10.9.1.2/31")}, loopback=["10.1.1.5/32"])
    made = adopted(routed, manifests=[NODE])
    assert made.hosts["node1"]["hostKey"] == KEY
    assert "lo:" not in made.stack_file()


def test_nodes_of_the_cluster_that_were_not_asked_for_stay():
    made = adopted(host(6), manifests=[NODE])
    assert "node1:  # add hostKey" in made.stack_file() or "# add hostKey" in made.stack_file()
    assert list(made.hosts) == ["node2", "node1"]


def test_one_machine_at_two_addresses():
    again = host(5, nics={"ens3": nic("10.1.1.5/24", "10.1.1.105/24")})
    twice = Seen(Target("10.1.1.105", "10.1.1.105"), KEY, again.facts)
    made = adopted(again, twice, manifests=[NODE])
    assert made.left_out == ["10.1.1.105: 10.1.1.5 already has the name node1"]


def test_an_architecture_that_no_site_has():
    made = adopted(host(5, architecture="s390x"), host(6))
    assert made.left_out == ["10.1.1.5: its architecture is s390x; a site's hosts are amd64 or arm64"]
    assert made.hosts["node2"]["roles"] == ["control-plane", "etcd", "worker"]


def test_what_a_host_calls_its_interfaces_stays_a_comment():
    text = adopted(host(5, nics={"a\nconfig: {}": nic(driver="x\u2028y: 1")})).stack_file()
    assert list(yaml.safe_load(text)) == ["config"]
    assert list(parse_stack_text(text, source="x").nodes.hosts) == ["node1"]
