"""What the cluster says becomes events: only what is new, and a pod that is gone is told once."""

import pytest

from lab.history.watch import Watch, allocated, asked, ready, writer

NETWORKS = "k8s.v1.cni.cncf.io/networks"


def pod(uid, networks="", *, is_ready=True, node="node2", **metadata):
    return {
        "metadata": {"uid": uid, "name": uid, "namespace": "history", "annotations": {NETWORKS: networks}, **metadata},
        "spec": {"nodeName": node},
        "status": {"conditions": [{"type": "Ready", "status": str(is_ready)}]},
    }


@pytest.mark.parametrize(
    ("networks", "count"),
    [
        ("", 0),
        ("a", 1),
        ("default/a,default/b@net7", 2),
        ('[{"name":"a","namespace":"default","ips":["10.1.10.31/24"]},{"name":"b"}]', 2),
        ("[", 0),
    ],
)
def test_how_many_interfaces_a_pod_asks_for(networks, count):
    assert asked(pod("u", networks)) == count


def test_a_pod_that_is_going_has_no_promise_to_keep():
    assert ready(pod("u"))
    assert not ready(pod("u", is_ready=False))
    assert not ready(pod("u", deletionTimestamp="2026-12-01T00:00:00Z"))


def test_only_what_is_new_is_told():
    told = []
    watch = Watch(None, lambda event, **more: told.append((event, more.get("uid"), more.get("ready"))))
    watch.take_pods([pod("a", "x"), pod("b", "x", is_ready=False), pod("c", node="")])
    watch.take_pods([pod("a", "x"), pod("b", "x")])
    watch.take_pods([pod("b", "x")])
    assert told == [("pod", "a", True), ("pod", "b", False), ("pod", "b", True), ("deleted", "a", None)]


def test_an_allocation_is_named_for_its_address():
    pool = {
        "spec": {
            "range": "10.1.10.0/24",
            "allocations": {"100": {"id": "sb1", "podref": "h/a"}, "101": {"podref": "h/b"}},
        }
    }
    six = {"spec": {"range": "fd00:10::/64", "allocations": {"256": {"id": "sb3"}}}}
    empty = {"spec": {"range": "10.1.20.0/24"}}
    assert allocated([pool, six, empty]) == {
        ("whereabouts/10.1.10.0/24", "10.1.10.100"): "sb1",
        ("whereabouts/10.1.10.0/24", "10.1.10.101"): "h/b",
        ("whereabouts/fd00:10::/64", "fd00:10::100"): "sb3",
    }


def test_an_address_that_goes_on_to_another_sandbox_is_released_first(tmp_path):
    told = []
    watch = Watch(None, lambda event, **more: told.append((event, more["owner"])))
    for owner in ("sb1", "sb1", "sb2"):
        watch.take_pools([{"spec": {"range": "10.1.10.0/24", "allocations": {"1": {"id": owner}}}}])
    assert told == [("reserved", "sb1"), ("released", "sb1"), ("reserved", "sb2")]
    record = writer(tmp_path / "x.jsonl")
    record("end")
    assert (tmp_path / "x.jsonl").read_text().endswith('"event": "end"}\n')
