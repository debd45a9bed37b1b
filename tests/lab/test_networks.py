"""Every network that this kernel can make, at once, on three real nodes: addresses that never collide, also under churn."""

import json
import re
import time

import pytest

from lab import dhcp
from tests.lab.networks import STATUS, addresses, attached, inside, pods, ready, stack_file
from tests.lab.running import eventually

pytestmark = [pytest.mark.lab, pytest.mark.networks]

ROUNDS = 20


def no_address_twice(crowd):
    held = [entry for pod in crowd for entry in addresses(pod)]
    assert len(held) == len(set(held)) == 30, sorted(held)  # two networks, one of them of two families


def test_the_site_is_proven_with_all_of_them(networks):
    proof = json.loads(networks.pulumi("stack", "output", "verification", "--json").stdout)
    assert proof["passed"] is True


def test_ten_pods_on_three_nodes_share_no_address_also_under_churn(networks):
    crowd = ready(networks, "crowd", 10)
    assert len({p["spec"]["nodeName"] for p in crowd}) == 3
    no_address_twice(crowd)
    begun = time.monotonic()
    for i in range(ROUNDS):
        gone = [p["metadata"]["name"] for p in crowd[i % 3 :: 3]]
        networks.kubectl("delete", "pod", *gone, "--wait=false", "--grace-period=1")
        crowd = attached(networks, "crowd", 10)
        no_address_twice(crowd)
    print(f"\n{ROUNDS} rounds, three or four of ten pods in each: {time.monotonic() - begun:.0f} s")
    crowd = ready(networks, "crowd", 10)
    no_address_twice(crowd)
    assert len({p["spec"]["nodeName"] for p in crowd}) > 1


def test_nothing_is_held_for_pods_that_are_gone(networks):
    def none_leaked():
        pools = networks.get("ippools.whereabouts.cni.cncf.io", "-n", "kube-system")["items"]
        held = [a["podref"] for pool in pools for a in pool["spec"]["allocations"].values()]
        there = {f"default/{p['metadata']['name']}" for p in pods(networks, "crowd")}
        return held and set(held) <= there

    eventually(none_leaked, 60)


def test_replicas_keep_their_addresses(networks):
    for name, address in (("speaker-0", "10.1.10.31"), ("speaker-1", "10.1.10.32")):
        (pod,) = ready(networks, name, 1)
        assert addresses(pod) == [("default/fixed", address)]
        networks.kubectl("delete", "pod", pod["metadata"]["name"], "--wait=true")
        (again,) = ready(networks, name, 1)
        assert again["metadata"]["uid"] != pod["metadata"]["uid"]
        assert addresses(again) == [("default/fixed", address)]


def test_a_default_route_of_its_own_leaves_the_cluster_reachable(networks):
    (pod,) = ready(networks, "outward", 1)
    name = pod["metadata"]["name"]
    routes = networks.kubectl("exec", name, "--", "ip", "route")
    assert re.search(r"^default via 10\.1\.10\.1 dev net1", routes, re.MULTILINE), routes
    assert "10.233.0.0/18 via" in routes
    assert "Address" in networks.kubectl("exec", name, "--", "nslookup", "kubernetes.default.svc.cluster.local")
    assert "02:00:0a:01:0a:29" in networks.kubectl("exec", name, "--", "ip", "link", "show", "dev", "net1")
    # Those that ask for none keep the cluster's.
    other = ready(networks, "crowd", 10)[0]["metadata"]["name"]
    assert re.search(r"^default via \S+ dev eth0", networks.kubectl("exec", other, "--", "ip", "route"), re.MULTILINE)


