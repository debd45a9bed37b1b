"""What a review says, as data; `review.markdown` writes it for people, `as_json` for programs."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Level = Literal["danger", "care", "note"]
"""`danger`: something that works ends, is lost, or cannot be taken back. `care`: an interruption, or something to look at."""

ORDER: dict[Level, int] = {"danger": 0, "care": 1, "note": 2}


@dataclass(frozen=True)
class Saying:
    """What happens to something of the site, and why."""

    level: Level
    about: str
    text: str


@dataclass(frozen=True)
class Playbook:
    """One run of Ansible, as the program plans it. `limit`: hosts that the run is limited to; all if empty."""

    playbook: str
    hosts: tuple[str, ...]
    limit: tuple[str, ...]
    reason: str
    node: str = ""
    """Of a removal: the node that goes."""


@dataclass(frozen=True)
class Moved:
    """A word of the site with another value; empty: it is new, or gone."""

    what: str
    old: str
    new: str


@dataclass(frozen=True)
class Network:
    """A network that is not as it was."""

    name: str
    change: Literal["added", "removed", "changed", "renamed"]
    level: Level
    words: tuple[Moved, ...] = ()
    ranges: tuple[Moved, ...] = ()
    """Range by range; `what` numbers them from 1."""
    lost: tuple[str, ...] = ()
    """Addresses that pods could get and can no more, first-last."""
    given: tuple[str, ...] = ()
    """Addresses that pods can get from now on."""
    lost_count: int = 0
    given_count: int = 0
    workloads: tuple[str, ...] = ()
    """Who is attached to it, before or after."""
    remade: bool = False
    """Whether its configuration is another one, by which the pods on it are made anew."""
    why: str = ""


@dataclass(frozen=True)
class Pods:
    """Pods of a workload that end, start or begin anew. `level` is that of the interruption."""

    workload: str
    kind: str
    change: Literal["restart", "start", "end", "scale"]
    level: Level
    pods: int
    """How many are concerned."""
    how: str
    why: str


@dataclass(frozen=True)
class Binaries:
    """CNI plugin binaries of nodes that are treated alike."""

    nodes: tuple[str, ...]
    plugins: tuple[Moved, ...]
    why: str


@dataclass(frozen=True)
class Review:
    """All of it."""

    stack: str
    site: str
    base: str
    """What `before` means, for a person."""
    counts: dict[str, int] = field(default_factory=dict)
    """Pulumi's operation → resources."""
    dangers: tuple[Saying, ...] = ()
    """Everything of level `danger`, wherever else it stands too."""
    interruption: tuple[Saying, ...] = ()
    playbooks: tuple[Playbook, ...] = ()
    nodes: tuple[Saying, ...] = ()
    binaries: tuple[Binaries, ...] = ()
    networks: tuple[Network, ...] = ()
    pods: tuple[Pods, ...] = ()
    destroyed: tuple[Saying, ...] = ()
    """What is replaced or destroyed, and why."""
    settings: tuple[Moved, ...] = ()
    versions: tuple[Moved, ...] = ()
    also: tuple[str, ...] = ()
    """What changes without being any of these."""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    findings: tuple[dict[str, Any], ...] = ()
    """What lint says, as its JSON report has it."""
    diagram_before: str = ""
    """Mermaid; both empty where the picture stays the same."""
    diagram_after: str = ""

    @property
    def failed(self) -> bool:
        """Whether the preview or the linter has errors."""
        return bool(self.errors) or any(finding["level"] == "error" for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {**asdict(self), "failed": self.failed}
