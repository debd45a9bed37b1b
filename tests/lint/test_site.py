"""Rules on a site and across sites."""

import pytest

from multus_site.lint import StackFile, check_segments, check_site, check_stack
from multus_site.lint.facts import Facts
from multus_site.model.load import SITE_PATH, parse_stack_text

HEAD = """\
config:
  multus-site:site:
    name: {name}
    nodes:
      backend: container
      container: {{image: localhost/node:1, networks: {{eth0: management, ens6: internal}}}}
      hosts:
        node1: {{address: 10.1.1.5, roles: [control-plane, etcd, worker]}}
        node2: {{address: 10.1.1.6}}
"""
RANGE = "{{subnet: 10.1.10.0/24, rangeStart: 10.1.10.{first}, rangeEnd: 10.1.10.{last}}}"


def stack(body, name="dallas"):
    text = HEAD.format(name=name) + body
    return StackFile(f"stacks/Pulumi.{name}.yaml", text, parse_stack_text(text, source=name))


def network(first=200, last=250, more=""):
    return f"    networks:\n      internal: {{type: macvlan, master: ens6, {more}ipam: {{type: host-local, ranges: [{RANGE.format(first=first, last=last)}]}}}}\n"


def workload(*nodes, name="w"):
    return (
        f"      {name}: {{image: docker.io/library/busybox:1.36, networks: [internal], nodes: [{', '.join(nodes)}]}}\n"
    )


def raw(config):
    return f"    networks:\n      internal: {{type: raw, config: {config}}}\n"


def checked(body, **more):
    made = stack(body)
    return [(f.rule, f.level, f.path, f.line) for f in check_site(made.site, file=made.file, text=made.text, **more)]


@pytest.mark.parametrize(
    ("workloads", "expected"),
    [
        (workload("node1"), []),
        (workload(), ["HOSTLOCAL_MULTINODE"]),
        (workload("node1", "node2"), ["HOSTLOCAL_MULTINODE"]),
        (workload("node1") + workload("node1", name="v"), []),
        (workload("node1") + workload("node2", name="v"), ["HOSTLOCAL_MULTINODE"]),
        ("", []),
    ],
)
def test_host_local_on_the_nodes_of_all_its_workloads(workloads, expected):
    body = network() + (f"    workloads:\n{workloads}" if workloads else "")
    found = checked(body)
    assert [rule for rule, *_ in found] == expected
    assert all(level == "error" and path == "networks.internal.ipam" and line == 11 for _, level, path, line in found)


def test_workloads_are_looked_at_like_any_pods():
    fixed = "{cniVersion: 1.0.0, name: internal, type: macvlan, master: ens6, ipam: {type: static, addresses: [{address: 10.1.10.5/24}]}}"
    body = raw(fixed) + "    workloads:\n" + workload("node1")
    assert checked(body) == []
    twice = body.replace("networks: [internal]", "replicas: 2, networks: [internal]")
    assert [(r, level, p) for r, level, p, _ in checked(twice)] == [
        ("STATIC_SHARED", "error", "workloads.w.networks[0]")
    ]


def test_without_the_text_there_are_no_lines():
    made = stack(network() + "    workloads:\n" + workload())
    finding = check_site(made.site, file=made.file)[0]
    assert (finding.line, finding.column) == (0, 0)
    assert finding.line_of_text().startswith("stacks/Pulumi.dallas.yaml: networks.internal.ipam: host-local")


def test_comment_in_the_stack_file_allows():
    body = (
        network().replace(
            "      internal:", "      # lint: allow HOSTLOCAL_MULTINODE one pod at a time\n      internal:"
        )
        + "    workloads:\n"
        + workload()
    )
    assert checked(body) == []


