"""The table of what a change leads to."""

import pytest

from kubespray.document import Document, KubesprayError
from kubespray.plan import PlaybookRun, as_applied, in_order, plan
from tests.kubespray.documents import document, relabelled

THREE = ("a:cew", "b:w", "c:w")
HIGH = ("a:ce", "b:ce", "c:ce", "d:w", "e:w")
NEW = {"kube_version": "1.35.5"}
OLD = {"kube_version": "1.35.4"}


def said(run: PlaybookRun) -> str:
    """A run in a line: playbook, limit, what is removed and how."""
    words = [run.playbook, *run.limit]
    if "node" in run.extra:
        words += [run.extra["node"], "dead" if run.extra.get("reset_nodes") is False else "alive"]
    return " ".join(words)


TABLE = {
    "nothing": (document(*THREE), document(*THREE), []),
    "another order in the file": (document(*THREE), document("c:w", "b:w", "a:cew"), []),
    "a worker more": (document(*THREE), document(*THREE, "d:w"), ["playbooks/facts.yml", "scale.yml d"]),
    "a worker more, first in the file": (
        document(*THREE),
        document("d:w", "e:w", *THREE),
        ["playbooks/facts.yml", "scale.yml d e"],
    ),
    "a control plane node more": (document(*THREE), document(*THREE, "d:c"), ["cluster.yml"]),
    "etcd members more": (document(*THREE), document(*THREE, "d:e", "f:e"), ["cluster.yml"]),
    "a worker becomes control plane": (document(*THREE), document("a:cew", "b:cw", "c:w"), ["cluster.yml"]),
    "a worker less": (document(*THREE), document("a:cew", "b:w"), ["remove-node.yml c alive"]),
    "two workers less": (
        document(*THREE, "d:w"),
        document("a:cew", "b:w"),
        ["remove-node.yml c alive", "remove-node.yml d alive"],
    ),
    "one less, one more": (
        document(*THREE),
        document("a:cew", "b:w", "d:w"),
        ["remove-node.yml c alive", "playbooks/facts.yml", "scale.yml d"],
    ),
    "a worker is another machine": (
        document(*THREE),
        document("a:cew", "b:w", "c:w2"),
        ["remove-node.yml c dead", "playbooks/facts.yml", "scale.yml c"],
    ),
    "a later etcd member is another machine": (
        document(*HIGH),
        document("a:ce", "b:ce", "c:ce2", "d:w", "e:w"),
        ["remove-node.yml c dead", "cluster.yml"],
    ),
    "every machine is another": (document(*THREE), document("a:cew2", "b:w2", "c:w2"), ["cluster.yml"]),
    "every machine is another, and fewer": (document(*THREE), document("a:cew2", "b:w2"), ["cluster.yml"]),
    "a variable": (document(*THREE, forks=1), document(*THREE, forks=2), ["cluster.yml"]),
    "a variable more": (document(*THREE), document(*THREE, forks=2), ["cluster.yml"]),
    "a label": (document(*THREE), relabelled(document(*THREE), "b", "r1"), ["cluster.yml"]),
    "a variable and a worker": (document(*THREE), document(*THREE, "d:w", forks=2), ["cluster.yml"]),
    "a patch of Kubernetes": (document(*THREE, **OLD), document(*THREE, **NEW), ["upgrade-cluster.yml"]),
    "the next Kubespray": (
        document(*THREE, version="v2.30.0"),
        document(*THREE),
        ["upgrade-cluster.yml"],
    ),
    "the next Kubespray and a variable": (
        document(*THREE, version="v2.30.0"),
        document(*THREE, forks=2),
        ["upgrade-cluster.yml"],
    ),
    "a new version and a worker": (
        document(*THREE, **OLD),
        document(*THREE, "d:w", **NEW),
        ["upgrade-cluster.yml", "playbooks/facts.yml", "scale.yml d"],
    ),
    "a new version and a worker less": (
        document(*THREE, **OLD),
        document("a:cew", "b:w", **NEW),
        ["remove-node.yml c alive", "upgrade-cluster.yml"],
    ),
}


@pytest.mark.parametrize(("before", "after", "runs"), TABLE.values(), ids=TABLE)
def test_table(before: Document, after: Document, runs: list[str]) -> None:
    found = plan(as_applied(before, None), after)
    assert [said(run) for run in found] == runs
    if found:
        # Whatever the way, the end is what was asked for.
        end = found[-1].after
        assert end is not None
        assert end.hosts == after.hosts
        assert plan(end, after) == []


