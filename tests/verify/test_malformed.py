"""Text of a cluster that is not what it should be: an error that names node or pod, and no loss of what others say."""

import json

import pytest

from multus_site.cni.network_status import StatusError, network_status
from multus_site.throughput.bench import refuse_other_ways
from multus_site.throughput.figures import RefusedError, run_of
from multus_site.throughput.plan import Path
from multus_site.verify import probe
from multus_site.verify.addresses import leaked, taken
from multus_site.verify.cluster import addresses_asked_for
from multus_site.verify.observed import read_answer
from tests.verify.seen import checks, pod

MALFORMED = ["no JSON", "{}", "[1]", '[{"ips": "10.1.10.200"}]', '[{"ips": ["10.1.10"]}]', '[{"name": 3}]', "null"]
GOOD = json.dumps([{"name": "default/internal", "interface": "net1", "ips": ["10.1.10.200"]}])


def api_pod(name, status):
    annotations = {"k8s.v1.cni.cncf.io/network-status": status}
    return {
        "metadata": {"name": name, "namespace": "default", "annotations": annotations},
        "spec": {"nodeName": "node2"},
    }


class ApiPod:
    def __init__(self, name, status):
        self.name, self.raw = name, api_pod(name, status)


@pytest.mark.parametrize("text", MALFORMED)
def test_a_malformed_network_status_is_an_error_that_shows_it(text):
    with pytest.raises(StatusError) as error:
        network_status(text)
    assert "JSON list" in str(error.value)
    assert text in str(error.value)


def test_of_a_long_annotation_the_first_line_is_shown():
    with pytest.raises(StatusError) as error:
        network_status("first\n" + "x" * 9000)
    assert "'first'" in str(error.value)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize("text", MALFORMED)
def test_the_check_of_that_pod_fails_and_others_are_judged(text):
    found = checks([pod(network_status=text), pod("other")])
    bad = [c for c in found if c.check == "network-status" and not c.ok]
    assert [c.pod for c in bad] == [pod().name]
    assert text in bad[0].detail
    assert any(c.check == "network-status" and c.ok and c.pod == "other" for c in found)


@pytest.mark.parametrize("text", MALFORMED)
def test_a_malformed_pod_loses_no_address_of_another(text):
    addresses, notes = taken([api_pod("bad", text), api_pod("good", GOOD)])
    assert [(a.pod, a.address) for a in addresses] == [("default/good", "10.1.10.200")]
    (note,) = notes
    assert note.startswith("pod default/bad on node2: ")


@pytest.mark.parametrize("text", MALFORMED)
def test_a_malformed_pod_is_still_looked_into(text):
    asked = addresses_asked_for([("edge", ApiPod("bad", text)), ("edge", ApiPod("good", GOOD))])
    assert asked == {("edge/good", "net1"): ("10.1.10.200",)}


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"range": "10.1.10", "allocations": {"1": {"podref": "default/a"}}},
        {"range": "10.1.10.0/24", "allocations": {"one": {"podref": "default/a"}}},
        {"range": "10.1.10.0/24", "allocations": {"1": {}}},
        {"range": "10.1.10.0/24", "allocations": None},
    ],
)
def test_a_malformed_pool_is_named_and_others_are_read(spec):
    good = {"range": "10.1.20.0/24", "allocations": {"5": {"podref": "default/gone"}}}
    pools = [{"metadata": {"name": name}, "spec": its} for name, its in (("bad", spec), ("good", good))]
    notes = list(leaked(pools, []))
    assert len(notes) == 2
    assert notes[0].startswith("IPPool bad: ")
    assert "10.1.20.5 is held for default/gone" in notes[1]


@pytest.mark.parametrize(
    "answer", ["", "Warning: x\nno JSON", "[]", "{}", '{"node": [], "pods": {}}', '{"node": {}, "pods": []}']
)
def test_a_node_whose_probe_prints_something_else_is_named(answer):
    seen, inside = read_answer("node2", answer, ["uid-1"])
    assert "node2" in seen.error
    assert "node2" in inside["uid-1"].error
    assert (answer.strip().splitlines() or ["nothing"])[0] in seen.error


def test_a_pod_whose_answer_is_malformed_takes_no_other_with_it():
    answer = {"node": {"files": ["00-multus.conf"]}, "pods": {"bad": {"links": 3}, "good": {"links": {}}}}
    seen, inside = read_answer("node2", json.dumps(answer), ["bad", "good", "missing"])
    assert seen.error == ""
    assert seen.files == ("00-multus.conf",)
    assert inside["good"].error == ""
    assert "node2" in inside["bad"].error
    assert "node2" in inside["missing"].error


PATH = Path("internal", "net1", "10.1.10.249", "10.1.10.250", 24, "ens6", 5201)
ROUTE = '[{"dev": "net1"}]'
RESULT = json.dumps({"end": {"sum_received": {"bytes": 5}}})


@pytest.mark.parametrize(
    "lines",
    [
        [ROUTE, "none", RESULT, "9"],
        [ROUTE, "1", RESULT, "cat: no such file"],
        [ROUTE, "1", "{no JSON", "9"],
        [ROUTE, "1", '{"end": []}', "9"],
        [ROUTE, "1", '{"end": {"sum": {"bytes": "many"}}}', "9"],
        ['{"dev": 3}', "1", RESULT, "9"],
    ],
)
def test_what_iperf3_and_ip_print_is_refused_in_words(lines):
    with pytest.raises(RefusedError, match="internal"):
        refuse_other_ways(PATH, lines)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "3", "{}", '{"end": {}}', '{"end": {"sum_received": {"bits_per_second": "x"}, "sum_sent": {}}}'],
)
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_a_result_of_iperf3_without_figures_is_refused_in_words(text, protocol):
    with pytest.raises(RefusedError, match="iperf3"):
        run_of(text, protocol)


@pytest.mark.parametrize("text", [b"", b'{"links": {"ne', b"[1]"])
def test_a_look_that_was_killed_is_an_error_of_its_pod(text):
    assert probe.answer_of(text) == {"error": "the inspection of the pod ended early"}


@pytest.mark.parametrize("text", ["Error: argument", '[{"ifname": "lo"}', "3"])
def test_an_ip_that_prints_no_list_is_shown(text):
    with pytest.raises(ValueError, match="`ip -j` did not print a JSON list") as error:
        probe.listed(text)
    assert text in str(error.value)