@pytest.mark.parametrize(
    ("body", "rule", "path"),
    [
        (network().replace("ens6", "ens9"), "MASTER_NOT_FOUND", "networks.internal.master"),
        (network(last=199), "RANGE_REVERSED", "networks.internal.ipam.ranges[0].rangeEnd"),
        (network().replace("10.1.10.", "10.233.70."), "NAD_OVERLAPS_CLUSTER_CIDR", "networks.internal.ipam"),
        (network(1, 9).replace("10.1.10.", "10.1.1."), "NAD_OVERLAPS_CLUSTER_CIDR", "networks.internal.ipam"),
        (
            raw("{cniVersion: 1.0.0, name: internal, type: macvlan, master: ens6, mode: l2}"),
            "ENUM",
            "networks.internal.config.mode",
        ),
        (
            raw("{cniVersion: 1.0.0, name: internal, type: sriov}"),
            "SRIOV_RESOURCENAME_MISSING",
            "networks.internal.metadata",
        ),
        (raw("{}"), "PLUGIN_TYPE_MISSING", "networks.internal.config"),
    ],
)
def test_networks_are_looked_at_like_any_nad(body, rule, path):
    assert (rule, path) in {(r, p) for r, _, p, _ in checked(body)}


def test_facts_add_to_what_the_site_knows():
    body = network(more="mtu: 9000, ")
    assert checked(body) == []
    assert [r for r, *_ in checked(body, facts=Facts(mtu={"ens6": 1500}))] == ["MTU_GT_MASTER"]


@pytest.mark.parametrize(
    ("subnet", "overlaps"),
    [("10.1.0.0/16", True), ("10.2.0.0/16,10.1.0.0/16", True), ("10.2.0.0/16", False), ("x", False)],
)
def test_the_clusters_own_networks(subnet, overlaps):
    body = network() + f'    kubespray: {{variables: {{kube_pods_subnet: "{subnet}"}}}}\n'
    assert [r for r, *_ in checked(body)] == (["NAD_OVERLAPS_CLUSTER_CIDR"] if overlaps else [])


def segment(**more):
    inside = ", ".join(f"{key}: {value}" for key, value in more.items())
    return f"    segments: {{core: {{{inside}}}}}\n"


def across(*stacks):
    return [(f.rule, f.file[14:-5], f.path) for f in check_segments(list(stacks))]


def on_core(first, last, name, **more):
    return stack(segment(**more) + network(first, last, "segment: core, "), name)


def test_sites_that_share_a_segment_share_no_address():
    one, other = on_core(10, 20, "dallas"), on_core(20, 30, "austin")
    assert across(one, other) == [
        ("SEGMENT_ADDRESSES", "dallas", "networks.internal"),
        ("SEGMENT_ADDRESSES", "austin", "networks.internal"),
    ]
    assert across(one, on_core(21, 30, "austin")) == []
    assert across(one, stack(network(10, 20), "austin")) == []


def test_a_network_that_another_of_its_site_hides():
    wide, inside = "rangeStart: 10.1.10.10, rangeEnd: 10.1.10.100", "rangeStart: 10.1.10.20, rangeEnd: 10.1.10.30"
    networks = "".join(
        f"      {name}: {{type: macvlan, master: {nic}, segment: core, ipam: {{type: host-local, ranges: [{{subnet: 10.1.10.0/24, {span}}}]}}}}\n"
        for name, nic, span in (("wide", "ens6", wide), ("inside", "ens7", inside))
    )
    own = stack(segment() + "    networks:\n" + networks)
    found = {(file, path) for _, file, path in across(on_core(1, 50, "austin"), own)}
    assert found == {("austin", "networks.internal"), ("dallas", "networks.wide"), ("dallas", "networks.inside")}


def test_each_preview_tells_what_its_own_site_has_to_do_with():
    """Whatever the order in which stacks are read, and whichever of the two changed."""
    pairs = [
        (on_core(1, 5, "dallas", vlan=110), on_core(6, 9, "austin", vlan=120)),
        (on_core(10, 20, "dallas"), on_core(20, 30, "austin")),
        (on_core(1, 4, "dallas", vips="{router: 10.1.10.5}"), on_core(6, 9, "austin", vips="{bgp: 10.1.10.5}")),
        (on_core(10, 20, "dallas", vips="{router: 10.1.10.5}"), on_core(5, 9, "austin")),
        (on_core(10, 20, "dallas", reserved="{dhcp: 10.1.10.5}"), on_core(5, 9, "austin")),
    ]
    for one, other in pairs:
        for own, beside in ((one, other), (other, one)):
            assert len(check_stack(own, [beside])) == 1


