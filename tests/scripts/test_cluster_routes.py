"""multus_site/scripts/cluster-routes.sh in a network namespace of its own, with eth0 as each network plugin leaves it."""

import json
import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = (Path(__file__).parent.parent.parent / "multus_site" / "scripts" / "cluster-routes.sh").read_text()
PODS, SERVICES, NODE = "10.233.64.0/18", "10.233.0.0/18", "10.1.1.6/32"

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or subprocess.run(["unshare", "--net", "true"], check=False).returncode != 0,
    reason="needs root and network namespaces",
)


def run(networks, *setup, default="", shown="-4 route show dev eth0"):
    """The routes of eth0 (or those `shown`) after the script, as (destination, gateway); and what it said."""
    made = [
        "ip link add eth0 type veth peer name p0",
        "ip link set eth0 up",
        "ip link set p0 up",
        *(f"ip {words}" for words in setup),
    ]
    text = "\n".join([*made, "export NETWORKS", f"( {SCRIPT} )", f'status=$?; ip -j {shown} >&3; exit "$status"'])
    command = ["unshare", "--net", "sh", "-c", f"exec 3>&1 >/dev/null\n{text}"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={**os.environ, "NETWORKS": " ".join(networks), "DEFAULT": default},
        check=False,
    )
    routes = {(r["dst"], r.get("gateway")) for r in json.loads(done.stdout or "[]")}
    return done.returncode, routes, done.stderr


@pytest.mark.parametrize(
    ("setup", "gateway"),
    [
        # flannel: a route to all pods by way of the node's bridge
        (["addr add 10.233.65.5/24 dev eth0", "route add 10.233.64.0/18 via 10.233.65.1"], "10.233.65.1"),
        # Calico: the next hop alone
        (["addr add 10.233.65.5/32 dev eth0", "route add 169.254.1.1 dev eth0 scope link"], "169.254.1.1"),
        # a bridge that had nothing but the default route
        (["addr add 10.233.65.5/24 dev eth0"], "10.233.65.1"),
    ],
)
def test_what_only_the_default_route_led_to_has_routes_of_its_own(setup, gateway):
    status, routes, said = run([PODS, SERVICES, NODE], *setup)
    assert status == 0, said
    assert {(PODS, gateway), (SERVICES, gateway), ("10.1.1.6", gateway)} <= routes


def test_a_family_that_the_pod_does_not_have_is_passed_by():
    status, routes, said = run([SERVICES, "fd85::/112"], "addr add 10.233.65.5/24 dev eth0")
    assert status == 0, said
    assert (SERVICES, "10.233.65.1") in routes


def test_without_a_next_hop_the_pod_does_not_start():
    status, _, said = run([SERVICES], "addr add 10.233.65.5/32 dev eth0")
    assert status == 1
    assert f"eth0 shows no next hop for {SERVICES}" in said


NET1 = ["link add net1 type veth peer name p1", "link set net1 up", "link set p1 up"]


@pytest.mark.parametrize("left", ["route add default via 10.233.65.1", "route add default via 10.1.10.1 dev net1"])
def test_the_default_route_leads_through_the_network_whatever_multus_left(left):
    addresses = ["addr add 10.233.65.5/24 dev eth0", "addr add 10.1.10.5/24 dev net1"]
    status, routes, said = run(
        [SERVICES], *NET1, *addresses, left, default="net1=10.1.10.1", shown="-4 route show default"
    )
    assert status == 0, said
    assert routes == {("default", "10.1.10.1")}


def test_each_family_has_its_own_default_route():
    addresses = ["addr add fd85::5/64 dev eth0 nodad", "addr add fd00:10::5/64 dev net1 nodad"]
    status, routes, said = run(
        ["fd86::/112"],
        *NET1,
        *addresses,
        "-6 route add default via fd85::1 dev eth0",
        default="net1=fd00:10::1",
        shown="-6 route show default",
    )
    assert status == 0, said
    assert routes == {("default", "fd00:10::1")}