def test_first_run_is_cluster_yml_with_everyone() -> None:
    (run,) = plan(None, document(*THREE))
    assert (run.playbook, run.hosts, run.limit) == ("cluster.yml", ("a", "b", "c"), ())


def test_a_control_plane_without_network_gets_that_first() -> None:
    network, whole = plan(None, document(*THREE), attempted="cluster.yml", half_made=True)
    assert (network.playbook, network.tags, network.after) == ("cluster.yml", ("network",), None)
    assert (whole.playbook, whole.tags) == ("cluster.yml", ())


REFUSED = {
    "first control plane node removed": (document(*HIGH), document(*HIGH[1:]), "first control plane node"),
    "first etcd member replaced": (
        document("a:c", "b:ce", "c:w"),
        document("a:c", "b:ce2", "c:w"),
        "b is the first etcd member",
    ),
    "quorum lost": (document(*HIGH), document("a:ce", "d:w", "e:w"), "leaves 1 of 3 etcd members"),
    "two minor versions of Kubespray": (
        document(*THREE, version="v2.29.1"),
        document(*THREE),
        "a `pulumi up` each: v2.30, v2.31",
    ),
    "back to an earlier Kubespray": (document(*THREE), document(*THREE, version="v2.30.0"), "can't go back"),
    "two minor versions of Kubernetes": (
        document(*THREE, kube_version="1.33.1"),
        document(*THREE, **OLD),
        "each: 1.34, 1.35",
    ),
}


@pytest.mark.parametrize(("before", "after", "words"), REFUSED.values(), ids=REFUSED)
def test_refused(before: Document, after: Document, words: str) -> None:
    with pytest.raises(KubesprayError) as error:
        plan(as_applied(before, None), after)
    assert words in str(error.value)


def test_a_dead_node_is_removed_without_reaching_it() -> None:
    (run,) = plan(as_applied(document(*THREE), None), document("a:cew", "b:w"), dead=frozenset("c"))
    assert run.extra["reset_nodes"] is False
    assert run.extra["allow_ungraceful_removal"] is True


def test_a_removed_node_is_in_the_inventory_until_it_is_removed() -> None:
    first, second = plan(as_applied(document(*THREE, "d:w"), None), document("a:cew", "b:w"))
    assert first.hosts == ("a", "b", "c", "d")
    assert second.hosts == ("a", "b", "d")


def test_new_nodes_are_not_in_the_inventory_of_an_upgrade() -> None:
    upgrade = plan(as_applied(document(*THREE, **OLD), None), document("d:w", *THREE, **NEW))[0]
    assert upgrade.hosts == ("a", "b", "c")


def test_the_first_nodes_stay_first() -> None:
    (run,) = plan(as_applied(document(*HIGH), None), document("f:ce", "g:ce", *HIGH))
    assert run.groups["etcd"] == ("a", "b", "c", "f", "g")
    assert in_order("abc", "dcab") == ("a", "b", "c", "d")


def test_no_run_can_stop_at_a_question() -> None:
    before = as_applied(document(*THREE, **OLD), None)
    for run in plan(before, document("a:cew", "b:w", **NEW)):
        assert run.extra["skip_confirmation"] is True


@pytest.mark.parametrize(
    ("attempted", "after", "runs"),
    [
        ("cluster.yml", document(*THREE), ["cluster.yml"]),
        ("scale.yml", document(*THREE, "d:w"), ["playbooks/facts.yml", "scale.yml d"]),
        ("remove-node.yml", document("a:cew", "b:w"), ["remove-node.yml c alive"]),
        # Begun, then no longer wanted: what it left must be put right.
        ("remove-node.yml", document(*THREE), ["cluster.yml"]),
        ("scale.yml", document(*THREE), ["cluster.yml"]),
    ],
)
def test_what_did_not_finish_is_carried_on(attempted: str, after: Document, runs: list[str]) -> None:
    found = plan(as_applied(document(*THREE), None), after, attempted=attempted)
    assert [said(run) for run in found] == runs


def test_reasons_name_what_changed_and_no_value() -> None:
    (run,) = plan(as_applied(document(*THREE, flavour="hunter2"), None), document(*THREE, flavour="hunter3"))
    assert run.reason == "changed: flavour"
    assert "hunter" not in repr(run.after)
