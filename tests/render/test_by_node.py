"""Networks whose configuration differs by node: masters that have other names, ranges that are split."""

import ipaddress
import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multus_site.cni.uplinks import nics_in_use
from multus_site.lint import check_site
from multus_site.model.ipam import HostLocal
from multus_site.model.load import SiteError, parse_site
from multus_site.model.node_ranges import check_node_ranges, ranges_of_node
from multus_site.model.nodes import Host
from multus_site.render.attachment import MASTER, configs_by_node, content_of, manifest_of, masters_of, ranges_of
from multus_site.render.node_networks import needed, variables

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMMBiOX5o5vhHt6iyc5/g8YeZZ4gvCxLKOYupGSW5Sv/"
RANGE = {"subnet": "10.9.8.0/24", "rangeStart": "10.9.8.100", "rangeEnd": "10.9.8.199", "gateway": "10.9.8.1"}
NONE = {"type": "none"}
BUSYBOX = "docker.io/library/busybox:1.36"


def hosts(**more):
    found = {
        "node1": {"address": "10.1.1.5", "roles": ["control-plane", "etcd", "worker"], "groups": ["edge"]},
        "node2": {"address": "10.1.1.6", "groups": ["compute"]},
        "node3": {"address": "10.1.1.7", "groups": ["compute"]},
        **more,
    }
    return {name: {"hostKey": KEY, **host} for name, host in found.items()}


def site(networks, *, nodes=None, **more):
    data = {"name": "dallas", "nodes": {"backend": "existing", "hosts": nodes or hosts()}, "networks": networks, **more}
    return parse_site(data, source="x")


def split(size=16, **more):
    return HostLocal.model_validate({"type": "host-local", "ranges": [RANGE], "addressesPerNode": size, **more})


def test_what_its_nodes_have_is_told_together():
    made = site({"a": {"type": "macvlan", "master": {"groups": {"edge": "eno2", "compute": "ens6"}}, "ipam": NONE},
                 "b": {"type": "macvlan", "master": "ens7", "ipam": {"type": "host-local", "ranges": [RANGE, {"subnet": "fd00:1::/64"}]}}})  # fmt: skip
    assert (masters_of(made, "a"), ranges_of(made, "a")) == (["eno2", "ens6"], [])
    assert (masters_of(made, "b"), ranges_of(made, "b")) == (["ens7"], ["10.9.8.100-10.9.8.199", "fd00:1::/64"])


def test_each_node_names_its_own_master():
    made = site({"a": {"type": "macvlan", "master": {"groups": {"edge": "eno2", "compute": "ens6"}}, "ipam": NONE}})
    found = {node: config["plugins"][0]["master"] for node, config in configs_by_node(made, "a").items()}
    assert found == {"node1": "eno2", "node2": "ens6", "node3": "ens6"}
    assert [nics_in_use(made, node) for node in found] == [["eno2"], ["ens6"], ["ens6"]]
    assert manifest_of(made, "a")["spec"] == {}
    assert needed(made) == ["node1", "node2", "node3"]


@pytest.mark.parametrize(
    ("master", "how"),
    [
        ({"mac": {"node2": "02:00:0a:01:0a:05"}}, {"node2": "mac 02:00:0a:01:0a:05"}),
        ({"pci": "0000:3b:00.0"}, dict.fromkeys(("node1", "node2", "node3"), "pci 0000:3b:00.0")),
        ({"altname": "enp59s0f0np0"}, dict.fromkeys(("node1", "node2", "node3"), "altname enp59s0f0np0")),
    ],
)
def test_what_only_the_node_can_tell_it_finds_itself(master, how):
    made = site({"a": {"type": "vlan", "master": master, "vlanId": 110, "ipam": {"type": "dhcp"}}})
    for node in ("node1", "node2", "node3"):
        told = variables(made, node)["CONFIGS"]
        assert (told != "") == (node in how)
        if told:
            name, found_by, text = told.split("|", 2)
            assert (name, found_by, json.loads(text)["plugins"][0]["master"]) == ("a", how[node], MASTER)
        assert nics_in_use(made, node) == ([how[node]] if node in how else [])
    assert [f for f in check_site(made, file="x") if f.level == "error"] == []


