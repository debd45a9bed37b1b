"""The table that `make lab` ends with."""

import io

from rich.console import Console

from lab.bench import table as bench_table
from lab.table import show

PING = "10.1.10.1: 3 packets transmitted, 3 packets received, 0% packet loss, round-trip min/avg/max = 0.070/0.081/0.090 ms"


def check(name, ok=True, detail="", interface="net1", network="default/macvlan-internal"):
    return {"workload": "samplepod", "pod": "samplepod-1", "node": "node2", "interface": interface,
            "network": network, "check": name, "ok": ok, "detail": detail}  # fmt: skip


def shown(checks, passed=True):
    output = io.StringIO()
    console = Console(file=output, width=140)
    show(console, {"passed": passed, "checks": checks}, {"create": 37, "same": 1}, {"mirror": 1.0, "cluster": 61.0})
    return output.getvalue()


def test_a_row_a_pod_and_interface_with_address_and_ping():
    text = shown([check("address", detail="10.1.10.200/24; asked for: …"), check("gateway-ping", detail=PING)])
    (row,) = [line for line in text.splitlines() if "samplepod-1" in line]
    for cell in ("node2", "net1", "default/macvlan-internal", "✓ 10.1.10.200/24", "✓ 10.1.10.1, 0.081 ms"):
        assert cell in row


def test_a_failed_check_is_marked_and_the_title_says_so():
    text = shown([check("address", ok=False, detail="no address; asked for: …")], passed=False)
    assert "✗ no address" in text
    assert "checks failed" in text


def test_changes_times_and_what_to_type_next():
    text = shown([])
    assert "pulumi up: 37 create, 1 unchanged; all stages took 62 s" in text
    for command in ("make lab-shell", "make test", "make lab-down"):
        assert command in text


def test_checks_of_the_whole_pod_have_no_row():
    assert "eth0" not in shown([check("cluster-dns", interface="eth0", network="")])


def test_bench_shows_a_column_a_run_and_leaves_missing_stages_empty():
    runs = [
        {
            "command": "up",
            "started": "2026-01-02T03:04:05+00:00",
            "seconds": 70.0,
            "stages": {"mirror": 9.0, "cluster": 61.0},
        },
        {"command": "up", "started": "2026-01-02T04:04:05+00:00", "seconds": 3.0, "stages": {"mirror": 1.0}},
    ]
    output = io.StringIO()
    Console(file=output, width=100).print(bench_table(runs))
    lines = output.getvalue().splitlines()
    assert any("mirror" in line and "9.0" in line and "1.0" in line for line in lines)
    assert any("cluster" in line and "61.0" in line for line in lines)
    assert any("in all" in line and "70.0" in line and "3.0" in line for line in lines)
