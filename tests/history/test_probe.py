"""The probe on real network namespaces of this machine: what `ip` would say, on the segment of its parent."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.history import probe


def links(**more):
    link = {"name": "net1", "mac": "02:00:00:00:00:01", "parent": 3, "elsewhere": True, "master": 0, "up": True}
    return {7: {**link, "loopback": False, "addresses": ["10.1.10.5", "fd00::5"], **more}}


HOST = {
    3: {"name": "ens6", "master": 0},
    4: {"name": "veth1", "master": 5},
    5: {"name": "br0", "master": 0},
    6: {"name": "veth2", "master": 0},
}
SEGMENTS = {"ens6": "internal"}


@pytest.mark.parametrize(
    ("more", "segment"),
    [
        ({}, "internal"),
        ({"parent": 4}, "node2/br0"),
        ({"parent": 6}, "node2/veth2"),
        ({"parent": 0, "elsewhere": False}, "node2/cni-1/net1"),
        ({"parent": 99}, "node2/cni-1/net1"),
    ],
)
def test_a_link_is_on_the_segment_of_its_parent(more, segment):
    found = probe.live("node2", "cni-1", links(**more), HOST, SEGMENTS)
    assert {key[2] for key in found} == {segment}
    assert {key[3:] for key in found} == {
        ("mac", "02:00:00:00:00:01"),
        ("address", "10.1.10.5"),
        ("address", "fd00::5"),
    }


@pytest.mark.parametrize("more", [{"up": False}, {"loopback": True}])
def test_what_is_down_is_not_live(more):
    assert probe.live("node2", "cni-1", links(**more), HOST, SEGMENTS) == set()


def test_a_bridge_port_speaks_for_no_host():
    port = {4: {**links()[7], "name": "veth1", "master": 5}}
    assert probe.live("node2", probe.HOST, port, {}, SEGMENTS) == set()
    uplink = {4: {**links()[7], "name": "ens6", "master": 5}}
    assert {key[2] for key in probe.live("node2", probe.HOST, uplink, {}, SEGMENTS)} == {"internal"}


SCRIPT = """
set -eu
ip link add up6 type veth peer name wire
ip link set up6 up; ip link set wire up
ip netns add histone
ip link add link up6 name net1 netns histone address 02:00:00:00:00:aa type macvlan mode bridge
ip -n histone addr add 10.1.10.77/24 dev net1
ip -n histone addr add fd00:10::77/64 dev net1 nodad
ip -n histone link set net1 up
"$PYTHON" "$PROBE" '{"node": "n", "segments": {"up6": "internal"}, "interval": 0.05}' >"$OUT" &
pid=$!
sleep 1.5
ip -n histone addr del 10.1.10.77/24 dev net1
sleep 1
ip netns del histone
sleep 1
kill $pid
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="making network namespaces needs root")
def test_it_sees_what_comes_and_goes_in_a_namespace_and_keeps_none_alive(tmp_path):
    out = tmp_path / "events"
    # Namespaces of its own for network and mounts, so that /run/netns is empty.
    command = [
        "unshare",
        "--net",
        "--mount",
        "sh",
        "-c",
        f"mount -t tmpfs none /run && mkdir /run/netns && {{ {SCRIPT}\n}}",
    ]
    variables = {**os.environ, "OUT": str(out), "PROBE": str(Path(probe.__file__)), "PYTHON": sys.executable}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60)
    if "Operation not permitted" in done.stderr:
        pytest.skip(f"no network namespaces here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in out.read_text().splitlines()]
    ours = [e for e in events if e.get("netns") == "histone"]
    told = [(e["event"], e["segment"], e["value"]) for e in ours if e["kind"] == "address"]
    assert sorted(told[:2]) == [("live", "internal", "10.1.10.77"), ("live", "internal", "fd00:10::77")]
    assert told[2:] == [("gone", "internal", "10.1.10.77"), ("gone", "internal", "fd00:10::77")]
    assert [(e["event"], e["value"]) for e in ours if e["kind"] == "mac"] == [
        ("live", "02:00:00:00:00:aa"),
        ("gone", "02:00:00:00:00:aa"),
    ]
    looks = [e for e in events if e["event"] == "sampled"]
    assert looks
