"""Where labels and taints of nodes stand in the graph."""

import json

from tests.graph.recording import lab_site, record
from tests.render.placement import in_racks

APPLY = "Command lab-topology-apply"


def graph(**c1):
    workload = {**lab_site()["workloads"]["samplepod"], "racks": ["c1"], "nodes": []}
    return record(in_racks(lab_site(interfaceRepair={}), workload, **c1))


def test_a_site_without_racks_has_none_of_it():
    assert not [name for name in record() if "opology" in name]


def test_nodes_have_them_before_any_workload_starts_and_once_they_are_in_the_cluster():
    made = graph(dedicated=True)
    assert "Command lab-kubernetes-kubespray" in made.before(APPLY)
    assert APPLY in made.before("Deployment lab-w")
    assert APPLY in made.before("Command lab-verification-run")


def test_the_cluster_takes_them_with_it():
    assert graph()[APPLY].options.deletedWith.endswith("::lab-kubernetes-kubespray")


def test_the_program_is_told_every_node_and_kubespray_those_that_join():
    made = graph(dedicated=True)
    given = json.loads(made[APPLY].inputs["stdin"]["value"])
    taint = {"key": "multus-site/dedicated", "value": "c1", "effect": "NoSchedule"}
    assert {name: its["taints"] for name, its in given["nodes"].items()} == {"node1": [], "node2": [], "node3": [taint]}
    document = json.loads(made["Command lab-kubernetes-kubespray"].inputs["stdin"]["value"])
    assert document["hosts"]["node3"]["node_taints"] == ["multus-site/dedicated=c1:NoSchedule"]
    assert document["hosts"]["node3"]["node_labels"] == given["nodes"]["node3"]["labels"]
    assert document["own_groups"]["rack_c1"] == ["node3"]


def test_pods_of_a_dedicated_rack_tolerate_it_and_the_repair_of_interfaces_too():
    made = graph(dedicated=True)
    pod = made["Deployment lab-w"].inputs["spec"]["template"]["spec"]
    assert [t["value"] for t in pod["tolerations"]] == ["c1"]
    job = made["CronJob lab-mend-interfaces"].inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert "c1" in [t["value"] for t in job["tolerations"] if "value" in t]