def test_static_addresses_count():
    fixed = "{cniVersion: 1.0.0, name: n, type: macvlan, ipam: {type: static, addresses: [{address: 10.1.10.15/24}]}}"
    other = stack(segment() + f"    networks:\n      fixed: {{type: raw, segment: core, config: {fixed}}}\n", "austin")
    assert {rule for rule, *_ in across(on_core(10, 20, "dallas"), other)} == {"SEGMENT_ADDRESSES"}
    assert across(on_core(16, 20, "dallas"), other) == []


def test_one_vlan_id_for_a_segment():
    assert across(on_core(1, 5, "dallas", vlan=110), on_core(6, 9, "austin", vlan=120)) == [
        ("SEGMENT_VLAN", "dallas", "segments.core.vlan"),
        ("SEGMENT_VLAN", "austin", "segments.core.vlan"),
    ]
    assert across(on_core(1, 5, "dallas", vlan=110), on_core(6, 9, "austin", vlan=110)) == []
    assert across(on_core(1, 5, "dallas", vlan=110), on_core(6, 9, "austin")) == []


def test_virtual_addresses_are_nobodys_pods():
    vips = "{router: 10.1.10.5}"
    assert across(on_core(1, 5, "dallas", vips=vips)) == [("SEGMENT_VIP", "dallas", "networks.internal")]
    assert across(on_core(10, 20, "dallas", vips=vips), on_core(5, 9, "austin")) == [
        ("SEGMENT_VIP", "dallas", "segments.core.vips.router"),
        ("SEGMENT_VIP", "austin", "networks.internal"),
    ]
    assert across(on_core(10, 20, "dallas", vips=vips), on_core(6, 9, "austin", vips=vips)) == []
    assert across(on_core(10, 20, "dallas", vips=vips), on_core(6, 9, "austin", vips="{bgp: 10.1.10.5}")) == [
        ("SEGMENT_VIP", "dallas", "segments.core.vips.router"),
        ("SEGMENT_VIP", "austin", "segments.core.vips.bgp"),
    ]


@pytest.mark.parametrize(
    ("kept", "found"),
    [
        ("10.1.10.21-10.1.10.30", False),
        ("10.1.10.20-10.1.10.30", True),
        ("10.1.10.1-10.1.10.10", True),
        ("10.1.10.1-10.1.10.9", False),
        ("10.1.10.15", True),
        ("fd00::1-fd00::ffff", False),
    ],
)
def test_reserved_addresses_are_nobodys_pods(kept, found):
    reserved = f'{{dhcp: "{kept}"}}'
    own = across(on_core(10, 20, "dallas", reserved=reserved))
    assert own == ([("SEGMENT_RESERVED", "dallas", "networks.internal")] if found else [])
    elsewhere = across(on_core(100, 120, "dallas", reserved=reserved), on_core(10, 20, "austin"))
    both = [
        ("SEGMENT_RESERVED", "dallas", "segments.core.reserved.dhcp"),
        ("SEGMENT_RESERVED", "austin", "networks.internal"),
    ]
    assert elsewhere == (both if found else [])


def test_the_site_stands_where_pulumi_reads_it():
    assert SITE_PATH == ("config", "multus-site:site")


def test_pods_of_a_vlan_network_do_not_share_a_node():
    vlan = (
        "    networks:\n      internal: {type: vlan, master: ens6, vlanId: 110, ipam: {type: dhcp}}\n    workloads:\n"
    )
    two = vlan + workload("node1") + workload("node1", name="v")
    assert [(rule, level) for rule, level, *_ in checked(two)] == [("WHOLE_NIC_SHARED", "error")]
    assert checked(vlan + workload("node1") + workload("node2", name="v")) == []


def test_host_local_networks_of_one_nic_with_the_same_addresses():
    other = network().replace("    networks:\n", "").replace("internal:", "external:")
    found = checked(network() + other)
    assert [(rule, level) for rule, level, *_ in found] == [("NADS_OVERLAP", "error")]


def test_a_release_that_is_not_pinned():
    commit = "commit: " + "a" * 40
    assert [r for r, *_ in checked("    kubespray: {version: v2.99.0}\n")] == ["RELEASE_UNKNOWN"]
    assert checked(f"    kubespray: {{version: v2.99.0, {commit}}}\n") == []
    assert checked("    artifacts: ours.yaml\n    cniPlugins: {version: 9.9.9}\n") == []
