"""What drifted on a node makes its commands run again, once, and those of no other node."""

import json

import pulumi
import pytest

from components import drift, leaks
from multus_site.nodes.drift.observation import NodeState
from multus_site.nodes.leaks.audit import Audit
from multus_site.ssh.fan_out import Results
from multus_site.ssh.ssh_route import ReachError
from multus_site.verify.leaks import Leak
from tests.graph.recording import Answers, lab_site, record

SHA = "a" * 64
NICS = {"ens6": {"mtu": 1500, "mac": "02:00:00:00:00:06"}}


def applied(mended="0"):
    whole = {"facts": {"machineId": "1", "nics": NICS}, "plugins": {"macvlan": {"sha256": SHA}}, "mended": mended}
    return {node: whole for node in ("node1", "node2", "node3")}


def state(**changes):
    nics = {"ens6": {**NICS["ens6"], "up": True}}
    whole = {
        "hostname": "node",
        "machineId": "1",
        "plugins": {"macvlan": {"sha256": SHA, "mode": "root:root 755"}},
        "nics": nics,
        "files": [],
        "kubespray": None,
    }
    return NodeState.model_validate({**whole, **changes})


def state_with(nodes):
    """A stack's state with this output `nodes`; nothing before the first update."""
    stack = {"type": "pulumi:pulumi:Stack", "outputs": {"nodes": nodes}}
    return {"urn:pulumi:lab::multus-site::pulumi:pulumi:Stack::multus-site-lab": stack} if nodes else {}


@pytest.fixture
def site(monkeypatch):
    """Records the lab's graph after an update that left `outputs`, with nodes as they are `seen`."""

    def recorded(outputs, seen, left=(), **changes):
        monkeypatch.setattr(leaks, "_look", lambda *_: Audit(leaks=list(left)))
        monkeypatch.setattr(drift, "observe_all", lambda *_: Results(seen))
        monkeypatch.setattr(drift, "silent", lambda *_: {})
        graph = record(lab_site(**changes), answers=Answers(state_with(outputs)))
        plugins = json.loads(text(graph["Command lab-cni-plugins-install"].inputs["stdin"]))["nodes"]
        return {
            node: [
                text(graph[f"Command lab-{node}-machine"].inputs["stdin"]),
                text(graph[f"Command lab-{node}-facts"].inputs["stdin"]),
                plugins[node],
                *(text(c.inputs["stdin"]) for n, c in graph.items() if n == f"Command lab-{node}-networks-apply"),
                json.loads(text(graph["Command lab-leaks-free"].inputs["stdin"]))["reasons"][node],
            ]
            for node in ("node1", "node2", "node3")
        }

    return recorded


def text(stdin):
    return stdin if isinstance(stdin, str) else stdin["value"]


def all_well():
    return {node: state() for node in ("node1", "node2", "node3")}


def test_without_drift_nothing_runs_again(site):
    first = site(None, {})
    assert site(applied(), all_well()) == first


def test_a_node_that_drifted_runs_its_commands_again_and_no_other(site):
    first = site(applied(), all_well())
    now = site(applied(), {**all_well(), "node2": state(plugins={})})
    assert now["node2"] != first["node2"]
    assert (now["node1"], now["node3"]) == (first["node1"], first["node3"])


def test_once_it_is_mended_the_next_update_has_nothing_to_do(site):
    mending = site(applied(), {node: state(plugins={}) for node in all_well()})
    assert site(applied(mended="1"), all_well()) == mending


@pytest.mark.parametrize("preview", [True, False])
def test_a_node_whose_state_is_unknown_is_named_with_the_reason(monkeypatch, preview):
    told = {"info": [], "warn": []}
    for level, lines in told.items():
        monkeypatch.setattr(pulumi.log, level, lambda line, *_, lines=lines: lines.append(line))
    monkeypatch.setattr(drift, "observe_all", lambda *_: Results({}, {"node1": ReachError("ssh is not on PATH")}))
    monkeypatch.setattr(drift, "silent", lambda *_: {"node2": "10.1.1.6 does not answer on port 22: No route to host"})
    record(lab_site(), answers=Answers(state_with(applied())), preview=preview)
    lines = [line for line in told["info" if preview else "warn"] if "whether it drifted is unknown" in line]
    assert len(lines) == 2
    assert any(line.startswith("node1: ") and line.endswith("ssh is not on PATH") for line in lines)
    assert any(line.startswith("node2: ") and line.endswith("No route to host") for line in lines)


