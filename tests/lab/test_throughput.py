"""Throughput in the lab: the output of `up`, and the whole measurement on demand, whose pods are gone afterwards."""

import json
import statistics

import pytest

pytestmark = pytest.mark.lab

MACVLAN = ("macvlan-internal", "macvlan-external")
POD_NETWORK = ("pod-network",)
NETWORKS = {"node", *POD_NETWORK, *MACVLAN}
KEYS = {
    "network",
    "protocol",
    "streams",
    "from",
    "to",
    "gbitsPerSecond",
    "stddev",
    "retransmits",
    "ratioToNode",
    "ratioToNodeRange",
    "latencyMicroseconds",
}


def test_the_figures_are_an_output(lab):
    rows = json.loads(lab.pulumi("stack", "output", "throughput", "--json").stdout)
    assert {(r["network"], r["from"]) for r in rows} == {(n, f) for n in NETWORKS for f in ("node1", "node2")}
    assert all(set(r) >= KEYS for r in rows)
    assert all(r["gbitsPerSecond"] > 0.1 for r in rows)


def test_everything_is_measured_on_demand(lab):
    done = lab.run(
        ".venv/bin/python", "-m", "cli", "throughput", "lab", "--seconds", "1", "--format", "json", seconds=600
    )
    rows = json.loads(done.stdout)
    kinds = {(r["protocol"], r["streams"]) for r in rows}
    assert kinds == {("tcp", 1), ("tcp", 4), ("udp", 1), ("udp", 4)}
    assert {r["network"] for r in rows} == NETWORKS
    assert all(r["runs"] == 3 for r in rows)
    assert all(10 < r["latencyMicroseconds"] < 10_000 for r in rows)
    # Both ends share this machine's cores with everything else: one figure may be noise, the middle one of eight is none.
    tcp = [r for r in rows if r["protocol"] == "tcp"]
    middle = {n: statistics.median(r["ratioToNode"] for r in tcp if r["network"] in n) for n in (MACVLAN, POD_NETWORK)}
    assert middle[MACVLAN] >= 0.9
    assert middle[MACVLAN] > middle[POD_NETWORK]
    assert all(0 <= r["lossPercent"] <= 100 for r in rows if r["protocol"] == "udp")
    assert lab.kubectl("get", "namespace", "-o", "name").count("throughput") == 0
    report = (lab.place.project / "reports" / "lab.html").read_text()
    assert "UDP, 4 streams" in report