def test_pods_run_where_their_networks_are():
    networks = {
        "a": {"type": "macvlan", "master": {"groups": {"compute": "ens6"}}, "ipam": NONE},
        "b": {"type": "macvlan", "master": "ens7", "nodes": ["node1", "node3"], "ipam": NONE},
    }
    workloads = {name: {"image": BUSYBOX, "networks": used} for name, used in {"v": ["a"], "w": ["a", "b"]}.items()}
    made = site(networks, workloads=workloads)
    assert made.restricted_to(made.workloads["v"]) == ["node2", "node3"]
    assert made.restricted_to(made.workloads["w"]) == ["node3"]
    assert made.restricted_to(made.workloads["v"].model_copy(update={"networks": ()})) == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"w": {"nodes": ["node1"], "networks": ["a"]}}, "network a is not on 'node1'"),
        ({"w": {"networks": ["a", "c"]}}, "no node has all of its networks: a is on node2, node3 and c is on node1"),
    ],
)
def test_a_workload_that_could_run_nowhere_is_refused(more, words):
    networks = {
        "a": {"type": "macvlan", "master": {"groups": {"compute": "ens6"}}, "ipam": NONE},
        "c": {"type": "macvlan", "master": "ens7", "nodes": ["node1"], "ipam": NONE},
    }
    with pytest.raises(SiteError) as error:
        site(networks, workloads={name: {"image": BUSYBOX, **w} for name, w in more.items()})
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("network", "words"),
    [
        ({"master": {"groups": {"core": "ens6"}}}, "networks.a.master.groups.core: no host is in group 'core'"),
        ({"master": {"mac": {"node9": "02:00:00:00:00:01"}}}, "networks.a.master.mac.node9: there is no host"),
        ({"master": {}}, "networks.a.master: none of groups, mac, pci, altname is set; give exactly one"),
        ({"master": {"pci": "3b:00.0"}}, "networks.a.master.pci: '3b:00.0' is not a PCI address"),
        ({"master": "interface-too-long"}, "networks.a.master: 'interface-too-long' is 18 bytes long"),
        ({"master": {"groups": {"edge": "e"}}, "nodes": ["node2"]}, "it gives no NIC for 'node2'"),
        ({"master": {"altname": "x"}, "linkInContainer": True}, "linkInContainer makes it an interface of the pod"),
        ({"master": "ens6", "nodes": ["node9"]}, "networks.a.nodes[0]: there is no host 'node9'"),
    ],
)
def test_mistakes(network, words):
    with pytest.raises(SiteError) as error:
        site({"a": {"type": "macvlan", "ipam": NONE, **network}})
    assert words in str(error.value)


def spans(ipam, nodes):
    found = {}
    for name, host in nodes.items():
        (own,) = ranges_of_node(ipam, host).ranges
        found[name] = (int(ipaddress.ip_address(own.range_start)), int(ipaddress.ip_address(own.range_end)))
    return found


@given(st.sets(st.integers(0, 5), min_size=1), st.integers(0, 5))
def test_parts_stay_when_nodes_come_and_go_and_never_meet(present, joining):
    ipam = split()
    everyone = {f"node{i}": Host(address=f"10.1.1.{10 + i}") for i in range(6)}
    before = spans(ipam, {name: h for name, h in everyone.items() if int(name[4:]) in present})
    after = spans(ipam, {name: h for name, h in everyone.items() if int(name[4:]) in present | {joining}})
    assert before.items() <= after.items()
    ends = sorted(after.values())
    assert all(one[1] < other[0] for one, other in itertools.pairwise(ends))
    first, last = int(ipaddress.ip_address("10.9.8.100")), int(ipaddress.ip_address("10.9.8.199"))
    assert all(first <= start and end <= last and end - start == 15 for start, end in ends)


