"""Throughput in the lab: the output of `up`, and the whole measurement on demand, whose pods are gone afterwards."""

import json

import pytest
import yaml

from tests.lab.running import PROJECT

pytestmark = pytest.mark.lab

NETWORKS = {"node", "pod-network", "macvlan-internal", "macvlan-external"}
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


def of_one_network(folder):
    """The lab's stack file with one of its two networks: as much is proven, in a minute less."""
    data = yaml.safe_load((PROJECT / "stacks" / "Pulumi.lab.yaml").read_text())
    site = data["config"]["multus-site:site"]
    del site["networks"]["macvlan-external"]
    site["workloads"]["samplepod"]["networks"] = ["macvlan-internal"]
    file = folder / "Pulumi.lab.yaml"
    file.write_text(yaml.safe_dump(data))
    return str(file)


def test_everything_is_measured_on_demand(lab, tmp_path):
    file = of_one_network(tmp_path)
    done = lab.run(
        ".venv/bin/python", "-m", "multus_site", "throughput", file, "--seconds", "1", "--format", "json", seconds=600
    )
    rows = json.loads(done.stdout)
    kinds = {(r["protocol"], r["streams"]) for r in rows}
    assert kinds == {("tcp", 1), ("tcp", 4), ("udp", 1), ("udp", 4)}
    assert {r["network"] for r in rows} == NETWORKS - {"macvlan-external"}
    assert all(r["runs"] == 3 for r in rows)
    assert all(r["latencyMicroseconds"] > 0 for r in rows)
    # How fast is for docs/measurements.md: this machine's cores are shared with everything else.
    assert all(r["ratioToNode"] > 0 for r in rows if r["network"] != "node")
    assert all(0 <= r["lossPercent"] <= 100 for r in rows if r["protocol"] == "udp")
    assert lab.kubectl("get", "namespace", "-o", "name").count("throughput") == 0
    report = (lab.place.project / "reports" / "lab.html").read_text()
    assert "UDP, 4 streams" in report
