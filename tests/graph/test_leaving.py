"""Who leaves through whom, and when: the order machine, SSH, cluster, and back."""

import json

import pytest

from tests.graph.recording import lab_site, record

ALL_ROLES = ["control-plane", "etcd", "worker"]


def of_three_control_planes():
    data = lab_site()
    for host in data["nodes"]["hosts"].values():
        host["roles"] = ALL_ROLES
    return data


def leaves(graph, node):
    """The host that a node leaves through, and what the script is told."""
    document = json.loads(graph[f"Command lab-{node}-leave"].inputs["stdin"]["value"])  # a secret
    return document["address"], document["variables"]


@pytest.mark.parametrize("node", ["node1", "node2", "node3"])
def test_machine_then_ssh_then_cluster_then_what_it_leaves_by(node):
    graph = record()
    assert f"Command lab-{node}-machine" in graph.before(f"Command lab-{node}-facts")
    assert f"Command lab-{node}-facts" in graph.before("Command lab-kubernetes-kubespray")
    assert "Command lab-kubernetes-kubespray" in graph.before(f"Command lab-{node}-leave")
    # Which makes it go first: nothing waits for it.
    assert not [name for name in graph if f"Command lab-{node}-leave" in graph[name].dependencies]


def test_it_is_replaced_with_the_machine_and_by_nothing_else():
    command = record()["Command lab-node2-leave"]
    assert command.inputs["triggers"] == ["lab-node2-machine-id"]
    assert command.options.deleteBeforeReplace
    assert "create" not in command.inputs
    (machine,) = command.options.propertyDependencies["triggers"].urns
    assert machine.endswith("::lab-node2-machine")


def test_workers_leave_through_the_control_plane_which_refuses_for_itself():
    graph = record()
    for node in ("node2", "node3"):
        host, told = leaves(graph, node)
        assert (host, told["NODE"], told["FIRST"]) == ("10.1.1.5", node, "")
    host, told = leaves(graph, "node1")
    assert host == "10.1.1.5"
    assert "node1 is the first control plane node" in told["FIRST"]


def test_no_control_plane_node_leaves_through_itself_where_there_are_others():
    graph = record(of_three_control_planes())
    assert [leaves(graph, node)[0] for node in ("node1", "node2", "node3")] == ["10.1.1.6", "10.1.1.5", "10.1.1.5"]
    assert leaves(graph, "node2")[1]["FIRST"] == ""


def test_the_first_etcd_member_refuses_too():
    data = lab_site()
    data["nodes"]["hosts"]["node1"]["roles"] = ["control-plane", "worker"]
    data["nodes"]["hosts"]["node3"]["roles"] = ["etcd"]
    assert "node3 is the first etcd member" in leaves(record(data), "node3")[1]["FIRST"]
