"""The judgement on one pod: what is known of it decides, and nothing known is not "nothing is wrong"."""

import json
from pathlib import Path

import pytest

from multus_site.verify.explain import explained
from multus_site.verify.observed import NodeSeen
from multus_site.verify.pod_evidence import Evidence

SAID = json.loads((Path(__file__).parent / "said.json").read_text())
STATUS = json.dumps([{"name": "default/a", "interface": "net1", "ips": []}])
NODE = NodeSeen(daemon="kube-multus-1", daemon_ready=True, multus_conf='{"type": "multus-shim"}', files=("00-multus.conf",))  # fmt: skip
NAD = {"metadata": {"name": "a"}, "spec": {"config": json.dumps({"cniVersion": "1.0.0", "name": "a", "type": "macvlan"})}}  # fmt: skip


def pod(phase="Pending", status="", ready="False"):
    """A pod with network a on node1."""
    notes = {"k8s.v1.cni.cncf.io/networks": "a"} | ({"k8s.v1.cni.cncf.io/network-status": status} if status else {})
    conditions = [{"type": "PodReadyToStartContainers", "status": ready}]
    return {
        "metadata": {"name": "p", "namespace": "default", "annotations": notes},
        "spec": {"nodeName": "node1"},
        "status": {"phase": phase, "conditions": conditions},
    }


def failed(*texts):
    """Events of a pod that does not start."""
    return tuple({"reason": "FailedCreatePodSandBox", "message": text} for text in texts)


def causes(known):
    """Names of the causes, and whether something could not be checked."""
    found, unknown = explained(known)
    return [one.cause for one in found], bool(unknown)


@pytest.mark.parametrize("phase", ["Pending", "Failed", "Succeeded"])
def test_a_pod_of_which_nothing_is_said_is_not_fine(phase):
    assert causes(Evidence(pod(phase), attachments={"default/a": NAD}, node=NODE)) == ([], True)


def test_an_unknown_text_is_shown_whole():
    text = "the plugin's own words, " * 200
    (one,) = explained(Evidence(pod(), failed(text), {"default/a": NAD}, NODE))[0]
    assert (one.cause, one.rule, one.said) == ("unknown", "", text)


def test_what_was_said_last_counts():
    events = failed(SAID["plugin-missing"], SAID["addresses-exhausted"])
    assert causes(Evidence(pod(), events, {"default/a": NAD}, NODE)) == (["addresses-exhausted"], False)


def test_a_pod_that_waits_for_its_image_is_past_its_networks():
    known = Evidence(pod(status=STATUS, ready="True"), failed(SAID["plugin-missing"]), {"default/a": NAD}, NODE)
    assert causes(known)[0] == []


def test_multus_that_is_away_outweighs_what_was_said_before():
    known = Evidence(pod(), failed(SAID["plugin-missing"]), {"default/a": NAD}, NodeSeen())
    assert causes(known) == (["multus-away"], False)


def test_a_pod_that_runs_without_its_interface():
    assert causes(Evidence(pod("Running"), (), {"default/a": NAD}, NODE)) == (["interface-missing"], False)
    other = NODE.model_copy(update={"files": ("10-flannel.conflist",), "multus_conf": ""})
    assert causes(Evidence(pod("Running"), (), {"default/a": NAD}, other)) == (["multus-conf"], False)


def test_the_log_counts_when_the_events_are_gone():
    log = ('2026-12-01T13:01:08Z [error] [default/p/1:a]: error adding container to network "a": Link not found',)
    assert causes(Evidence(pod(), (), {"default/a": NAD}, NODE, log=log)) == (["master-missing"], False)


def test_a_status_that_is_no_list_is_said():
    assert causes(Evidence(pod("Running", status="{"), (), {"default/a": NAD}, NODE)) == ([], True)
