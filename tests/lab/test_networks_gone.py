"""The further networks taken out of the site again: pods, attachments, daemons and what they had put on nodes go with them.

Last of `make lab-networks`: the networks are made for all of its tests.
"""

import pytest

from tests.lab.networks import NODES, in_cluster, on_node

pytestmark = [pytest.mark.lab, pytest.mark.networks]

STAYS = {"interface br-telecom", "/run/cni/tuning"}
"""The plugin bridge takes no bridge away that it made, and tuning no folder of its records; they are empty, and gone with the next start of the node."""


def test_nothing_is_left(networks, there_before):
    networks.pulumi("up", "--yes", "--skip-preview", seconds=900)
    left = {node: on_node(networks, node) - there_before[node] for node in NODES}
    lost = {node: there_before[node] - on_node(networks, node) for node in NODES}
    assert in_cluster(networks) == there_before["cluster"]
    assert lost == {node: set() for node in NODES}, "a NIC that a pod had is not back, or what was others' is gone"
    assert left == {node: left[node] & STAYS for node in NODES}
    for node in NODES:
        held = "ls /var/lib/cni/networks/local-bridge /var/lib/cni/networks/pair 2>/dev/null | grep '^10' || true"
        assert networks.node(node, "sh", "-c", held).stdout == ""
        networks.node(node, "ip", "link", "del", "br-telecom", check=False)
        networks.node(node, "sh", "-c", "[ ! -d /run/cni/tuning ] || rmdir /run/cni/tuning")
    networks.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
