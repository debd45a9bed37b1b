"""What racks are to Kubernetes."""

import pytest

from multus_site.model.load import parse_site
from multus_site.model.racks import LABELS
from multus_site.render import repair, topology
from multus_site.render.workload import GROUP_LABEL, LABEL, Surroundings, objects
from tests.graph.recording import lab_site
from tests.render.placement import in_racks

IMAGE = "docker.io/library/busybox:1.36"
TOLERATION = {"key": "multus-site/dedicated", "operator": "Equal", "value": "c1", "effect": "NoSchedule"}


def pods(more=None, **workload):
    """The specs of a workload's pods."""
    data = lab_site()
    data["networks"]["macvlan-internal"]["ipam"] = {"type": "static", "gateways": ["10.1.10.1"]}
    site = parse_site(in_racks(data, {"image": IMAGE, **workload}, **(more or {"dedicated": True})), source="x")
    w = site.workloads["w"]
    around = Surroundings(
        image=IMAGE,
        nodes=site.restricted_to(w),
        shunned_racks=[name for name, rack in site.racks.items() if rack.dedicated],
        tolerated=site.tolerated(w),
        contents={a.name: "{}" for a in w.networks},
    )
    return [m.body["spec"]["template"] for m in objects("w", w, around) if m.kind != "Service"]


def chosen(pod):
    """The one expression of a pod's node affinity: key, operator, values."""
    terms = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    (expression,) = terms["nodeSelectorTerms"][0]["matchExpressions"]
    return expression["key"], expression["operator"], expression["values"]


def test_every_node_is_spoken_of_once_any_stands_in_a_rack():
    site = parse_site(in_racks(lab_site(), {"image": IMAGE}, dedicated={"effect": "NoExecute"}), source="x")
    found = topology.nodes(site)
    assert list(found) == ["node1", "node2", "node3"]
    assert found["node1"] == {"labels": site.labels_of("node1"), "taints": []}
    assert found["node3"]["taints"] == [{"key": "multus-site/dedicated", "value": "c1", "effect": "NoExecute"}]
    assert topology.nodes(parse_site(lab_site(), source="x")) == {}


def test_pods_of_racks_are_told_the_racks_so_that_one_more_node_changes_none():
    (pod,) = pods(racks=["r1", "c1"])
    assert chosen(pod) == (LABELS["rack"], "In", ["r1", "c1"])
    assert pod["spec"]["tolerations"] == [TOLERATION]


def test_pods_of_a_dedicated_node_are_told_the_node_and_tolerate_its_taint():
    (pod,) = pods(nodes=["node3"])
    assert chosen(pod) == (LABELS["node"], "In", ["node3"])
    assert pod["spec"]["tolerations"] == [TOLERATION]


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_other_pods_know_nothing_of_a_dedicated_rack(kind):
    (pod,) = pods(kind=kind)
    assert not {"affinity", "tolerations", "topologySpreadConstraints"} & set(pod["spec"])


def test_a_daemon_set_stays_off_a_dedicated_rack_even_where_its_pod_was_there_first():
    (pod,) = pods(kind="DaemonSet")
    assert chosen(pod) == (LABELS["rack"], "NotIn", ["c1"])
    assert "affinity" not in pods({"row": "b"}, kind="DaemonSet")[0]["spec"]


def test_spread():
    (pod,) = pods(replicas=3, spread=["rack", {"over": "node", "maxSkew": 2, "whenUnsatisfiable": "ScheduleAnyway"}])
    rack, node = pod["spec"]["topologySpreadConstraints"]
    assert (rack["topologyKey"], rack["maxSkew"], rack["whenUnsatisfiable"]) == (LABELS["rack"], 1, "DoNotSchedule")
    assert (node["topologyKey"], node["maxSkew"], node["whenUnsatisfiable"]) == (LABELS["node"], 2, "ScheduleAnyway")
    # Or the dedicated rack, where no pod of it may be, would be one with none, and the third pod would wait for ever.
    assert rack["nodeTaintsPolicy"] == node["nodeTaintsPolicy"] == "Honor"


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_what_is_spread_is_all_of_the_workload_s_pods(kind):
    sticky = [{"name": "macvlan-internal", "ipsByReplica": ["10.1.10.11/24", "10.1.10.12/24"]}]
    networks = sticky if kind == "StatefulSet" else []
    found = pods(kind=kind, replicas=2, spread="zone", networks=networks)
    for pod in found:
        (constraint,) = pod["spec"]["topologySpreadConstraints"]
        selector = constraint["labelSelector"]["matchLabels"]
        assert selector == ({GROUP_LABEL: "w"} if sticky == networks else {LABEL: "w"})
        assert all(selector.items() <= other["metadata"]["labels"].items() for other in found)
        assert constraint["topologyKey"] == "topology.kubernetes.io/zone"


def test_the_repair_of_interfaces_runs_on_a_control_plane_in_a_dedicated_rack():
    site = parse_site(in_racks(lab_site(), {"image": IMAGE}, dedicated=True), source="x")
    job = repair.cron_job(IMAGE, repair.Scope(None, None, (), 5), topology.taints(site))
    tolerations = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["tolerations"]
    assert TOLERATION in tolerations
    assert len(tolerations) == 2