def test_each_node_hands_out_its_own_part(networks):
    agents = ready(networks, "agent", 3)
    held = {p["spec"]["nodeName"]: addresses(p)[0][1] for p in agents}
    assert len(held) == len(set(held.values())) == 3
    parts = {node: (int(address.rpartition(".")[2]) - 1) // 32 for node, address in held.items()}
    assert len(set(parts.values())) == 3


def test_a_lease_of_the_segment_s_server(networks):
    (pod,) = ready(networks, "leased", 1)
    ((_, address),) = addresses(pod)
    first, last = (int(end.rpartition(".")[2]) for end in (dhcp.FIRST, dhcp.LAST))
    assert first <= int(address.rpartition(".")[2]) <= last


@pytest.mark.parametrize(
    ("name", "interface", "words"),
    [
        ("on-node2", "net1", "10.9.1."),
        ("on-node2", "net2", "10.9.3.5/24"),
        ("on-node3", "net1", "10.9.2.5/24"),
    ],
)
def test_pairs_whole_nics_and_taps(networks, name, interface, words):
    (pod,) = ready(networks, name, 1)
    assert words in networks.kubectl("exec", pod["metadata"]["name"], "--", "ip", "addr", "show", "dev", interface)


def test_chained_plugins_did_their_work(networks):
    pod = ready(networks, "crowd", 10)[0]["metadata"]["name"]
    assert "mtu 1400" in networks.kubectl("exec", pod, "--", "ip", "link", "show", "dev", "net2")
    assert networks.kubectl("exec", pod, "--", "cat", "/proc/sys/net/ipv4/conf/net2/arp_filter").strip() == "1"
    assert "lookup 100" in networks.kubectl("exec", pod, "--", "ip", "rule")


def test_the_plan_knows_the_live_site(networks, tmp_path):
    file = stack_file(tmp_path / "Pulumi.lab.yaml")
    kubeconfig = str(networks.place.folder / "kubeconfig")
    done = networks.run(
        ".venv/bin/python", "-m", "multus_site", "addresses", str(file), "--kubeconfig", kubeconfig, "--json"
    )
    plan = json.loads(done.stdout)
    line = next(line for line in plan["lines"] if line["network"] == "default/shared-external")
    assert (line["size"], line["asked"], len(line["taken"])) == (50, 10, 10)
    assert plan["wrong"] == []


def test_pods_that_lost_their_interfaces_are_made_anew(networks):
    (pod,) = ready(networks, "on-node3", 1)
    name = pod["metadata"]["name"]
    stale = json.dumps([{"name": "cbr0", "interface": "eth0", "ips": [pod["status"]["podIP"]], "default": True}])
    networks.kubectl("annotate", "pod", name, f"{STATUS}={stale}", "--overwrite")
    networks.kubectl("create", "job", "-n", "kube-system", "--from=cronjob/mend-interfaces", "mend-now")
    try:
        eventually(lambda: name not in {p["metadata"]["name"] for p in pods(networks, "on-node3")}, 120)
        (again,) = ready(networks, "on-node3", 1)
        assert addresses(again) == [("default/tap", "10.9.2.5")]
    finally:
        networks.kubectl("delete", "job", "-n", "kube-system", "mend-now")


def test_a_node_that_is_killed_brings_no_address_twice(networks):
    """Its pods come back with their networks, or without and are made anew; what they really have is what counts."""
    ready(networks, "crowd", 10)
    begun = time.monotonic()
    networks.run("podman", "kill", "lab-node3")
    networks.run("podman", "start", "lab-node3")
    # A machine's udev would name its NIC again; a container's NICs are made anew, without.
    networks.node("node3", "ip", "link", "property", "add", "dev", "ens7", "altname", "to-external", check=False)

    def whole():
        crowd = pods(networks, "crowd")
        seen = [inside(networks, pod) for pod in crowd]
        return len(crowd) == 10 and all({"net1", "net2"} <= {interface for interface, _ in one} for one in seen)

    eventually(whole, 480, 5)
    print(f"\na node killed, all ten pods on both networks again: {time.monotonic() - begun:.0f} s")
    crowd = ready(networks, "crowd", 10)
    held = [(interface, address) for pod in crowd for interface, address in inside(networks, pod)]
    assert len(held) == len(set(held)) == 30, sorted(held)
    assert sorted(address for _, address in held) == sorted(address for pod in crowd for _, address in addresses(pod))
    (tap,) = ready(networks, "on-node3", 1)
    assert ("net1", "10.9.2.5") in inside(networks, tap)
    assert len({addresses(pod)[0][1] for pod in ready(networks, "agent", 3)}) == 3
