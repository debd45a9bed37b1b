"""The table of texts, on what kubelet, Multus and plugins said in the lab (said.json), and the causes as a whole."""

import json
from pathlib import Path

import pytest

from multus_site.lint.registry import RULES
from multus_site.verify.registry import VERIFICATIONS
from multus_site.verify.remedies import remedy
from multus_site.verify.said import CAUSES, TEXTS, classified

SAID = json.loads((Path(__file__).parent / "said.json").read_text())
AWAY = 'CmdAdd (shim): CNI request failed: Post "http://dummy/cni": dial unix /host/run/multus/multus.sock: connect: connection refused'


@pytest.mark.parametrize("name", SAID)
def test_a_text_of_the_lab_has_its_cause_whatever_surrounds_it(name):
    cause = name.removesuffix("-event")
    for text in (SAID[name], f"\n {SAID[name]}\n", SAID[name].upper() if cause == "master-missing" else SAID[name]):
        assert classified(text).cause == cause


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (AWAY, "multus-away"),
        ('failed to find plugin "multus-shim" in path [/opt/cni/bin]', "multus-away"),
        ("Error at storage engine: Could not allocate IP in range: ip: 10.1.10.1 / - 10.1.10.2", "addresses-exhausted"),
        ('failed to lookup master "ens9": Link not found', "master-missing"),
        ("container runtime network not ready: cni plugin not initialized", "multus-away"),
        ("0/1 nodes are available: 1 Insufficient cpu.", "unknown"),
        ("plugin said something that nobody has heard before", "unknown"),
        ("", "unknown"),
    ],
)
def test_other_texts(text, cause):
    assert classified(text) == (cause, text, classified(text).about)


def test_what_a_text_names_is_kept():
    assert classified(SAID["plugin-missing"]).about == {"configuration": "absent-plugin", "plugin": "ghostlan"}
    assert classified(SAID["plugin-architecture"]).about["plugin"] == "foreignlan"
    assert classified(SAID["network-missing"]).about == {"network": "nowhere", "namespace": "default"}
    assert classified(SAID["mtu"]).about["most"] == "1500"
    assert classified(SAID["no-device"]).about == {"resource": "example.com/vf"}


def test_every_cause_has_a_rule_that_exists_and_a_remedy():
    assert {one.cause for one in TEXTS} <= set(CAUSES)
    for cause, entry in CAUSES.items():
        assert entry.rule in RULES or entry.rule in VERIFICATIONS or cause == "unknown"
        assert remedy(cause, {"node": "node1"})
