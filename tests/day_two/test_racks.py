"""Racks on the running lab, in order: named, spread over, one dedicated, emptied, used, and taken back.

`make lab-day-two` runs it on a lab that is up, and leaves that as it was.
"""

import json

import pytest

from tests.day_two.sites import lab_configuration, of_the_lab
from tests.lab.running import eventually

pytestmark = pytest.mark.day_two

RACK, ROW, ZONE = "topology.multus-site/rack", "topology.multus-site/row", "topology.kubernetes.io/zone"
OURS = "multus-site/topology"
TAINT = {"key": "multus-site/dedicated", "value": "c1"}
POD = {
    "image": "docker.io/library/busybox:1.36",
    "command": ["tail", "-f", "/dev/null"],
    "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "16Mi"}},
}


@pytest.fixture(scope="module")
def cluster(lab):
    """The lab's own stack; at the end as it was."""
    cluster = of_the_lab(lab)
    yield cluster
    cluster.configuration = lab_configuration()
    cluster.up()


def node(cluster, name):
    return json.loads(cluster.kubectl("get", "node", name, "-o", "json"))


def taints(cluster, name):
    """Taints of a node that are no controller's."""
    found = node(cluster, name)["spec"].get("taints", [])
    return [{k: t[k] for k in ("key", "value", "effect")} for t in found if "kubernetes.io/" not in t["key"]]


def pods(cluster, workload):
    """Running pod → its node, of those that stay."""
    found = json.loads(cluster.kubectl("get", "pods", "-l", f"app.kubernetes.io/name={workload}", "-o", "json"))
    return {
        p["metadata"]["uid"]: p["spec"]["nodeName"]
        for p in found["items"]
        if "deletionTimestamp" not in p["metadata"] and p["status"]["phase"] == "Running"
    }


def test_racks_are_named_and_pods_spread_over_them(cluster):
    for name, rack in (("node1", "r1"), ("node2", "r2"), ("node3", "c1")):
        cluster.hosts[name]["rack"] = rack
    cluster.site["racks"] = {"r1": {"row": "a"}, "r2": {"row": "a", "zone": "east"}, "c1": {"row": "b"}}
    cluster.site["workloads"]["spread"] = {**POD, "replicas": 3, "spread": "rack"}
    sample = pods(cluster, "samplepod")
    cluster.up()
    assert cluster.ran() == {}
    labels = {name: node(cluster, name)["metadata"]["labels"] for name in cluster.hosts}
    assert {name: (its[RACK], its[ROW], its[ZONE]) for name, its in labels.items()} == {
        "node1": ("r1", "a", "r1"),
        "node2": ("r2", "a", "east"),
        "node3": ("c1", "b", "c1"),
    }
    assert sorted(pods(cluster, "spread").values()) == ["node1", "node2", "node3"]
    assert pods(cluster, "samplepod") == sample
    cluster.up("--expect-no-changes")


def test_a_rack_is_dedicated_and_pods_that_are_there_stay(cluster):
    there, sample = pods(cluster, "spread"), pods(cluster, "samplepod")
    cluster.site["racks"]["c1"]["dedicated"] = True
    cluster.up()
    assert cluster.ran() == {}
    assert taints(cluster, "node3") == [{**TAINT, "effect": "NoSchedule"}]
    assert pods(cluster, "spread") == there
    assert pods(cluster, "samplepod") == sample


def test_it_is_emptied_and_its_pods_start_elsewhere(cluster):
    sample = pods(cluster, "samplepod")
    cluster.site["racks"]["c1"]["dedicated"] = {"effect": "NoExecute"}
    cluster.up()
    assert cluster.ran() == {}
    assert taints(cluster, "node3") == [{**TAINT, "effect": "NoExecute"}]
    # The dedicated rack counts for nothing: the third pod does not wait for it.
    assert sorted(set(pods(cluster, "spread").values())) == ["node1", "node2"]
    assert len(pods(cluster, "spread")) == 3
    assert pods(cluster, "samplepod") == sample
    daemons = json.loads(cluster.kubectl("get", "pods", "-n", "kube-system", "-l", "name=multus", "-o", "json"))[
        "items"
    ]
    assert sorted(p["spec"]["nodeName"] for p in daemons) == ["node1", "node2", "node3"]


def test_a_workload_that_names_it_runs_there_with_its_network(cluster):
    networks = cluster.site["networks"]
    # A range of its own: host-local on another node than the sample's would hand the same addresses out.
    networks["compute"] = {**networks["macvlan-internal"], "racks": ["c1"]}
    networks["compute"]["ipam"] = {
        "type": "host-local",
        "ranges": [
            {"subnet": "10.1.10.0/24", "rangeStart": "10.1.10.150", "rangeEnd": "10.1.10.160", "gateway": "10.1.10.1"}
        ],
    }
    cluster.site["workloads"]["compute"] = {**POD, "racks": ["c1"], "networks": ["compute"]}
    cluster.up()
    assert list(pods(cluster, "compute").values()) == ["node3"]


def test_a_host_goes_to_another_rack_without_leaving_the_cluster(cluster):
    uid = node(cluster, "node2")["metadata"]["uid"]
    cluster.hosts["node2"]["rack"] = "r1"
    del cluster.site["racks"]["r2"]
    cluster.site["workloads"]["spread"]["spread"] = "node"
    cluster.up()
    assert cluster.ran() == {}
    found = node(cluster, "node2")["metadata"]
    assert (found["uid"], found["labels"][RACK], found["labels"][ZONE]) == (uid, "r1", "r1")


def test_what_is_said_no_more_is_taken_away(cluster):
    cluster.configuration = of_the_lab(cluster.lab).configuration
    cluster.up()
    assert cluster.ran() == {}
    for name in cluster.hosts:
        found = node(cluster, name)["metadata"]
        assert not {RACK, ROW, ZONE} & set(found["labels"])
        assert OURS not in found["annotations"]
        assert taints(cluster, name) == []
    eventually(lambda: not pods(cluster, "compute") and not pods(cluster, "spread"))
    cluster.up("--expect-no-changes")
