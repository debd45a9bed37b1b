"""The shapes of a site's outputs, as `pulumi stack output` shows them."""

from typing import Literal, NotRequired, TypedDict


class NicFacts(TypedDict):
    """A NIC of a host."""

    up: bool
    mac: str
    mtu: int
    driver: NotRequired[str]
    speed: NotRequired[int | None]
    """Mbit/s; None for a virtual NIC."""


class NodeFacts(TypedDict):
    """A host as it was prepared."""

    machineId: str
    memory: int
    """MiB."""
    nics: dict[str, NicFacts]
    os: NotRequired[str]
    hypervisor: NotRequired[str]
    """Empty for a physical machine."""


class InstalledPlugin(TypedDict, total=False):
    """A CNI plugin on a node: one that multus-site installed has a sha256, one of Calico's has an owner."""

    sha256: str
    owner: Literal["calico"]
    versions: list[str]
    """Of the CNI specification."""


class NodeNetworkFiles(TypedDict, total=False):
    """What networks have on one node besides plugins; empty if they need nothing there."""

    links: dict[str, dict[str, int]]
    """Link → {"mtu"}."""
    masters: dict[str, str]
    """Network → NIC."""
    files: dict[str, str]
    """Path → sha256."""


class VerificationCheck(TypedDict):
    """One check; what it is not about is empty."""

    workload: str
    pod: str
    node: str
    interface: str
    network: str
    check: str
    ok: bool
    detail: str


class VerifiedInterface(TypedDict):
    """An interface of a pod."""

    interface: str
    mac: str
    mtu: int
    addresses: list[str]


class VerifiedPod(TypedDict):
    """A pod, and its interfaces from the inside."""

    workload: str
    pod: str
    node: str
    interfaces: list[VerifiedInterface]


class VerifiedNode(TypedDict):
    """A node."""

    node: str
    binaries: dict[str, str]
    """Plugin → sha256."""
    uplinks: list[dict[str, str | int]]
    """{"name", "mtu", "mac"}."""


class VerificationResult(TypedDict):
    """What was verified."""

    passed: bool
    checks: list[VerificationCheck]
    pods: list[VerifiedPod]
    nodes: list[VerifiedNode]


ThroughputFigure = TypedDict(
    "ThroughputFigure",
    {
        "network": str,
        "protocol": Literal["tcp", "udp"],
        "streams": int,
        "from": str,
        "to": str,
        "runs": int,
        "gbitsPerSecond": float,
        "stddev": float,
        "ratioToNode": float | None,
        "ratioToNodeRange": list[float] | None,
        "ratioToLink": float | None,
        "retransmits": int | None,
        "lossPercent": float | None,
        "jitterMilliseconds": float | None,
        "latencyMicroseconds": float | None,
    },
)
"""What was measured of one network in one direction; docs/throughput.md explains the keys."""
