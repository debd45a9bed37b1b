"""The places of a lab: its folder in the work tree, its cache, its names on this machine."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from lab.cache import Cache

PROJECT = Path(__file__).parent.parent.resolve()

NAMESPACE = f"multus-site-lab-{hashlib.sha256(str(PROJECT).encode()).hexdigest()[:8]}"
"""The network namespace of the lab, which separates its addresses from the machine's network and from the labs of other checkouts."""

NAMESPACE_FILE = Path("/run/netns") / NAMESPACE

RUN = Path("/run") / NAMESPACE
"""Podman's run-time state, which must not outlive a reboot."""

MOUNTS = RUN / "mounts"
"""The mount namespace of the lab: as the machine's, with a separate copy of podman's list of addresses, whose path is fixed."""


def enter(*command: str) -> list[str]:
    """A command inside the lab's network, in the project's folder. Not `ip netns exec`, which would hide the cgroups."""
    return ["nsenter", f"--net={NAMESPACE_FILE}", f"--mount={MOUNTS}", f"--wdns={PROJECT}", *command]


@dataclass(frozen=True)
class Place:
    """One checkout's lab."""

    project: Path
    cache: Cache

    @property
    def folder(self) -> Path:
        """Everything of this lab except the cache."""
        return self.project / ".lab"

    @property
    def logs(self) -> Path:
        """Logs of services and of Pulumi."""
        return self.folder / "logs"

    @property
    def runs(self) -> Path:
        """Stage times, one JSON file per run."""
        return self.folder / "runs"

    @property
    def state(self) -> Path:
        """Pulumi's state (file backend)."""
        return self.folder / "state"

    @property
    def catalog(self) -> Path:
        """The catalogue of the mirror, to which the stack's `artifacts` refers."""
        return self.folder / "catalog.yaml"

    @property
    def storage(self) -> Path:
        """Podman's images and containers: in the cache, for its disk space, and per checkout, because all labs use the same node names."""
        return self.cache.root / f"containers-{NAMESPACE.rpartition('-')[2]}"

    def podman_environment(self) -> dict[str, str]:
        """Variables that make podman keep images, containers and networks in the lab's folders."""
        return {
            "CONTAINERS_CONF": str(self.folder / "podman" / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.folder / "podman" / "storage.conf"),
        }
