"""Which pods a taint ends, and what is waited for."""

import asyncio

import pytest

from multus_site.nodes.topology import evictions
from multus_site.nodes.topology.evictions import settled, tolerates

TAINT = {"key": "multus-site/dedicated", "value": "c1", "effect": "NoExecute"}


@pytest.mark.parametrize(
    ("toleration", "stays"),
    [
        ({"operator": "Exists"}, True),
        ({"operator": "Exists", "effect": "NoExecute"}, True),
        ({"operator": "Exists", "effect": "NoSchedule"}, False),
        ({"key": TAINT["key"], "operator": "Exists"}, True),
        ({"key": TAINT["key"], "operator": "Equal", "value": "c1", "effect": "NoExecute"}, True),
        ({"key": TAINT["key"], "value": "c1"}, True),
        ({"key": TAINT["key"], "operator": "Equal", "value": "c2"}, False),
        ({"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": TAINT["key"], "operator": "Exists", "tolerationSeconds": 300}, False),
        ({"value": "c1"}, False),
    ],
)
def test_who_may_stay(toleration, stays):
    assert tolerates({"spec": {"tolerations": [toleration]}}, TAINT) is stays
    assert not tolerates({"spec": {}}, TAINT)


class Thing:
    def __init__(self, raw):
        self.raw, self.name, self.namespace = raw, raw["metadata"]["name"], "default"


class Api:
    """A cluster whose answers come from a list of states, the last of which stays."""

    def __init__(self, *states):
        self.states, self.asked = list(states), 0

    async def get(self, kind, **_selected):
        state = self.states[min(self.asked, len(self.states) - 1)]
        self.asked += kind == "statefulsets" or (kind == "pods" and bool(state["pods"]))
        for raw in state.get(kind, []):
            yield Thing(raw)


def pod(name, **more):
    return {"metadata": {"name": name, **more.pop("metadata", {})}, "spec": {}, **more}


def deployment(ready):
    return {"metadata": {"name": "w"}, "spec": {"replicas": 2}, "status": {"readyReplicas": ready}}


def waited(monkeypatch, *states):
    monkeypatch.setattr(evictions, "PAUSE", 0)
    monkeypatch.setattr(evictions, "SECONDS", 0.3)
    return list(asyncio.run(settled(Api(*states), {"n": [TAINT]}, {"deployments/default/w"})))


def test_waits_until_pods_are_gone_and_replaced(monkeypatch):
    before = {"pods": [pod("w-1")], "deployments": [deployment(2)]}
    between = {"pods": [], "deployments": [deployment(1)]}
    after = {"pods": [], "deployments": [deployment(2)]}
    assert waited(monkeypatch, before, between, after) == []


def test_says_which_pods_stay_and_what_is_not_ready_again(monkeypatch):
    assert waited(monkeypatch, {"pods": [pod("w-1")]}) == ["pods/default/w-1"]
    assert waited(monkeypatch, {"pods": [], "deployments": [deployment(1)]}) == ["deployments/default/w"]


def test_pods_that_nothing_ends_are_not_waited_for(monkeypatch):
    static = pod("s", metadata={"annotations": {"kubernetes.io/config.mirror": "x"}})
    done = pod("d", status={"phase": "Succeeded"})
    assert waited(monkeypatch, {"pods": [static, done], "deployments": [deployment(2)]}) == []
