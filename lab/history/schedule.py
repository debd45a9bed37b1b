"""What happens when, as a pure function of a seed: churn of pods every few seconds, and one fault at a time with a quiet gap after it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

CHURN = ("delete", "force-delete", "create", "scale", "roll")
CHURN_WEIGHTS = (8, 3, 3, 3, 2)
EVERY_SECONDS = (1.0, 6.0)
"""Shortest and longest time between two churn actions: about 17 a minute."""

FAULTS: dict[str, tuple[float, float]] = {
    "kill-multus": (0, 0),
    "restart-multus": (0, 0),
    "kill-kubelet": (0, 0),
    "restart-kubelet": (0, 0),
    "kill-containerd": (0, 0),
    "restart-containerd": (0, 0),
    "kill-node": (5, 20),
    "slow-api-server": (20, 40),
    "pause-api-server": (20, 60),
    "pause-etcd": (5, 15),
    "edit-network": (10, 30),
    "uplink-down": (5, 20),
    "slow-add": (20, 40),
}
"""Fault → shortest and longest duration in seconds; 0: it is over at once."""

ONLY_WORKERS = frozenset({"kill-node"})
ON_THE_CONTROL_PLANE = frozenset({"slow-api-server", "pause-api-server", "pause-etcd"})

FIRST_FAULT_SECONDS = 8.0
GAP_SECONDS = (15.0, 30.0)
"""Quiet time after a fault, in which the cluster recovers."""


@dataclass(frozen=True)
class Cluster:
    """What a schedule can act on. `workers`: nodes other than the control plane's first one."""

    control_plane: str
    workers: Sequence[str]
    workloads: Sequence[str]
    networks: Sequence[str]
    replicas: tuple[int, int] = (1, 4)


@dataclass(frozen=True, order=True)
class Action:
    """One thing to do. `at`: seconds after the start; `target`: a workload, node or network; `count`: replicas, or which of the pods."""

    at: float
    what: str
    target: str
    count: int = 0
    seconds: float = 0.0

    @property
    def fault(self) -> bool:
        """Whether this is a fault rather than churn."""
        return self.what in FAULTS


def schedule(seed: int, minutes: float, cluster: Cluster) -> list[Action]:
    """The actions of a run, in order. The same arguments give the same list; each fault ends before the run does."""
    end = minutes * 60
    # A generator each, so that a new kind of fault does not change the churn of known seeds.
    churn, faults = random.Random(f"churn {seed}"), random.Random(f"faults {seed}")  # noqa: S311 - repeatable on purpose
    return sorted([*_churn(churn, end, cluster), *_faults(faults, end, cluster)])


def _churn(draw: random.Random, end: float, cluster: Cluster) -> list[Action]:
    actions: list[Action] = []
    at = draw.uniform(*EVERY_SECONDS)
    while at < end:
        (what,) = draw.choices(CHURN, CHURN_WEIGHTS)
        count = draw.randint(*cluster.replicas) if what == "scale" else draw.randrange(100)
        actions.append(Action(round(at, 1), what, draw.choice(cluster.workloads), count))
        at += draw.uniform(*EVERY_SECONDS)
    return actions


def _faults(draw: random.Random, end: float, cluster: Cluster) -> list[Action]:
    """Every kind once before any comes again, in an order that the seed decides."""
    actions: list[Action] = []
    at = FIRST_FAULT_SECONDS
    waiting: list[str] = []
    while True:
        if not waiting:
            waiting = draw.sample(sorted(FAULTS), len(FAULTS))
        what = waiting.pop()
        seconds = round(draw.uniform(*FAULTS[what]), 1)
        if at + seconds > end:
            return actions
        actions.append(Action(round(at, 1), what, _target(draw, what, cluster), seconds=seconds))
        at += seconds + draw.uniform(*GAP_SECONDS)


def _target(draw: random.Random, what: str, cluster: Cluster) -> str:
    if what == "edit-network":
        return draw.choice(cluster.networks)
    if what in ON_THE_CONTROL_PLANE:
        return cluster.control_plane
    if what in ONLY_WORKERS:
        return draw.choice(cluster.workers)
    return draw.choice([cluster.control_plane, *cluster.workers])
