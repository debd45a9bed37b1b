"""The table of what a change leads to."""

from dataclasses import replace

import pytest

from multus_site.kubespray.document import Document, KubesprayError
from multus_site.kubespray.plan import PlaybookRun, as_applied, in_order, plan
from multus_site.ssh.ssh_route import Login, SshRoute
from tests.kubespray.documents import document, moved, relabelled

THREE = ("a:cew", "b:w", "c:w")
HIGH = ("a:ce", "b:ce", "c:ce", "d:w", "e:w")
NEW = {"kube_version": "1.35.4"}
OLD = {"kube_version": "1.35.3"}


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
    "a worker becomes control plane": (
        document(*THREE),
        document("a:cew", "b:cw", "c:w"),
        ["remove-node.yml b alive", "cluster.yml"],
    ),
    "a control plane node becomes a worker": (
        document(*HIGH),
        document("a:ce", "b:ce", "c:we", "d:w", "e:w"),
        ["remove-node.yml c alive", "cluster.yml"],
    ),
    "a control plane node runs pods too": (
        document(*HIGH),
        document("a:ce", "b:cew", "c:ce", "d:w", "e:w"),
        ["cluster.yml"],
    ),
    "etcd moves to hosts that are there": (
        document("a:cew", "b:w", "c:w"),
        document("a:cew", "b:ew", "c:ew"),
        ["remove-node.yml b alive", "remove-node.yml c alive", "cluster.yml"],
    ),
    "a later control plane node less": (
        document("a:ce", "b:c", "c:w"),
        document("a:ce", "c:w"),
        ["remove-node.yml b alive"],
    ),
    "five etcd members become three": (
        document("a:ce", "b:e", "c:e", "d:e", "f:e", "g:w"),
        document("a:ce", "b:e", "c:e", "g:w"),
        ["remove-node.yml d alive", "remove-node.yml f alive"],
    ),
    "another address": (
        document(*THREE),
        moved(document(*THREE), "c", "10.1.1.99"),
        ["remove-node.yml c dead", "playbooks/facts.yml", "scale.yml c"],
    ),
    "a worker and a control plane node more": (
        document(*THREE),
        document(*THREE, "d:c", "e:w"),
        ["cluster.yml"],
    ),
    "a label and a version": (
        document(*THREE, **OLD),
        relabelled(document(*THREE, **NEW), "b", "r1"),
        ["upgrade-cluster.yml"],
    ),
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
    "labels and taints, which are set without Kubespray": (
        document(*THREE),
        relabelled(document(*THREE), "b", "r1"),
        [],
    ),
    "a label and a variable": (document(*THREE), relabelled(document(*THREE, forks=2), "b", "r1"), ["cluster.yml"]),
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


def test_other_keys_run_nothing() -> None:
    before = document("a:cew", "b:w")
    after = replace(before, route=SshRoute(Login("root", "ANOTHER")), known_hosts="ANOTHER")
    assert plan(as_applied(before, None), after) == []


def test_a_control_plane_without_network_gets_that_first() -> None:
    network, whole = plan(None, document(*THREE), attempted="cluster.yml", half_made=True)
    assert (network.playbook, network.tags, network.after) == ("cluster.yml", ("network",), None)
    assert (whole.playbook, whole.tags) == ("cluster.yml", ())


