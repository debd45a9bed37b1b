"""What `up` leaves to be read: the report, and where its time went."""

import json

import pytest

pytestmark = pytest.mark.lab


def test_up_has_written_the_report(lab):
    text = (lab.place.project / "reports" / "lab.html").read_text()
    (pod,) = lab.pods()
    for part in (
        pod["metadata"]["name"],
        "10.1.10.",
        "gateway-arp",
        "TCP, 1 stream",
        "v1.35",
    ):
        assert part in text, part


def test_the_diagram_has_the_addresses_of_running_pods(lab):
    (pod,) = lab.pods()
    status = json.loads(pod["metadata"]["annotations"]["k8s.v1.cni.cncf.io/network-status"])
    drawn = lab.run(".venv/bin/python", "-m", "multus_site", "diagram", "lab", "--live", "--format", "mermaid").stdout
    for attached in status[1:]:
        assert f"{attached['interface']}  {attached['ips'][0]}/24" in drawn


def test_trace_tells_where_the_time_went(lab):
    found = json.loads(lab.run(".venv/bin/python", "-m", "multus_site", "trace", "lab", "--format", "json").stdout)
    assert found["seconds"] > 0
    assert found["stages"]
    assert found["critical"][-1]["seconds"] >= 0
