"""What preflight says of hosts that are adopted."""

from multus_site.cli.adopted_hosts import Seen
from multus_site.cli.host_findings import judged, to_ask
from multus_site.cli.host_keys import HostKey
from multus_site.cli.host_list import Target
from tests.graph.recording import ED25519
from tests.nodes.preflight.sites import MEDIA, host

CLUSTER = {"kubelet": True, "server": "https://10.1.1.5:6443", "ca": "a" * 64, "site": "", "left": []}
ROLES = ["control-plane", "etcd", "worker"]


def sentences(change=lambda _facts: None, networks=(), in_cluster=(), roles=ROLES):
    facts = {f"node{i}": host(i) for i in (1, 2, 3)}
    change(facts)
    seen = {name: Seen(Target(f"10.1.1.{i}", "", ""), ED25519, facts[name]) for i, name in enumerate(facts, 5)}
    hosts = {name: {"address": one.target.address, "hostKey": ED25519, "roles": roles} for name, one in seen.items()}
    return judged(seen, hosts, dict(networks), in_cluster)


def test_hosts_that_lack_nothing():
    assert sentences() == []


def test_what_makes_hosts_no_nodes():
    def change(facts):
        facts["node1"]["hostname"] = "debian"
        facts["node2"]["machineId"] = facts["node3"]["machineId"]
        facts["node3"]["offset"] = 90

    said = "\n".join(sentences(change))
    for code in (
        "node1: the host name is debian; the site needs node1 (HOSTNAME_DIFFERS)",
        "(MACHINE_ID_SHARED)",
        "(CLOCK_DIFFERS)",
    ):
        assert code in said


def test_a_network_that_is_adopted_too_is_looked_for():
    def change(facts):
        facts["node2"]["nics"]["ens6"]["carrier"] = False
        facts["node3"]["modules"]["macvlan"] = "absent"

    said = sentences(change, {"media": MEDIA})
    assert any(line.startswith("node2: ") and "ens6" in line for line in said)
    assert any(line.startswith("node3: ") and "macvlan" in line for line in said)


def test_a_cluster_is_no_finding_where_it_is_the_one_that_is_adopted():
    def change(facts):
        for facts_of in facts.values():
            facts_of["cluster"] = CLUSTER

    assert sentences(change) == []


def test_a_node_of_another_cluster_is():
    def change(facts):
        facts["node1"]["cluster"] = facts["node2"]["cluster"] = CLUSTER
        facts["node3"]["cluster"] = {**CLUSTER, "ca": "b" * 64, "server": "https://elsewhere:6443"}

    assert [line for line in sentences(change) if "OTHER_CLUSTER" in line and line.startswith("node3: ")]


def test_a_site_that_cannot_be_is_said_as_the_model_says_it():
    def change(facts):
        del facts["node3"]

    assert sentences(change) == ["nodes.hosts: 2 hosts have the role etcd; it must be an odd number (1, 3, 5)"]


def test_what_is_looked_at_is_what_networks_need():
    modules, ports = to_ask({}, "10.1.1.5", HostKey(ED25519))
    assert "overlay" in modules.split()
    assert "macvlan" not in modules.split()
    assert {"6443", "2379", "10250"} <= set(ports.split())
    assert "macvlan" in to_ask({"media": MEDIA}, "10.1.1.5", HostKey(ED25519))[0].split()
    placed = {**MEDIA, "master": {"node7": "ens6"}}
    assert to_ask({"media": placed}, "10.1.1.5", HostKey(ED25519)) == (modules, ports)