def test_two_nodes_of_one_part_are_told_which_is_free():
    nodes = {"node1": Host(address="10.1.1.10"), "node2": Host(address="10.1.1.16")}
    (found,) = check_node_ranges(split(), nodes)
    assert found.path == ("addressesPerNode",)
    assert "node2 and node1 would assign addresses from the same part (" in found.message
    free = int(found.message.rpartition("slice: ")[2].partition(",")[0])
    assert not list(check_node_ranges(split(), {**nodes, "node2": Host(address="10.1.1.16", slice=free)}))


def test_a_range_without_room_is_refused():
    nodes = {f"node{i}": Host(address=f"10.1.1.{i}") for i in range(1, 5)}
    (found,) = check_node_ranges(split(32), nodes)
    assert found.path == ("ranges", 0)
    assert "has 3 parts of 32 addresses for 4 nodes" in found.message


def test_the_linter_takes_a_split_range_and_refuses_a_shared_one():
    def found(ipam):
        made = site(
            {"a": {"type": "macvlan", "master": "ens6", "ipam": ipam}},
            workloads={"w": {"image": BUSYBOX, "replicas": 3, "networks": ["a"]}},
        )
        return [f.rule for f in check_site(made, file="x")]

    shared = {"type": "host-local", "ranges": [RANGE]}
    assert found(shared) == ["HOSTLOCAL_MULTINODE"]
    assert found({**shared, "addressesPerNode": 16}) == []


def test_pods_notice_a_change_of_any_node_s_part():
    def content(**more):
        network = {"type": "macvlan", "master": "ens6", "ipam": split(**more).model_dump(by_alias=True)}
        return content_of(site({"a": network}), "a")

    assert content() == content()
    assert content() != content(size=8)


def test_links_are_told_bonds_first():
    links = {
        "bond0.110": {"type": "vlan", "link": "bond0", "id": 110},
        "bond0": {"type": "bond", "members": ["ens6", "ens7"], "mode": "802.3ad", "mtu": 9000},
        "ens8.5": {"type": "vlan", "link": "ens8", "id": 5, "mtu": 1400, "nodes": ["node2"]},
    }
    made = site({"a": {"type": "macvlan", "master": "bond0.110", "ipam": NONE}}, links=links)
    assert variables(made, "node2")["LINKS"].splitlines() == [
        "bond0 bond 802.3ad 9000 ens6 ens7",
        "bond0.110 vlan bond0 110 -",
        "ens8.5 vlan ens8 5 1400",
    ]
    assert nics_in_use(made, "node1") == ["ens6", "ens7"]
    assert nics_in_use(made, "node2") == ["ens6", "ens7", "ens8"]
    assert variables(made, "node2")["MANAGEMENT"] == "10.1.1.6"


@pytest.mark.parametrize(
    ("links", "words"),
    [
        ({"b": {"type": "bond", "members": ["ens6"]}}, "networks.a.master: ens6 is in the bond b"),
        (
            {"b": {"type": "bond", "members": ["x"]}, "c": {"type": "bond", "members": ["x"]}},
            "links.c.members[0]: x is in b already",
        ),
        (
            {"v": {"type": "vlan", "link": "e", "id": 5}, "w": {"type": "vlan", "link": "v", "id": 6}},
            "links.w.link: v is a VLAN itself",
        ),
        ({"ens6": {"type": "vlan", "link": "e", "id": 5, "nodes": ["node1"]}}, "ens6 is not created on node2, node3"),
    ],
)
def test_links_that_cannot_be(links, words):
    with pytest.raises(SiteError) as error:
        site({"a": {"type": "macvlan", "master": "ens6", "ipam": NONE}}, links=links)
    assert words in str(error.value)