REFUSED = {
    "first control plane node removed": (document(*HIGH), document(*HIGH[1:]), "a: it is the first control plane node"),
    "first control plane node is another machine": (
        document(*HIGH),
        document("a:ce2", *HIGH[1:]),
        "a: it is the first control plane node",
    ),
    "first control plane node runs no pods any more": (
        document(*THREE),
        document("a:ce", "b:w", "c:w"),
        "(a change of roles removes the node and joins it again). Undo the change",
    ),
    "first etcd member replaced": (
        document("a:c", "b:ce", "c:w"),
        document("a:c", "b:ce2", "c:w"),
        "b: it is the first etcd member",
    ),
    "quorum lost": (
        document(*HIGH),
        document("a:ce", "d:w", "e:w"),
        "removing b, c leaves 1 of 3 etcd members, which is no quorum. Keep 3 members",
    ),
    "quorum lost, with a way": (
        document("a:ce", "b:e", "c:e", "d:e", "e:e", "f:w"),
        document("a:ce", "f:w"),
        "leaves 1 of 5 etcd members, which is no quorum. First reduce etcd to 3 members",
    ),
    "two etcd members replaced at once": (
        document(*HIGH),
        document("a:ce", "b:ce2", "c:ce2", "d:w", "e:w"),
        "removing b, c leaves 1 of 3",
    ),
    "two minor versions of Kubespray": (
        document(*THREE, version="v2.29.1", kube_version="1.33.7"),
        document(*THREE, kube_version="1.33.7"),
        "kubespray.version: v2.29.1 to v2.31.0 is more than one minor version. Upgrade in steps, with one `pulumi up` each: v2.30.0, v2.31.0",
    ),
    "another major version": (document(*THREE), document(*THREE, version="v3.0.0"), "a change of the major version"),
    "back to an earlier Kubespray": (
        document(*THREE),
        document(*THREE, version="v2.30.0"),
        "cannot be downgraded from v2.31.0 to v2.30.0",
    ),
    "back to an earlier patch of Kubernetes": (
        document(*THREE, **NEW),
        document(*THREE, **OLD),
        "cannot be downgraded from 1.35.4 to 1.35.3",
    ),
    "two minor versions of Kubernetes": (
        document(*THREE, kube_version="1.33.1"),
        document(*THREE, **OLD),
        "one `pulumi up` each: 1.34.7, 1.35.3",
    ),
    "two minor versions, since the new one is the release's own": (
        document(*THREE, kube_version="1.33.1"),
        document(*THREE),
        "one `pulumi up` each: 1.34.7, 1.35.4",
    ),
}


@pytest.mark.parametrize(("before", "after", "words"), REFUSED.values(), ids=REFUSED)
def test_refused(before: Document, after: Document, words: str) -> None:
    with pytest.raises(KubesprayError) as error:
        plan(as_applied(before, None), after)
    assert words in str(error.value)


def test_everything_refused_at_once() -> None:
    with pytest.raises(KubesprayError) as error:
        plan(as_applied(document(*HIGH), None), document("d:w", "e:w", version="v2.30.0"))
    assert len(str(error.value).splitlines()) == 5  # two firsts, a quorum, two versions


def test_a_dead_node_is_removed_without_reaching_it() -> None:
    (run,) = plan(as_applied(document(*THREE), None), document("a:cew", "b:w"), dead=frozenset("c"))
    assert run.extra["reset_nodes"] is False
    assert run.extra["allow_ungraceful_removal"] is True
    assert "does not answer" in run.reason


def test_a_dead_node_goes_before_those_that_answer() -> None:
    found = plan(as_applied(document(*THREE, "d:w"), None), document("a:cew", "b:w"), dead=frozenset("d"))
    assert [said(run) for run in found] == ["remove-node.yml d dead", "remove-node.yml c alive"]
    assert found[1].hosts == ("a", "b", "c")


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


BEGUN = as_applied(document(*THREE, "d:w"), None)


def test_a_worker_that_was_being_added_and_is_no_longer_wanted_is_taken_out() -> None:
    found = plan(as_applied(document(*THREE), None), document(*THREE), attempted="scale.yml", begun=BEGUN)
    assert [said(run) for run in found] == ["remove-node.yml d alive", "cluster.yml"]
    assert (found[0].hosts, found[1].hosts) == (("a", "b", "c", "d"), ("a", "b", "c"))
    assert found[0].after == as_applied(document(*THREE), None)


def test_a_worker_that_was_being_added_is_added_and_not_taken_out_first() -> None:
    found = plan(as_applied(document(*THREE), None), document(*THREE, "d:w"), attempted="scale.yml", begun=BEGUN)
    assert [said(run) for run in found] == ["playbooks/facts.yml", "scale.yml d"]


def test_a_machine_that_was_being_added_and_is_another_by_now_is_forgotten_first() -> None:
    found = plan(as_applied(document(*THREE), None), document(*THREE, "d:w2"), attempted="scale.yml", begun=BEGUN)
    assert [said(run) for run in found] == ["remove-node.yml d dead", "playbooks/facts.yml", "scale.yml d"]


def test_a_worker_of_a_first_run_that_is_no_longer_wanted_is_taken_out_of_what_was_made() -> None:
    found = plan(None, document(*THREE), attempted="cluster.yml", begun=BEGUN, dead=frozenset("d"))
    assert [said(run) for run in found] == ["cluster.yml", "remove-node.yml d dead"]


def test_reasons_name_what_changed_and_no_value() -> None:
    (run,) = plan(as_applied(document(*THREE, flavour="hunter2"), None), document(*THREE, flavour="hunter3"))
    assert run.reason == "changed: flavour"
    assert "hunter" not in repr(run.after)
