"""The graph of a site of virtual machines: where each is made, what waits for it, what goes with it."""

from tests.graph.recording import record
from tests.review.changes import virtual


def of_two_hypervisors():
    data = virtual()
    data["nodes"]["libvirt"]["machines"] = {"node2": {"hypervisor": "kvm2", "memory": 8192}}
    return data


def here():
    data = virtual()
    data["nodes"]["libvirt"].pop("hypervisor")
    return data


def test_each_is_made_on_its_hypervisor_which_is_pinned():
    graph = record(of_two_hypervisors())
    connections = {
        node: graph[f"Command lab-{node}-machine"].inputs["connection"]["value"] for node in ("node1", "node2")
    }
    assert {node: it["host"] for node, it in connections.items()} == {"node1": "10.1.1.2", "node2": "10.1.1.3"}
    assert all(it["hostKey"].startswith("ssh-ed25519 ") for it in connections.values())
    assert graph["Command lab-node1-machine"].type == "command:remote:Command"


def test_without_a_hypervisor_they_are_made_where_pulumi_runs():
    graph = record(here())
    assert graph["Command lab-node1-machine"].type == "command:local:Command"


def test_the_node_is_looked_at_after_its_machine_and_the_cluster_after_that():
    for data in (here(), of_two_hypervisors()):
        graph = record(data)
        assert "Command lab-node1-machine" in graph["Command lab-node1-facts"].dependencies
        assert "Command lab-node1-machine" in graph.before("Command lab-kubernetes-kubespray")


def test_the_old_machine_goes_before_the_new_one_comes():
    for data in (here(), of_two_hypervisors()):
        made = record(data)["Command lab-node1-machine"]
        assert made.options.deleteBeforeReplace
        assert list(made.inputs["triggers"]) == [
            "image sha256 " + "c" * 64,
            "address 10.1.1.5",
            f"hypervisor {data['nodes']['libvirt'].get('hypervisor', 'here')}",
            "storage /var/lib/libvirt/images",
            "ens6 by bridge with MTU 1500",
            "ens7 by bridge with MTU 1500",
            "eth0 by bridge with MTU 1500",
        ]


def test_a_preview_shows_what_a_machine_is_made_of():
    graph = record(of_two_hypervisors())
    assert graph["NodeVM lab-node2"].inputs["machine"] == (
        "2 CPUs, 8192 MiB of memory, 20 GiB of disk, on kvm2, eth0 in br-mgmt, ens6 in br-int, ens7 in br-ext"
    )
    assert record()["NodeVM lab-node1"].inputs["machine"] == "all CPUs, all memory"


def test_what_is_there_already_is_changed_and_not_made():
    for data in (here(), of_two_hypervisors()):
        told = record(data)["Command lab-node1-machine"].inputs
        assert [told[which].split()[-1] for which in ("create", "update", "delete")] == ["make", "change", "remove"]


def test_its_host_key_is_told_through_standard_input_alone_and_as_a_secret():
    made = record(of_two_hypervisors())["Command lab-node1-machine"]
    assert "value" in made.inputs["stdin"]  # a secret
    assert "SEED=" not in made.inputs["create"]


def test_where_machines_go_the_cluster_goes_with_them():
    assert record(here())["Command lab-kubernetes-kubespray"].options.deletedWith.endswith("lab-node1-machine")


def test_machines_of_etcd_and_control_planes_one_after_another_the_others_at_once():
    data = of_two_hypervisors()
    node = data["nodes"]["hosts"]["node2"]
    data["nodes"]["hosts"] |= {f"node{i}": {"address": f"10.1.1.{4 + i}"} for i in (4, 5, 6)}
    data["nodes"]["hosts"]["node5"]["roles"] = ["etcd"]
    node["roles"] = ["worker", "etcd"]
    graph = record(data)
    machines = {name: f"Command lab-{name}-machine" for name in data["nodes"]["hosts"]}
    before = {
        name: [other for other, its in machines.items() if its in graph.before(one)] for name, one in machines.items()
    }
    assert {name: others for name, others in before.items() if others} == {
        "node2": ["node1"],
        "node5": ["node1", "node2"],
    }
    assert "Command lab-node1-facts" in graph.before(machines["node2"])
