"""A review as data. `review.markdown` writes it for people, `as_json` for programs."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Level = Literal["danger", "care", "note"]
"""`danger`: something that works ends, is lost, or cannot be undone. `care`: an interruption, or something to check."""

ORDER: dict[Level, int] = {"danger": 0, "care": 1, "note": 2}


@dataclass(frozen=True)
class Effect:
    """What happens to a part of the site, and why."""

    level: Level
    about: str
    text: str


@dataclass(frozen=True)
class Playbook:
    """One planned run of a playbook. `limit`: the hosts that it is limited to; all if empty."""

    playbook: str
    hosts: tuple[str, ...]
    limit: tuple[str, ...]
    reason: str
    node: str = ""
    """The node that a removal removes."""
    creates: Literal["", "first", "another"] = ""
    """Whether it creates a cluster: the first one, or another one because no machine of the earlier one is left."""


Stateless = Literal["", "new", "files", "compared"]


@dataclass(frozen=True)
class Difference:
    """A setting with its values before and after; empty where it is new or removed."""

    what: str
    old: str
    new: str


@dataclass(frozen=True)
class Network:
    """A network that changes."""

    name: str
    change: Literal["added", "removed", "changed", "renamed"]
    level: Level
    words: tuple[Difference, ...] = ()
    ranges: tuple[Difference, ...] = ()
    """Range by range; `what` numbers them from 1."""
    lost: tuple[str, ...] = ()
    """Ranges of addresses that pods can no longer get, first-last."""
    given: tuple[str, ...] = ()
    """Ranges of addresses that pods can get in addition."""
    lost_count: int = 0
    given_count: int = 0
    uplinks: tuple[Difference, ...] = ()
    """Nodes whose NIC for this network changes, where NICs differ by node."""
    workloads: tuple[str, ...] = ()
    """Workloads attached before or after."""
    remade: bool = False
    """Whether its configuration changes, which recreates the pods on it."""
    why: str = ""


@dataclass(frozen=True)
class Pods:
    """Pods of a workload that stop, start or are recreated. `level` is that of the interruption."""

    workload: str
    kind: str
    change: Literal["restart", "start", "end", "scale"]
    level: Level
    pods: int
    """The number of pods affected."""
    how: str
    why: str


@dataclass(frozen=True)
class Binaries:
    """Changes to CNI plugin binaries that several nodes share."""

    nodes: tuple[str, ...]
    plugins: tuple[Difference, ...]
    why: str


@dataclass(frozen=True)
class Review:
    """A review of one stack."""

    stack: str
    site: str
    base: str
    """What the change is compared with, in words."""
    stateless: Stateless = ""
    """Why nothing is known of what runs: the stack is new, it has no state and files were compared, or two files were given."""
    counts: dict[str, int] = field(default_factory=dict)
    """Pulumi's operation → number of resources."""
    dangers: tuple[Effect, ...] = ()
    """Everything of level `danger`, also if another field has it."""
    interruption: tuple[Effect, ...] = ()
    playbooks: tuple[Playbook, ...] = ()
    nodes: tuple[Effect, ...] = ()
    binaries: tuple[Binaries, ...] = ()
    networks: tuple[Network, ...] = ()
    pods: tuple[Pods, ...] = ()
    destroyed: tuple[Effect, ...] = ()
    """Resources that are replaced or destroyed, and why."""
    settings: tuple[Difference, ...] = ()
    versions: tuple[Difference, ...] = ()
    also: tuple[str, ...] = ()
    """Other changes."""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    findings: tuple[dict[str, Any], ...] = ()
    """The linter's findings, as in its JSON report."""
    diagram_before: str = ""
    """Mermaid; both are empty if the diagram stays the same."""
    diagram_after: str = ""

    @property
    def failed(self) -> bool:
        """Whether the preview or the linter has errors."""
        return bool(self.errors) or any(finding["level"] == "error" for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Return the review as plain data."""
        return {**asdict(self), "failed": self.failed}
