"""The probe in real network namespaces: a bridge with a gateway, a pod, a peer, and a host that steals the pod's address."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROBE = Path(__file__).parent.parent.parent / "multus_site" / "verify" / "probe.py"
NAME = f"probe{os.getpid()}"


def can_make_networks():
    done = subprocess.run(["ip", "netns", "add", f"{NAME}-try"], capture_output=True, check=False)
    subprocess.run(["ip", "netns", "del", f"{NAME}-try"], capture_output=True, check=False)
    return done.returncode == 0


pytestmark = [
    pytest.mark.skipif(
        os.geteuid() != 0 or not can_make_networks(), reason="network namespaces can be made by root only"
    ),
    pytest.mark.usefixtures("network"),
]


def ip(*arguments, space=None):
    within = ["-n", f"{NAME}-{space}"] if space else []
    subprocess.run(["ip", *within, *arguments], check=True, capture_output=True)


def join(space, address, mtu=1500, mac=None):
    """A namespace with net1 at the hub's bridge."""
    ip("netns", "add", f"{NAME}-{space}")
    ip("link", "set", "lo", "up", space=space)
    ip("link", "add", f"v{space}", "type", "veth", "peer", "name", "net1", "netns", f"{NAME}-{space}", space="hub")
    ip("link", "set", f"v{space}", "master", "seg", "mtu", str(mtu), "up", space="hub")
    if mac:
        ip("link", "set", "net1", "address", mac, space=space)
    ip("link", "set", "net1", "mtu", str(mtu), "up", space=space)
    for one in address.split():
        ip("addr", "add", one, "dev", "net1", "nodad", space=space)


SPACES = ("hub", "pod", "peer", "thief", "jumbo", "first", "second", "nodefirst", "nodesecond")


@pytest.fixture
def network():
    try:
        ip("netns", "add", f"{NAME}-hub")
        ip("link", "set", "lo", "up", space="hub")
        ip("link", "add", "seg", "type", "bridge", space="hub")
        ip("link", "set", "seg", "up", space="hub")
        for address in ("10.9.0.1/24", "fd00:9::1/64"):
            ip("addr", "add", address, "dev", "seg", "nodad", space="hub")
        join("pod", "10.9.0.200/24 fd00:9::200/64", mac="02:00:00:00:00:c8")
        yield
    finally:
        for space in SPACES:
            subprocess.run(["ip", "netns", "del", f"{NAME}-{space}"], capture_output=True, check=False)


