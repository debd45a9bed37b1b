"""The rules that a history must keep. Pure: a history and time limits in, violations out."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lab.history.record import History, Life

FORCED = "the API server had forgotten the first pod, which was deleted by force, while its sandbox still ran"
"""whereabouts gives an address back when the pod's object goes, and a Deployment starts the next pod then; neither waits for the sandbox."""


@dataclass(frozen=True)
class Limits:
    """Seconds that are allowed. Faults stop the clock: it runs from the end of the last one that overlaps."""

    free: float = 90.0
    """An address may outlive its pod by this much: the kubelet removes sandboxes once a minute."""
    ready: float = 30.0
    """A pod may be Ready without an interface for this long: the API server's answers lag."""


@dataclass(frozen=True)
class Violation:
    """A rule that was broken. `lives`: what shows it. `known`: the cause, if it is none of ours (docs/measurements.md)."""

    rule: str
    text: str
    lives: tuple[Life, ...]
    known: str = ""

    @property
    def key(self) -> tuple[object, ...]:
        """What makes it this violation and not another one, whatever else the history holds."""
        return self.rule, self.text


def check(history: History, limits: Limits | None = None) -> list[Violation]:
    """Every violation, by time."""
    limits = limits or Limits()
    rules = (
        _twice(history, "address"),
        _twice(history, "mac"),
        _reserved_twice(history),
        _free_again(history, limits),
        _all_interfaces(history, limits),
        _left(history),
    )
    found = [violation for rule in rules for violation in rule]
    return sorted(found, key=lambda one: (max(life.begin for life in one.lives), one.rule, one.text))


def _twice(history: History, kind: str) -> Iterator[Violation]:
    """No address and no MAC twice at one time on one segment. An interface holds its own any number of times."""
    pods: dict[str, list[Life]] = defaultdict(list)
    for pod in history.of("pod"):
        pods[pod.of].append(pod)
    for first, second in _overlaps(history, history.of(kind)):
        text = f"{kind} {first.what} twice on {first.where}: {first.of} and {second.of}"
        forced = next((pod for pod in pods[first.pod] if pod.end is not None and pod.end <= second.begin), None)
        yield Violation(f"{kind}-twice", text, (first, second, *([forced] if forced else [])), FORCED if forced else "")


def _reserved_twice(history: History) -> Iterator[Violation]:
    """No address reserved for two owners at one time in one store."""
    for first, second in _overlaps(history, history.of("reservation")):
        text = f"{first.what} reserved twice in {first.where}: by {first.of} and {second.of}"
        yield Violation("reserved-twice", text, (first, second))


def _overlaps(history: History, lives: Iterable[Life]) -> Iterator[tuple[Life, Life]]:
    """Pairs of different holders of one thing in one place whose times overlap."""
    alike: dict[tuple[str, str], list[Life]] = defaultdict(list)
    for life in lives:
        alike[life.where, life.what].append(life)
    for group in alike.values():
        for i, first in enumerate(group):
            for second in group[i + 1 :]:
                if second.begin > first.until(history.end):
                    break  # in order of their beginnings
                if second.of != first.of:
                    yield first, second


def _free_again(history: History, limits: Limits) -> Iterator[Violation]:
    """Every address is free again within the limit of its pod's end: live on no segment, reserved nowhere."""
    pods = {life.of: life for life in history.of("pod")}
    faults = [life for life in history.of("action") if life.fault]
    for life in history.of("address", "reservation"):
        pod = pods.get(life.pod)
        if pod is None or pod.end is None:
            continue
        late = life.until(history.end) - _quiet(pod.end, faults)
        if late > limits.free:
            how = "live" if life.kind == "address" else "reserved"
            text = f"{life.what} still {how} on {life.where} {late:.0f} s after its pod {pod.what} ended"
            yield Violation("not-free", text, (pod, life))


def _all_interfaces(history: History, limits: Limits) -> Iterator[Violation]:
    """No pod is Ready for longer than the limit while an interface that it asked for is missing.

    Only pods whose namespace was seen: a node whose probe is down says nothing.
    """
    macs: dict[str, list[Life]] = defaultdict(list)
    for life in history.of("mac"):
        macs[life.pod].append(life)
    sandboxes: dict[str, list[Life]] = defaultdict(list)
    for sandbox in history.of("sandbox"):
        sandboxes[sandbox.pod].append(sandbox)
    faults = [life for life in history.of("action") if life.fault]
    for ready in history.of("ready"):
        there = macs.get(ready.pod, [])
        for sandbox in sandboxes.get(ready.pod, []):
            begin = max(ready.begin, sandbox.begin)
            end = min(ready.until(history.end), sandbox.until(history.end))
            for low, high, have in _counts(there, begin, end):
                if have < ready.count and high - _quiet(low, faults) > limits.ready:
                    shown = tuple(
                        one for one in _attached(there) if one.begin <= low and one.until(history.end) >= high
                    )
                    text = f"{ready.what} Ready for {high - low:.0f} s with {have} of {ready.count} interfaces"
                    yield Violation("too-few", text, (ready, sandbox, *shown))


def _counts(lives: list[Life], begin: float, end: float) -> Iterator[tuple[float, float, int]]:
    """The spans between `begin` and `end` with a constant number of these lives other than the pod network's."""
    ours = _attached(lives)
    marks = {begin, end} | {t for one in ours for t in (one.begin, one.end) if t is not None and begin < t < end}
    spans: list[tuple[float, float, int]] = []
    points = sorted(marks)
    for low, high in itertools.pairwise(points):
        middle = (low + high) / 2
        have = sum(one.begin <= middle and (one.end is None or middle <= one.end) for one in ours)
        if spans and spans[-1][2] == have:
            spans[-1] = (spans[-1][0], high, have)
        else:
            spans.append((low, high, have))
    yield from spans


def _attached(lives: list[Life]) -> list[Life]:
    """Those of interfaces other than the pod network's."""
    return [one for one in lives if not one.of.endswith(" eth0")]


def _left(history: History) -> Iterator[Violation]:
    """After the end nothing is left without a pod."""
    for life in history.of("left"):
        yield Violation("left", f"left on {life.where} without a pod: {life.what}, of {life.of or 'nobody'}", (life,))


def _quiet(moment: float, faults: list[Life]) -> float:
    """When the clock starts: `moment`, or the end of the last of the faults that overlap from there on without a gap.

    A fault that ended less than SETTLE seconds ago still counts: a node that was killed starts again.
    """
    at = moment
    for fault in faults:  # in order of their beginnings
        over = (fault.end or fault.begin) + SETTLE
        if fault.begin <= at < over:
            at = over
    return at


SETTLE = 30.0
