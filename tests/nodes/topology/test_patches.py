"""What is patched on a node, and what is left alone."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multus_site.nodes.topology.patches import OURS, Wanted, patch

DEDICATED = {"key": "multus-site/dedicated", "value": "c1", "effect": "NoSchedule"}
NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoExecute", "timeAdded": "2026-01-02T10:15:00Z"}


def node(labels=None, taints=None, ours=None, version="7"):
    annotations = {OURS: json.dumps(ours)} if ours else {}
    metadata = {"name": "n", "resourceVersion": version, "labels": labels or {}, "annotations": annotations}
    return {"metadata": metadata, "spec": {"taints": taints} if taints else {}}


def patched(before, change):
    """What the API server makes of a merge patch (RFC 7386)."""
    if not isinstance(change, dict):
        return change
    found = dict(before) if isinstance(before, dict) else {}
    for key, value in change.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = patched(found.get(key), value)
    return found


def test_a_new_node_gets_both_and_the_note_of_what_is_ours():
    found = patch(node({"kubernetes.io/os": "linux"}, [NOT_READY]), Wanted({"zone": "r1"}, (DEDICATED,)))
    ours = {"labels": ["zone"], "taints": ["multus-site/dedicated:NoSchedule"]}
    assert found == {
        "metadata": {"resourceVersion": "7", "labels": {"zone": "r1"}, "annotations": {OURS: json.dumps(ours)}},
        "spec": {"taints": [NOT_READY, DEDICATED]},
    }


def test_what_is_ours_no_more_goes_and_nothing_else():
    before = node(
        {"zone": "r1", "row": "a", "theirs": "x"},
        [NOT_READY, DEDICATED],
        {"labels": ["zone", "row"], "taints": ["multus-site/dedicated:NoSchedule"]},
    )
    after = patched(before, patch(before, Wanted({"zone": "r2"})))
    assert after["metadata"]["labels"] == {"zone": "r2", "theirs": "x"}
    assert after["spec"]["taints"] == [NOT_READY]
    gone = patched(after, patch(after, Wanted()))
    assert gone["metadata"]["labels"] == {"theirs": "x"}
    assert OURS not in gone["metadata"]["annotations"]


def test_another_effect_replaces_the_taint():
    before = node({}, [DEDICATED], {"labels": [], "taints": ["multus-site/dedicated:NoSchedule"]})
    harder = {**DEDICATED, "effect": "NoExecute"}
    assert patched(before, patch(before, Wanted({}, (harder,))))["spec"]["taints"] == [harder]


def test_another_value_replaces_the_taint():
    before = node({}, [DEDICATED], {"labels": [], "taints": ["multus-site/dedicated:NoSchedule"]})
    other = {**DEDICATED, "value": "c2"}
    assert patched(before, patch(before, Wanted({}, (other,))))["spec"]["taints"] == [other]


def test_a_label_that_somebody_took_away_comes_back():
    before = node({}, None, {"labels": ["zone"], "taints": []})
    assert patch(before, Wanted({"zone": "r1"}))["metadata"]["labels"] == {"zone": "r1"}


def test_what_kubespray_has_set_already_is_only_noted():
    found = patch(node({"zone": "r1"}, [DEDICATED]), Wanted({"zone": "r1"}, (DEDICATED,)))
    assert set(found) == {"metadata"}
    assert set(found["metadata"]) == {"resourceVersion", "annotations"}


def test_the_time_on_a_taint_is_no_difference():
    there = {**DEDICATED, "effect": "NoExecute", "timeAdded": "2026-01-02T10:15:00Z"}
    wanted = Wanted({}, ({**DEDICATED, "effect": "NoExecute"},))
    before = node({}, [there])
    assert patch(patched(before, patch(before, wanted)), wanted) is None


@pytest.mark.parametrize("text", ["no JSON", "[]", '"x"', '{"labels": 1}', '{"taints": null}'])
def test_a_note_that_is_not_ours_costs_nobody_a_label(text):
    before = node({"theirs": "x"})
    before["metadata"]["annotations"] = {OURS: text}
    assert patched(before, patch(before, Wanted({"zone": "r1"})))["metadata"]["labels"] == {"theirs": "x", "zone": "r1"}


KEYS = st.sampled_from(["a", "b", "example.com/c"])
TAINTS = st.lists(
    st.fixed_dictionaries({"key": KEYS, "value": st.sampled_from(["", "1"]), "effect": st.sampled_from(["NoSchedule", "NoExecute"])}),
    unique_by=lambda t: (t["key"], t["effect"]),
    max_size=3,
)  # fmt: skip
WANTED = st.builds(lambda labels, taints: Wanted(labels, tuple(taints)), st.dictionaries(KEYS, st.text("xy")), TAINTS)


@given(WANTED, WANTED, st.booleans())
def test_one_patch_is_enough_whatever_was_there(first, second, dirty):
    state = node({"theirs": "x"}, [NOT_READY] if dirty else None)
    for wanted in (first, second):
        change = patch(state, wanted)
        state = patched(state, change) if change else state
        assert patch(state, wanted) is None
    assert state["metadata"]["labels"] == {"theirs": "x", **second.labels}
    others = [t for t in state["spec"].get("taints") or [] if t != NOT_READY]
    assert sorted(sorted(t.items()) for t in others) == sorted(sorted(t.items()) for t in second.taints)
    assert (NOT_READY in (state["spec"].get("taints") or [])) is dirty
