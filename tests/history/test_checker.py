"""The checker of histories: a good one passes, and each planted violation is found, with the shortest history that shows it."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.history.checker import FORCED, Limits, check
from lab.history.record import History, Life, history, lines, read
from lab.history.shortest import meanwhile, shortest

LIMITS = Limits(free=60, ready=30)
END = 1000.0


def rules(told, limits=LIMITS):
    return [violation.rule for violation in check(told, limits)]


def life_of_a_pod(number, begin, end, node="node2", segment="internal", asked=1):
    """Everything that a pod leaves in a history that keeps the rules. Its address and MAC are those of its number."""
    uid, sandbox, netns = f"uid{number}", f"sandbox{number}", f"cni-{number}"
    holder = f"{node} {netns} net1"
    return [
        Life("pod", node, f"default/p{number}", uid, begin, end, node, uid, asked),
        Life("sandbox", node, f"default/p{number}", sandbox, begin, end, node, uid),
        Life("ready", node, f"default/p{number}", uid, begin + 2, end, node, uid, asked),
        Life("address", segment, f"10.1.10.{number % 200}", holder, begin + 1, end, node, uid),
        Life("mac", segment, f"02:00:00:00:00:{number % 200:02x}", holder, begin + 1, end, node, uid),
        Life("reservation", "store", f"10.1.10.{number % 200}", sandbox, begin + 0.5, end, node, uid),
    ]


def of(*lives, end=END):
    return History(tuple(lives), end)


# Pods one after another on as many addresses: never two at once on one.
PODS = st.lists(st.tuples(st.integers(0, 5), st.floats(3, 40), st.floats(1, 20)), min_size=1, max_size=20)


def good(pods):
    """A history that keeps the rules: each pod begins after the one before it on its address has ended."""
    free, lives = {}, []
    for number, (slot, lasts, pause) in enumerate(pods):
        begin = free.get(slot, 1.0) + pause
        free[slot] = begin + lasts
        # The same slot: the same address and MAC, another pod.
        lives += [
            replace(
                life, what=life.what if life.kind not in {"address", "reservation", "mac"} else f"{life.kind}{slot}"
            )
            for life in life_of_a_pod(number, begin, begin + lasts)
        ]
    return of(*lives, end=max(free.values()) + 1)


@given(PODS)
def test_a_history_that_keeps_the_rules_passes(pods):
    assert check(good(pods), LIMITS) == []


def planted(told, kind, number):
    """A life of the history, and the history without it."""
    alike = told.of(kind)
    return alike[number % len(alike)]


@given(PODS, st.integers(0, 50), st.sampled_from(["address", "mac", "reservation"]))
def test_the_same_thing_twice_at_one_time_is_found(pods, number, kind):
    told = good(pods)
    victim = planted(told, kind, number)
    thief = replace(victim, of="node3 cni-thief net1", pod="", begin=victim.begin + 0.1, end=victim.end - 0.1)
    bad = History((*told.lives, thief), told.end)
    (found,) = check(bad, LIMITS)
    assert found.rule == {"address": "address-twice", "mac": "mac-twice", "reservation": "reserved-twice"}[kind]
    assert set(found.lives) == {victim, thief}
    assert set(shortest(bad, found, LIMITS).lives) == {victim, thief}


@given(PODS, st.integers(0, 50), st.sampled_from(["address", "mac", "reservation"]))
def test_on_another_segment_it_is_no_violation(pods, number, kind):
    told = good(pods)
    elsewhere = replace(planted(told, kind, number), where="external", of="node3 cni-other net1", pod="")
    assert check(History((*told.lives, elsewhere), told.end), LIMITS) == []


@given(PODS, st.integers(0, 50), st.sampled_from(["address", "reservation"]))
def test_an_address_that_outlives_its_pod_is_found(pods, number, kind):
    told = good(pods)
    victim = planted(told, kind, number)
    late = replace(victim, what="192.0.2.1", end=victim.end + LIMITS.free + 1)
    bad = History(tuple(late if life is victim else life for life in told.lives), told.end + LIMITS.free + 2)
    (found,) = check(bad, LIMITS)
    assert found.rule == "not-free"
    assert late in found.lives
    short = shortest(bad, found, LIMITS)
    assert {life.kind for life in short.lives} == {"pod", kind}
    assert (
        check(
            History(
                tuple(replace(x, end=victim.end + LIMITS.free - 1) if x is late else x for x in bad.lives), bad.end
            ),
            LIMITS,
        )
        == []
    )


@given(PODS, st.integers(0, 50))
def test_one_that_is_never_freed_is_found_too(pods, number):
    told = good(pods)
    victim = planted(told, "reservation", number)
    kept = replace(victim, what="192.0.2.1", end=None)
    bad = History(tuple(kept if life is victim else life for life in told.lives), victim.end + LIMITS.free + 5)
    assert "not-free" in rules(bad)


def test_a_fault_stops_the_clock_until_the_cluster_has_settled():
    pod, *rest = life_of_a_pod(1, 10, 100)
    late = [replace(life, end=180) if life.kind == "reservation" else life for life in rest]
    assert rules(of(pod, *late)) == ["not-free"]
    fault = Life("action", "node2", "kill-node", "node2", 95, 115, "node2", fault=True)
    assert rules(of(pod, *late, fault)) == []
    earlier = replace(fault, begin=10, end=12)
    assert rules(of(pod, *late, earlier)) == ["not-free"]
    churn = replace(fault, what="delete", fault=False)
    assert rules(of(pod, *late, churn)) == ["not-free"]


@given(st.integers(1, 4), st.integers(0, 3))
def test_a_pod_ready_without_an_interface_is_found(asked, have):
    lives = [life for life in life_of_a_pod(1, 10, 200, asked=asked) if life.kind != "mac"]
    macs = [
        Life("mac", "internal", f"02:00:00:00:00:0{i}", f"node2 cni-1 net{i}", 11, 200, "node2", "uid1")
        for i in range(have)
    ]
    eth0 = Life("mac", "node2/cni0", "02:00:00:00:01:00", "node2 cni-1 eth0", 11, 200, "node2", "uid1")
    found = check(of(*lives, *macs, eth0), LIMITS)
    assert [violation.rule for violation in found] == (["too-few"] if have < asked else [])
    for violation in found:
        assert f"with {have} of {asked} interfaces" in violation.text
        assert eth0 not in shortest(of(*lives, *macs, eth0), violation, LIMITS).lives


def test_an_interface_that_comes_back_in_time_is_no_violation_and_one_that_is_late_is():
    lives = [life for life in life_of_a_pod(1, 10, 200) if life.kind != "mac"]
    mac = Life("mac", "internal", "02:00:00:00:00:01", "node2 cni-1 net1", 11, 50, "node2", "uid1")
    assert rules(of(*lives, mac, replace(mac, begin=79, end=200))) == []
    assert rules(of(*lives, mac, replace(mac, begin=82, end=200))) == ["too-few"]


def test_what_is_left_after_the_end_is_found():
    left = Life("left", "node2", "namespace cni-9", "", 900, None, "node2")
    (found,) = check(of(*life_of_a_pod(1, 10, 100), left), LIMITS)
    assert (found.rule, found.text) == ("left", "left on node2 without a pod: namespace cni-9, of nobody")


@given(PODS, st.integers(0, 50), st.data())
def test_nothing_can_be_taken_from_the_shortest_history(pods, number, data):
    told = good(pods)
    victim = planted(told, "address", number)
    thief = replace(victim, of="node3 cni-thief net1", pod="")
    bad = History((*told.lives, thief), told.end)
    short = shortest(bad, check(bad, LIMITS)[0], LIMITS)
    gone = data.draw(st.sampled_from(short.lives))
    assert check(History(tuple(life for life in short.lives if life is not gone), short.end), LIMITS) == []


def test_the_faults_around_a_violation_are_told():
    first, second = (
        Life("address", "internal", "10.1.10.1", f"node{i} cni-{i} net1", 100, 110, f"node{i}") for i in (2, 3)
    )
    before = Life("action", "node2", "kill-node", "node2", 80, 90, "node2", fault=True)
    long_ago = replace(before, begin=10, end=20)
    told = of(first, second, before, long_ago)
    (found,) = check(told, LIMITS)
    assert meanwhile(told, shortest(told, found, LIMITS)) == [before]


# From events.


def event(t, event, **more):
    return {"t": t, "event": event, **more}


def live(t, what, value, node="node2", netns="cni-1", segment="internal", kind="address", interface="net1"):
    return event(t, what, node=node, netns=netns, interface=interface, segment=segment, kind=kind, value=value)


def test_events_become_lives_with_their_pods():
    told = history(
        [
            event(1, "reserved", node="node2", store="s", address="10.1.10.1", owner="sb"),
            live(2, "live", "10.1.10.1"),
            event(3, "sandbox", node="node2", id="sb", uid="u", pod="default/p", netns="cni-1"),
            event(4, "pod", uid="u", pod="default/p", node="node2", asked=1, ready=True),
            live(5, "gone", "10.1.10.1"),
            event(6, "released", node="node2", store="s", address="10.1.10.1", owner="sb"),
            event(7, "ended", node="node2", id="sb"),
            event(8, "deleted", uid="u"),
            event(9, "end"),
        ]
    )
    spans = {life.kind: (life.begin, life.end, life.pod) for life in told.lives}
    assert spans == {
        "reservation": (1, 6, "u"),
        "address": (2, 5, "u"),
        "sandbox": (3, 7, "u"),
        "pod": (4, 8, "u"),
        "ready": (4, 8, "u"),
    }
    assert told.end == 9


def test_a_node_that_was_killed_holds_nothing_that_is_live_and_keeps_what_is_on_its_disk():
    told = history(
        [
            live(1, "live", "10.1.10.1"),
            live(1, "live", "10.1.10.2", node="node3"),
            event(1, "reserved", node="node2", store="s", address="10.1.10.1", owner="sb"),
            event(5, "down", node="node2"),
            live(6, "live", "10.1.10.1", node="node3"),
            event(9, "end"),
        ]
    )
    assert rules(told) == []
    ends = {(life.kind, life.node, life.what): life.end for life in told.lives}
    assert ends["address", "node2", "10.1.10.1"] == 5
    assert ends["address", "node3", "10.1.10.2"] is None
    assert ends["reservation", "node2", "10.1.10.1"] is None


def test_a_record_whose_last_line_is_half_written_can_be_read():
    whole = json.dumps(event(1, "end"))
    assert read([whole, '{"t": 2, "event": "li', "", "[1]", "7", '{"t": "x", "event": "end"}']) == [event(1, "end")]


@pytest.mark.parametrize("kind", ["address", "mac"])
def test_two_events_of_one_thing_on_two_nodes_overlap_only_where_both_were_surely_there(kind):
    def told(second):
        return history(
            [
                live(1, "live", "x", kind=kind),
                live(5, "gone", "x", kind=kind),
                live(second, "live", "x", node="node3", kind=kind),
                event(9, "end"),
            ]
        )

    assert rules(told(5.1)) == []
    assert rules(told(4.9)) == [f"{kind}-twice"]


def test_an_address_handed_on_after_a_pod_was_deleted_by_force_has_a_known_cause():
    first = life_of_a_pod(1, 10, 100)
    forced = [replace(life, end=50) if life.kind in {"pod", "ready"} else life for life in first]
    thief = Life("address", "internal", "10.1.10.1", "node3 cni-9 net1", 60, 200, "node3", "uid9")
    (found,) = check(of(*forced, thief), LIMITS)
    assert (found.rule, found.known) == ("address-twice", FORCED)
    assert {life.kind for life in shortest(of(*forced, thief), found, LIMITS).lives} == {"address"}
    for lives in (first, forced):
        (found,) = check(of(*lives, replace(thief, begin=45)), LIMITS)
        assert (found.rule, found.known) == ("address-twice", "")


def test_lines_are_in_order_with_times_since_the_start():
    told = list(lines(life_of_a_pod(1, 10, 100), 10))
    assert told[0] == "     0.00 -    90.00 s  pod default/p1 on node2 of uid1"
    assert told == sorted(told, key=lambda line: float(line.split()[0]))
