"""Where pods can be on a site of racks, one of them dedicated: everything that asks `nodes_of` knows it."""

import pytest

from multus_site.lint.site import check_site
from multus_site.model.load import SiteError, parse_site
from multus_site.render.address_plan import plan
from multus_site.render.attachment import config_of
from multus_site.verify.expectation import expected
from tests.graph.recording import lab_site
from tests.render.placement import in_racks

IMAGE = "docker.io/library/busybox:1.36"


def site(c1=None, on=None, **workload):
    """`c1`: what is said of that rack; `on`: keys of the network macvlan-internal."""
    data = lab_site()
    data["networks"]["macvlan-internal"].update(on or {})
    return parse_site(in_racks(data, {"image": IMAGE, **workload}, **(c1 or {"dedicated": True})), source="x")


def places(made):
    workload = made.workloads["w"]
    return made.nodes_of(workload), made.restricted_to(workload), [str(taint) for taint in made.tolerated(workload)]


TAINT = "multus-site/dedicated=c1:NoSchedule"


@pytest.mark.parametrize(
    ("workload", "nodes", "by_name", "tolerated"),
    [
        ({}, ["node1", "node2"], [], []),
        ({"racks": ["r1", "r2"]}, ["node1", "node2"], [], []),
        ({"racks": ["r1", "c1"]}, ["node1", "node3"], [], [TAINT]),
        ({"racks": ["c1"]}, ["node3"], ["node3"], [TAINT]),
        ({"nodes": ["node2"]}, ["node2"], ["node2"], []),
        ({"nodes": ["node1", "node3"]}, ["node1", "node3"], ["node1", "node3"], [TAINT]),
    ],
)
def test_pods_stay_off_a_dedicated_rack_that_their_workload_does_not_name(workload, nodes, by_name, tolerated):
    assert places(site(**workload)) == (nodes, by_name, tolerated)


def test_without_a_dedicated_rack_pods_run_anywhere_and_are_told_nothing():
    assert places(site({"row": "b"})) == (["node1", "node2", "node3"], [], [])


def test_where_not_all_nodes_of_a_rack_have_the_network_pods_are_told_the_nodes():
    made = site(on={"nodes": ["node1", "node2"]}, racks=["r2", "c1"], networks=["macvlan-internal"])
    assert places(made) == (["node2"], ["node2"], [TAINT])


def test_a_network_of_a_rack_is_on_its_nodes_and_its_pods_go_there():
    made = site(on={"racks": ["r1", "r2"]}, networks=["macvlan-internal"])
    assert made.nodes_with(made.networks["macvlan-internal"]) == ["node1", "node2"]
    assert places(made)[0] == ["node1", "node2"]
    assert config_of(made, "macvlan-internal") == config_of(site(), "macvlan-internal")


def test_links_and_pools_of_a_rack_are_made_there():
    data = in_racks(lab_site(), {"image": IMAGE})
    data["links"] = {"ens6.110": {"type": "vlan", "link": "ens6", "id": 110, "racks": ["c1"]}}
    pool = {"resourceName": "intel.com/fast", "pfNames": ["ens1f0"], "numVfs": 8, "racks": ["c1", "r1"]}
    made = parse_site({**data, "sriov": {"pools": {"fast": pool}}}, source="x")
    assert [node for node in made.nodes.hosts if made.links_on(node)] == ["node3"]
    assert [node for node in made.nodes.hosts if made.pools_on(node)] == ["node1", "node3"]


@pytest.mark.parametrize(("workload", "pods"), [({}, 2), ({"racks": ["c1", "r1"]}, 2), ({"racks": ["c1"]}, 1)])
def test_a_daemon_set_is_expected_and_planned_for_on_the_nodes_that_it_can_be_on(workload, pods):
    made = site(kind="DaemonSet", networks=["macvlan-internal"], on={"ipam": WHEREABOUTS}, **workload)
    assert [w.replicas for w in expected(made).workloads] == [pods]
    assert [line.asked for line in plan(made) if line.network == "default/macvlan-internal"] == [pods]


WHEREABOUTS = {"type": "whereabouts", "range": "10.1.10.200-10.1.10.250/24", "gateway": "10.1.10.1"}


@pytest.mark.parametrize(
    ("workload", "rules"),
    [
        ({"racks": ["c1"]}, []),
        ({"racks": ["r1"]}, ["DEDICATED_RACK_UNUSED"]),
        ({}, ["DEDICATED_RACK_UNUSED", "HOSTLOCAL_MULTINODE"]),
        ({"racks": ["c1", "r1"]}, ["HOSTLOCAL_MULTINODE"]),
    ],
)
def test_host_local_is_safe_on_a_rack_of_one_node(workload, rules):
    made = site(networks=["macvlan-internal"], **workload)
    assert sorted(finding.rule for finding in check_site(made, file="x")) == rules


def test_a_site_without_a_section_of_racks_has_the_label_that_it_always_had():
    data = lab_site()
    data["nodes"]["hosts"]["node1"]["rack"] = "r1"
    made = parse_site(data, source="x")
    assert made.labels_of("node1")["topology.kubernetes.io/zone"] == "r1"
    assert made.labels_of("node2") == {}
    assert made.taint_of("node1") is None


def test_a_rack_s_own_zone_wins_over_its_name():
    made = parse_site(in_racks(lab_site(), {"image": IMAGE}, zone="west", dedicated=False), source="x")
    assert made.labels_of("node3")["topology.kubernetes.io/zone"] == "west"
    assert made.domain_of("node3", "rack") == "c1"
    assert made.domain_of("node3", "node") == "node3"
    assert made.taint_of("node3") is None


def test_the_section_once_there_knows_every_rack():
    data = in_racks(lab_site(), {"image": IMAGE})
    data["nodes"]["hosts"]["node1"]["rack"] = "r3"
    with pytest.raises(SiteError, match="there is no rack 'r3'; name one of r1, r2, c1, or add it to racks"):
        parse_site(data, source="x")
