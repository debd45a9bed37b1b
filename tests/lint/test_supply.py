"""Enough addresses for all attachments, and requested ones that no pod is assigned: findings, and cases without one."""

import pytest

from multus_site.lint import check_segments, check_site
from tests.lint.test_site import segment, stack

IMAGE = "image: docker.io/library/busybox:1.36"
WHEREABOUTS = "{{type: macvlan, master: ens6, ipam: {{type: whereabouts, range: {}}}}}"
SPLIT = "{{type: macvlan, master: ens6, ipam: {{type: host-local, ranges: [{{subnet: 10.1.10.0/24}}], addressesPerNode: {}}}}}"
HOST_LOCAL = "{type: macvlan, master: ens6, ipam: {type: host-local, ranges: [{subnet: 10.1.10.0/29}]}}"
NODE_LOCAL = "{type: bridge, bridge: br9, ipam: {type: host-local, ranges: [{subnet: 10.1.10.0/29}]}}"


def site(networks, workloads, name="dallas"):
    def listed(key, entries):
        return f"    {key}:\n" + "".join(f"      {own}: {body}\n" for own, body in entries.items())

    return stack(listed("networks", networks) + listed("workloads", workloads), name)


def pods(networks="[a]", **more):
    return "{" + ", ".join([IMAGE, f"networks: {networks}", *(f"{key}: {value}" for key, value in more.items())]) + "}"


def found(networks, *workloads):
    made = site(networks, {f"w{i}": workload for i, workload in enumerate(workloads)})
    told = check_site(made.site, file=made.file, text=made.text)
    return [(f.rule, f.level) for f in told if f.rule in {"TOO_FEW_ADDRESSES", "IPS_HANDED_OUT", "IPS_WRONG"}]


FEW, MAYBE = [("TOO_FEW_ADDRESSES", "error")], [("TOO_FEW_ADDRESSES", "warning")]


@pytest.mark.parametrize(
    ("network", "workloads", "expected"),
    [
        (WHEREABOUTS.format("10.1.10.0/29"), [pods(replicas=6)], []),
        (WHEREABOUTS.format("10.1.10.0/29"), [pods(replicas=7)], FEW),
        (WHEREABOUTS.format("10.1.10.0/29, gateway: 10.1.10.1"), [pods(replicas=6)], FEW),
        (WHEREABOUTS.format("10.1.10.0/29, exclude: [10.1.10.2/31]"), [pods(replicas=4)], []),
        (WHEREABOUTS.format("10.1.10.0/29, exclude: [10.1.10.2/31]"), [pods(replicas=5)], FEW),
        (WHEREABOUTS.format('10.1.10.0/24, ipRanges: [{range: "fd00::1-fd00::4/64"}]'), [pods(replicas=5)], FEW),
        (WHEREABOUTS.format("10.1.10.0/29"), [pods(replicas=3), pods(replicas=3)], []),
        (WHEREABOUTS.format("10.1.10.0/29"), [pods(replicas=3), pods(replicas=4)], FEW),
        (WHEREABOUTS.format("10.1.10.0/29"), [pods("[a, a]", replicas=3)], []),
        (WHEREABOUTS.format("10.1.10.0/29"), [pods("[a, a]", replicas=4)], FEW),
        (WHEREABOUTS.format("10.1.10.1-10.1.10.1/24"), [pods(kind="DaemonSet")], FEW),
        (WHEREABOUTS.format("10.1.10.1-10.1.10.1/24"), [pods(kind="DaemonSet", nodes="[node1]")], []),
        (HOST_LOCAL, [pods(replicas=5, nodes="[node1]")], []),
        (HOST_LOCAL, [pods(replicas=6, nodes="[node1]")], FEW),
        (NODE_LOCAL, [pods(replicas=6)], []),
        (NODE_LOCAL, [pods(replicas=5, nodes="[node1]"), pods(kind="DaemonSet")], FEW),
        (SPLIT.format(4), [pods(replicas=4)], []),
        (SPLIT.format(4), [pods(replicas=5)], MAYBE),
        (SPLIT.format(4), [pods(replicas=9)], FEW),
        (SPLIT.format(4), [pods(replicas=4, nodes="[node2]"), pods(kind="DaemonSet")], FEW),
        (SPLIT.format(4), [pods(replicas=3, nodes="[node2]"), pods(kind="DaemonSet")], []),
        (SPLIT.format(1), [pods(kind="DaemonSet")], []),
    ],
)
def test_as_many_addresses_as_attachments(network, workloads, expected):
    assert found({"a": network}, *workloads) == expected


