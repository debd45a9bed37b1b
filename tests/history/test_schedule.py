"""The schedule is a pure function of its seed, and one that a cluster can recover from."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.history.actions import Actions
from lab.history.schedule import CHURN, FAULTS, GAP_SECONDS, ONLY_WORKERS, Cluster, schedule

CLUSTER = Cluster("node1", ("node2", "node3"), ("a", "b", "c"), ("net",))
SEED_1 = [(3.2, "force-delete", "a"), (8.0, "kill-multus", "node2"), (8.4, "force-delete", "c")]
SEEDS = st.integers(0, 2**32)
MINUTES = st.floats(0.5, 40)


@given(SEEDS, MINUTES)
def test_the_same_seed_gives_the_same_schedule(seed, minutes):
    assert schedule(seed, minutes, CLUSTER) == schedule(seed, minutes, CLUSTER)


@given(SEEDS, SEEDS)
def test_another_seed_gives_another_one(first, second):
    assert (first == second) == (schedule(first, 5, CLUSTER) == schedule(second, 5, CLUSTER))


@given(SEEDS, MINUTES)
def test_actions_are_in_order_and_within_the_run(seed, minutes):
    plan = schedule(seed, minutes, CLUSTER)
    assert plan == sorted(plan)
    assert all(0 <= action.at <= minutes * 60 and action.at + action.seconds <= minutes * 60 + 0.1 for action in plan)


@given(SEEDS, MINUTES)
def test_faults_come_one_at_a_time_with_quiet_between(seed, minutes):
    faults = [action for action in schedule(seed, minutes, CLUSTER) if action.fault]
    for one, following in itertools.pairwise(faults):
        assert following.at - (one.at + one.seconds) >= GAP_SECONDS[0] - 0.2


@given(SEEDS)
def test_half_an_hour_has_every_fault_and_every_churn(seed):
    plan = schedule(seed, 30, CLUSTER)
    assert {action.what for action in plan} == {*FAULTS, *CHURN}


@given(SEEDS)
def test_the_only_control_plane_node_is_never_killed(seed):
    killed = {action.target for action in schedule(seed, 30, CLUSTER) if action.what in ONLY_WORKERS}
    assert killed <= set(CLUSTER.workers)


@pytest.mark.parametrize("what", [*CHURN, *FAULTS])
def test_every_action_can_be_done_and_what_lasts_can_be_undone(what):
    name = what.replace("-", "_")
    assert callable(getattr(Actions, f"_{name}"))
    assert bool(FAULTS.get(what, (0, 0))[1]) == hasattr(Actions, f"_undo_{name}")


def test_seeds_that_somebody_wrote_down_stay_what_they_were():
    first = schedule(1, 1, CLUSTER)[:3]
    assert [(a.at, a.what, a.target) for a in first] == SEED_1