def inside(call, space="pod"):
    """What a function of the probe gives inside of a namespace."""
    code = f"import json, sys; sys.path.insert(0, {str(PROBE.parent)!r}); import probe; print(json.dumps({call}))"
    done = subprocess.run(
        ["ip", "netns", "exec", f"{NAME}-{space}", sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def look(gateways=(), peers=(), strangers=(), space="pod"):
    want = {"name": "net1", "gateways": gateways, "peers": peers, "strangers": strangers, "ownMac": True}
    call = f"probe.look_at_pod({{'interfaces': [{want!r}]}}, '', {{'name': 'kubernetes.default'}})"
    return inside(call, space)["interfaces"]["net1"]


def bridge_mac():
    shown = subprocess.run(["ip", "-n", f"{NAME}-hub", "-j", "link", "show", "seg"], check=True, capture_output=True)
    return json.loads(shown.stdout)[0]["address"]


def test_a_gateway_answers_with_its_mac_and_whole_packets():
    seen = look(gateways=["10.9.0.1", "fd00:9::1"])
    assert seen["arp"] == {"10.9.0.1": [bridge_mac()], "fd00:9::1": [bridge_mac()]}
    assert [seen["ping"][g]["received"] for g in ("10.9.0.1", "fd00:9::1")] == [3, 3]
    assert seen["path"] == {"10.9.0.1": 1500, "fd00:9::1": 1500}
    assert seen["others"] == {"10.9.0.200": []}


def test_a_gateway_that_is_not_there_is_missed():
    seen = look(gateways=["10.9.0.2"])
    assert seen["arp"] == {"10.9.0.2": []}
    assert seen["ping"]["10.9.0.2"]["received"] == 0
    assert seen["path"] == {}


def test_a_host_that_holds_the_address_is_found_with_its_mac():
    join("thief", "10.9.0.200/24", mac="02:00:00:00:00:66")
    assert look()["others"] == {"10.9.0.200": ["02:00:00:00:00:66"]}


MAC, OTHER_MAC = "02:00:00:00:00:c8", "02:00:00:00:00:d2"


@pytest.mark.parametrize("address", ["10.9.0.200/24", "10.9.0.200/24 fd00:9::210/64"])
def test_a_host_with_the_mac_and_the_address_is_found(address):
    join("thief", address, mac=MAC)
    assert "10.9.0.200" in look()["twins"]


def test_a_host_with_the_mac_and_another_address_is_found():
    join("thief", "10.9.0.201/24", mac=MAC)
    # The link-local address of its MAC address is the pod's, which defends it.
    ip("link", "set", "net1", "addrgenmode", "none", space="thief")
    ip("addr", "flush", "dev", "net1", "scope", "link", space="thief")
    for space, own in (("pod", "fe80::c8/64"), ("thief", "fe80::77/64")):
        ip("addr", "add", own, "dev", "net1", "nodad", space=space)
    assert look()["twins"]


def test_own_frames_that_a_bridge_reflects_are_nobody_elses():
    ip("link", "set", "vpod", "type", "bridge_slave", "hairpin", "on", space="hub")
    assert look()["twins"] == []


def test_alone_with_a_mac():
    join("peer", "10.9.0.201/24 fe80::77/64")
    assert look()["twins"] == []


def macvlan(space, mac, address):
    """A pod's net1 on the NIC up0 of a node at the hub's bridge."""
    node = f"node{space}"
    join(node, "10.9.0.250/24" if space == "first" else "10.9.0.251/24")
    ip("netns", "add", f"{NAME}-{space}")
    ip("link", "add", "link", "net1", "name", "mv0", "type", "macvlan", "mode", "bridge", space=node)
    ip("link", "set", "mv0", "address", mac, "netns", f"{NAME}-{space}", space=node)
    ip("link", "set", "mv0", "name", "net1", space=space)
    ip("link", "set", "net1", "up", space=space)
    ip("addr", "add", address, "dev", "net1", space=space)


def on_uplink():
    """What the probe finds on the NIC of the first pod's node."""
    shown = subprocess.run(["ip", "-n", f"{NAME}-first", "-j", "-d", "addr"], check=True, capture_output=True)
    raw = next(link for link in json.loads(shown.stdout) if link["ifname"] == "net1")
    return inside(f"probe.look_on_uplink(probe.short(json.loads({json.dumps(json.dumps(raw))})))", "nodefirst")


def test_a_macvlans_mac_on_another_host_is_found_on_its_nic():
    macvlan("first", OTHER_MAC, "10.9.0.210/24")
    assert on_uplink() == {"twins": []}
    join("thief", "10.9.0.210/24", mac=OTHER_MAC)
    assert "10.9.0.210" in on_uplink()["twins"]


def test_two_macvlans_of_two_nodes_with_one_mac_and_two_addresses():
    macvlan("first", OTHER_MAC, "10.9.0.210/24")
    macvlan("second", OTHER_MAC, "10.9.0.211/24")
    assert on_uplink()["twins"]
    ip("link", "del", "net1", space="second")
    assert on_uplink() == {"twins": []}


def test_the_largest_packet_of_a_narrow_path_is_measured():
    join("peer", "10.9.0.201/24 fd00:9::201/64", mtu=1342)
    assert look(peers=["10.9.0.201", "fd00:9::201"])["path"] == {"10.9.0.201": 1342, "fd00:9::201": 1342}


def test_jumbo_frames_are_proven_end_to_end():
    for space, device in (("hub", "vpod"), ("pod", "net1"), ("hub", "seg")):
        ip("link", "set", device, "mtu", "9000", space=space)
    join("jumbo", "10.9.0.202/24", mtu=9000)
    join("peer", "10.9.0.201/24")
    ip("link", "set", "seg", "mtu", "9000", space="hub")
    assert look(peers=["10.9.0.201", "10.9.0.202"])["path"] == {"10.9.0.201": 1500, "10.9.0.202": 9000}


def test_strangers_are_asked_for_and_not_pinged():
    join("peer", "10.9.0.201/24", mac="02:00:00:00:00:c9")
    seen = look(strangers=["10.9.0.201", "10.8.0.1"])
    assert seen["arp"] == {"10.9.0.201": ["02:00:00:00:00:c9"], "10.8.0.1": []}
    assert seen["ping"] == {}


def test_an_interface_without_an_address_says_so():
    ip("addr", "flush", "dev", "net1", space="pod")
    seen = look(gateways=["10.9.0.1"])
    assert seen["ping"]["10.9.0.1"]["error"] == "the interface has no address"


def test_links_and_routes_are_read():
    ip("route", "add", "default", "via", "10.9.0.1", space="pod")
    seen = inside("probe.look_at_pod({'interfaces': []}, '', {'name': 'kubernetes.default'})")
    assert seen["links"]["net1"]["kind"] == "veth"
    assert seen["links"]["net1"]["mac"] == "02:00:00:00:00:c8"
    assert {a["address"] for a in seen["links"]["net1"]["addresses"]} == {"10.9.0.200", "fd00:9::200"}
    assert {"dst": "default", "gateway": "10.9.0.1", "dev": "net1"}.items() <= seen["routes"][0].items()
    assert seen["dns"] == {"error": "the pod's resolv.conf has no nameserver"}


SERVER = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.9.0.1", 53))
print("ready", flush=True)
while True:
    q, who = s.recvfrom(512)
    known = b"kubernetes" in q and q[-4:-2] == bytes([0, 1])
    answer = b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\5\\0\\4" + socket.inet_aton("10.233.0.1") if known else b""
    s.sendto(q[:2] + (b"\\x81\\x80" if known else b"\\x81\\x83") + b"\\0\\1" + bytes([0, 1 if known else 0]) + b"\\0\\0\\0\\0" + q[12:] + answer, who)
"""


@pytest.fixture
def dns_server(network):  # noqa: ARG001 - the order of the two
    process = subprocess.Popen(
        ["ip", "netns", "exec", f"{NAME}-hub", sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    yield
    process.kill()
    process.wait()


@pytest.mark.usefixtures("dns_server")
def test_the_pod_s_own_name_server_is_asked():
    conf = "search default.svc.site.local svc.site.local site.local\\nnameserver 10.9.0.1\\n"
    assert inside(f"probe.ask_dns('{conf}', 'kubernetes.default')") == {
        "name": "kubernetes.default.svc.site.local",
        "server": "10.9.0.1",
        "address": "10.233.0.1",
    }
    assert inside(f"probe.ask_dns('{conf}', 'nobody.default')")["error"] == "the name does not exist"


def test_a_silent_name_server_is_told():
    assert inside("probe.ask_dns('nameserver 10.9.0.1', 'kubernetes.default')")["error"] == "Connection refused"


def test_a_whole_task_answers_for_the_node_and_for_pods_that_are_not_there():
    task = {
        "binaries": ["no-such-plugin"],
        "needed": [],
        "uplinks": ["lo"],
        "name": "kubernetes.default",
        "pods": [{"uid": "00000000-0000-0000-0000-000000000000", "interfaces": []}],
    }
    done = subprocess.run([sys.executable, PROBE, json.dumps(task)], capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    assert [link["name"] for link in answer["node"]["links"]] == ["lo"]
    assert answer["node"]["binaries"] == {}
    assert answer["pods"] == {task["pods"][0]["uid"]: {"error": "no process of this pod runs on the node"}}
