"""From what iperf3 prints to the figures of the output; and what is refused."""

import json

import pytest

from multus_site.throughput.bench import refuse_other_ways
from multus_site.throughput.figures import Kind, RefusedError, Run, rows, run_of, tcp_limit
from multus_site.throughput.plan import Path

TCP = {
    "end": {
        "sum_sent": {"bits_per_second": 10.2e9, "bytes": 1275000000, "retransmits": 7},
        "sum_received": {"bits_per_second": 10.1e9, "bytes": 1262500000},
    }
}
UDP = {"end": {"sum": {"bits_per_second": 1e9, "jitter_ms": 0.0123, "lost_percent": 20, "bytes": 125000000}}}
UDP_NEWER = {"end": {**UDP["end"], "sum_received": {"bits_per_second": 0.81e9}}}


def test_tcp_is_what_arrived_with_its_retransmits():
    assert run_of(json.dumps(TCP), "tcp") == Run(10.1, 7, None, None)


@pytest.mark.parametrize(("said", "gbits"), [(UDP, 0.8), (UDP_NEWER, 0.81)])
def test_udp_is_what_arrived_with_loss_and_jitter(said, gbits):
    assert run_of(json.dumps(said), "udp") == Run(pytest.approx(gbits), None, 20, 0.0123)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"error": "unable to connect to server: Connection refused"}', "Connection refused"),
        ("sh: iperf3: not found", "iperf3: not found"),
        ("", "its output begins: nothing"),
    ],
)
def test_a_run_that_failed_is_no_figure(text, words):
    with pytest.raises(RefusedError, match=words):
        run_of(text, "tcp")


NODE = (Kind("node", "tcp", 1, "node1", "node2"), [Run(10.0, 1, None, None)] * 3)
MACVLAN = (Kind("internal", "tcp", 1, "node1", "node2"), [Run(g, 2, None, None) for g in (9.0, 9.5, 10.0)])


def test_rows_have_mean_spread_and_ratios():
    found = rows([NODE, MACVLAN], {("internal", "node1"): 55.2}, {"internal": 19.0})
    assert found[1] == {
        "network": "internal",
        "protocol": "tcp",
        "streams": 1,
        "from": "node1",
        "to": "node2",
        "runs": 3,
        "gbitsPerSecond": 9.5,
        "stddev": 0.5,
        "retransmits": 6,
        "ratioToNode": 0.95,
        "ratioToNodeRange": [0.9, 1.0],
        "ratioToLink": 0.5,
        "latencyMicroseconds": 55.2,
    }
    assert found[0]["ratioToNode"] == 1
    assert found[0]["ratioToLink"] is None


def test_a_round_that_was_slow_as_a_whole_is_not_the_network_s():
    node = (NODE[0], [Run(g, 0, None, None) for g in (10.0, 2.0, 10.0)])
    network = (MACVLAN[0], [Run(g, 0, None, None) for g in (9.0, 1.9, 9.5)])
    (row,) = rows([node, network], {}, {})[1:]
    assert (row["ratioToNode"], row["ratioToNodeRange"]) == (0.95, [0.9, 0.95])
    assert row["stddev"] > 4


def test_each_direction_is_held_against_the_nodes_in_that_direction():
    back = (Kind("node", "tcp", 1, "node2", "node1"), [Run(5.0, 0, None, None)] * 3)
    other = (Kind("internal", "tcp", 1, "node2", "node1"), [Run(5.0, 0, None, None)] * 3)
    assert [r["ratioToNode"] for r in rows([NODE, back, MACVLAN, other], {}, {})] == [1, 1, 0.95, 1]


def test_a_reference_that_is_missing_gives_no_ratio():
    assert rows([MACVLAN], {}, {})[0]["ratioToNode"] is None


def test_what_a_link_can_carry():
    assert tcp_limit(10, 1500) == pytest.approx(9.415, abs=0.001)
    assert tcp_limit(10, 9000) == pytest.approx(9.900, abs=0.001)


PATH = Path("internal", "net1", 52013, "10.1.10.250", "10.1.10.249", 24)
BY_NET1 = json.dumps([{"dst": "10.1.10.249", "dev": "net1"}])


def test_traffic_by_the_network_s_interface_is_measured():
    refuse_other_ways(PATH, [BY_NET1, "1000", json.dumps(TCP), str(1000 + 1262500000)])


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([json.dumps([{"dev": "eth0"}]), "0", json.dumps(TCP), "9999999999"], "would leave by eth0, not by net1"),
        (["RTNETLINK answers: Network is unreachable", "0", "{}", "0"], "unreachable"),
        ([BY_NET1, "1000", json.dumps(TCP), "5000"], "iperf3 measured 1262500000 bytes, but only 4000 passed net1"),
    ],
)
def test_traffic_by_any_other_way_is_refused(lines, words):
    with pytest.raises(RefusedError, match=words):
        refuse_other_ways(PATH, lines)