def test_whereabouts_of_one_range_is_one_pool_whatever_the_network():
    one, other = WHEREABOUTS.format("10.1.10.0/29"), WHEREABOUTS.format("10.1.10.0/29").replace("ens6", "ens7")
    both = {"a": one, "b": other}
    assert found(both, pods(replicas=3), pods("[b]", replicas=3)) == []
    assert found(both, pods(replicas=3), pods("[b]", replicas=4)) == FEW
    apart = {"a": one, "b": other.replace("range:", "networkName: other, range:")}
    assert found(apart, pods(replicas=3), pods("[b]", replicas=4)) == []


@pytest.mark.parametrize(
    ("address", "master", "expected"),
    [
        ("10.1.10.7/24", "ens6", [("IPS_HANDED_OUT", "error")]),
        ("10.1.10.7/24", "ens7", []),
        ("10.1.10.100/24", "ens6", []),
        ("10.1.10.1/24", "ens6", []),
        ("fd00::7/64", "ens6", [("IPS_HANDED_OUT", "error")]),
        ("10.1.10.7/24", "{altname: to-core}", []),
    ],
)
def test_no_fixed_address_is_handed_out_by_another_network(address, master, expected):
    served = WHEREABOUTS.format("10.1.10.1-10.1.10.50/24, gateway: 10.1.10.1, ipRanges: [{range: 'fd00::/120'}]")
    networks = {"a": served, "b": f"{{type: macvlan, master: {master}, ipam: {{type: static}}}}"}
    assert found(networks, pods(f'[{{name: b, ips: ["{address}"]}}]')) == expected
    by_replica = pods(f'[{{name: b, ipsByReplica: [10.1.12.1/24, "{address}"]}}]', kind="StatefulSet", replicas=2)
    assert found(networks, by_replica) == expected


def test_a_fixed_address_of_a_network_that_others_are_served_from():
    one_node = HOST_LOCAL.replace("/29", "/24")
    own = pods("[{name: a, ips: [10.1.10.7/24]}]", nodes="[node1]")
    assert found({"a": one_node}, own) == []
    assert found({"a": one_node}, own, pods(nodes="[node1]")) == [("IPS_HANDED_OUT", "warning")]


def test_a_fixed_address_is_of_the_part_of_the_pod_s_own_node():
    def on(node, address):
        return found({"a": SPLIT.format(4)}, pods(f"[{{name: a, ips: [{address}/24]}}]", nodes=f"[{node}]"))

    # 63 parts of four: node2 (10.1.1.6) has the one that follows node1's (10.1.1.5)
    first = int("10.1.10.1".rpartition(".")[2]) + 4 * (int.from_bytes(bytes([10, 1, 1, 6])) % 63)
    assert on("node2", f"10.1.10.{first}") == []
    assert on("node1", f"10.1.10.{first}") == [("IPS_WRONG", "error")]
    assert on("node1", f"10.1.10.{first - 1}") == []


def test_masters_that_only_nodes_can_tell_are_not_all_one():
    ipvlan = WHEREABOUTS.format("10.1.10.0/25").replace("macvlan", "ipvlan")
    networks = {
        "a": WHEREABOUTS.format("10.1.10.0/24").replace("ens6", "{altname: to-core}"),
        "b": ipvlan.replace("ens6", "{altname: to-edge}"),
    }
    made = site(networks, {"w": pods()})
    assert check_site(made.site, file=made.file) == []
    same = site({**networks, "b": ipvlan.replace("ens6", "{altname: to-core}")}, {"w": pods()})
    rules = {f.rule for f in check_site(same.site, file=same.file)}
    assert rules == {"MACVLAN_IPVLAN_SAME_MASTER", "NADS_OVERLAP"}


def test_host_local_that_is_not_split_where_only_the_master_differs():
    made = site({"a": HOST_LOCAL.replace("ens6", "{altname: to-core}")}, {"w": pods()})
    assert {f.rule for f in check_site(made.site, file=made.file)} == {"HOSTLOCAL_MULTINODE"}


def test_fixed_addresses_count_on_a_segment_of_several_sites():
    static = "{type: macvlan, master: ens6, segment: core, ipam: {type: static}}"
    served = WHEREABOUTS.format("10.1.10.1-10.1.10.50/24").replace("ens6,", "ens6, segment: core,")

    def across(address):
        one = stack(segment() + f"    networks:\n      a: {served}\n", "austin")
        text = segment() + f"    networks:\n      b: {static}\n    workloads:\n"
        text += f"      w: {pods(f'[{{name: b, ips: [{address}/24]}}]')}\n"
        return {f.rule for f in check_segments([one, stack(text)])}

    assert across("10.1.10.50") == {"SEGMENT_ADDRESSES"}
    assert across("10.1.10.51") == set()
