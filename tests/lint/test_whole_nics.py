"""NICs that one pod uses exclusively: which other uses are findings."""

import pytest

from multus_site.lint import check_site
from tests.lint.test_supply import pods, site

NONE = "ipam: {type: none}"
WHOLE = f"{{type: host-device, device: ens6, {NONE}}}"
PASSTHRU = f"{{type: macvlan, master: ens6, mode: passthru, {NONE}}}"
CHILD = f"{{type: macvlan, master: ens6, {NONE}}}"


def found(networks, *workloads):
    made = site(networks, {f"w{i}": workload for i, workload in enumerate(workloads)})
    told = check_site(made.site, file=made.file, text=made.text)
    return [(f.path, f.level) for f in told if f.rule == "WHOLE_NIC_SHARED"]


@pytest.mark.parametrize(("network", "key"), [(WHOLE, "device"), (PASSTHRU, "master")])
def test_other_networks_of_the_same_nic(network, key):
    both = {"a": network, "b": CHILD}
    on_a, on_b = pods(nodes="[node1]"), pods("[b]", nodes="[node1]")
    assert found(both, on_a, on_b) == [(f"networks.a.{key}", "error")]
    assert found(both, on_a, pods("[b]", nodes="[node2]")) == []
    assert found(both, on_a) == [(f"networks.a.{key}", "warning")]
    assert found({"a": network, "b": CHILD.replace("ens6", "eth0")}, on_a, on_b) == []


@pytest.mark.parametrize(
    ("workloads", "level"),
    [
        ([pods()], None),
        ([pods(kind="DaemonSet")], None),
        ([pods(replicas=2)], "warning"),
        ([pods(replicas=3)], "error"),
        ([pods(replicas=2, nodes="[node1]")], "error"),
        ([pods("[a, a]")], "error"),
        ([pods(kind="DaemonSet"), pods()], "error"),
        ([pods(nodes="[node1]"), pods(nodes="[node2]")], None),
        ([pods(replicas=0)], None),
    ],
)
def test_several_pods_of_one_nic(workloads, level):
    assert found({"a": WHOLE}, *workloads) == ([("networks.a.device", level)] if level else [])