def test_a_node_that_cannot_be_reached_stays_as_it_was(site):
    assert site(applied(mended="3"), {}) == site(applied(mended="3"), all_well())


def test_what_is_not_ours_to_put_back_runs_nothing(site):
    other = {"ens6": {**NICS["ens6"], "up": True, "mac": "02:00:00:00:00:07"}}
    assert site(applied(), {node: state(nics=other) for node in all_well()}) == site(applied(), all_well())


def test_the_mtu_of_a_machine_that_was_made_here_is_put_back(site):
    narrow = state(nics={"ens6": {**NICS["ens6"], "up": True, "mtu": 1400}})
    first = site(applied(), all_well())
    now = site(applied(), {**all_well(), "node3": narrow})
    assert now["node3"] != first["node3"]
    assert (now["node1"], now["node2"]) == (first["node1"], first["node2"])


def test_a_link_that_is_gone_is_made_again_on_its_node(site):
    links = {"bond0": {"type": "bond", "members": ["ens8"]}}
    own = {"links": {"bond0": {"mtu": 1500}}, "files": {}}
    outputs = {node: {**there, "networks": own} for node, there in applied().items()}
    there = state(nics={"ens6": {**NICS["ens6"], "up": True}, "bond0": {"up": True, "mtu": 1500, "mac": "x"}})
    first = site(outputs, dict.fromkeys(all_well(), there), links=links)
    now = site(outputs, {**dict.fromkeys(all_well(), there), "node2": state()}, links=links)
    assert now["node2"][-2] != first["node2"][-2]
    assert (now["node1"], now["node3"]) == (first["node1"], first["node3"])


def test_a_plugin_of_calico_s_has_no_sha_to_be_held_to(site):
    """As an update leaves it: `owner` in the place of a sha256."""
    outputs = {
        n: {**there, "plugins": {"tuning": {"owner": "calico", "versions": []}}} for n, there in applied().items()
    }
    for plugins in ({}, {"tuning": {"sha256": SHA, "mode": "root:root 755"}}):
        assert site(outputs, {n: state(plugins=plugins) for n in all_well()}) == site(outputs, all_well())


def leak(where, kind="address"):
    return Leak(where, kind, "10.1.10.200 of internal is reserved", "internal", "b" * 64, 3600, freed=False, path="")


def test_what_pods_left_behind_is_given_back_once_and_nothing_else_runs(site):
    first = site(applied(), all_well())
    now = site(applied(), all_well(), left=[leak("node2"), leak("node2")])
    assert [reason[-1] for reason in now.values()] == ["0", "1", "0"]
    assert {node: its[:-1] for node, its in now.items()} == {node: its[:-1] for node, its in first.items()}
    outputs = applied()
    outputs["node2"] = {**outputs["node2"], "returned": "1"}
    assert site(outputs, all_well()) == now


def test_an_allocation_of_whereabouts_is_given_back_through_the_control_plane(site):
    now = site(applied(), all_well(), left=[leak("IPPool kube-system/10.1.10.0-24", "pool")])
    assert [reason[-1] for reason in now.values()] == ["1", "0", "0"]


def test_the_damaged_cache_of_a_pod_that_runs_makes_nothing_run(site):
    assert site(applied(), all_well(), left=[leak("node2", "damaged")]) == site(applied(), all_well())


def test_a_machine_that_stands_still_is_started_and_its_node_seen_to(site, monkeypatch):
    first = site(applied(), all_well())
    monkeypatch.setattr(drift, "stopped", lambda *_: {"node3"})
    now = site(applied(), {"node1": state(), "node2": state()})
    assert now["node3"] != first["node3"]
    assert (now["node1"], now["node2"]) == (first["node1"], first["node2"])
    monkeypatch.setattr(drift, "stopped", lambda *_: set())
    outputs = applied()
    outputs["node3"] = {**outputs["node3"], "mended": "1", "started": "1"}
    assert site(outputs, all_well()) == now
