"""Deployments: the annotation that Multus reads, the hash that restarts pods, and only those."""

from hypothesis import given
from hypothesis import strategies as st

from model.workloads import Workload
from render.workload import ATTACHMENT_HASH, NETWORKS, manifest, networks_annotation

IMAGE = "docker.io/library/busybox:1.36"


def workload(**more):
    return Workload.model_validate({"image": IMAGE, "networks": ["macvlan-internal", "macvlan-external"], **more})


def template(contents, w=None, nodes=()):
    return manifest("samplepod", w or workload(), IMAGE, list(nodes), contents)["spec"]["template"]


CONTENTS = {"macvlan-internal": "{1}", "macvlan-external": "{2}", "unused": "{3}"}


def test_the_annotation_is_the_short_form():
    assert networks_annotation(workload()) == "macvlan-internal,macvlan-external"
    named = workload(networks=[{"name": "a", "interface": "uplink0"}, "b"])
    assert networks_annotation(named) == "a@uplink0,b"


@given(st.sampled_from(sorted(CONTENTS)), st.text(min_size=1, max_size=5))
def test_pods_restart_when_a_network_of_theirs_changes_and_only_then(network, text):
    changed = {**CONTENTS, network: CONTENTS[network] + text}
    same = (
        template(CONTENTS)["metadata"]["annotations"][ATTACHMENT_HASH]
        == template(changed)["metadata"]["annotations"][ATTACHMENT_HASH]
    )
    assert same == (network == "unused")


def test_a_workload_without_networks_has_no_annotation():
    assert "annotations" not in template({}, workload(networks=[]))["metadata"]


def test_nodes_restrict_the_pods():
    terms = template(CONTENTS, nodes=["node2"])["spec"]["affinity"]["nodeAffinity"]
    rule = terms["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"][0]["matchExpressions"][0]
    assert rule["values"] == ["node2"]
    assert "affinity" not in template(CONTENTS)["spec"]


def test_the_selector_is_the_pods_label():
    whole = manifest("samplepod", workload(), IMAGE, [], CONTENTS)
    assert whole["spec"]["selector"]["matchLabels"].items() <= whole["spec"]["template"]["metadata"]["labels"].items()
    assert whole["spec"]["template"]["metadata"]["annotations"][NETWORKS] == "macvlan-internal,macvlan-external"
