"""Where a lab keeps its things: its folder in the work tree, its cache, its names on this machine."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from lab.cache import Cache

PROJECT = Path(__file__).parent.parent.resolve()

NAMESPACE = f"multus-site-lab-{hashlib.sha256(str(PROJECT).encode()).hexdigest()[:8]}"
"""The network namespace that holds the whole lab, so that none of its addresses can meet the machine's network, nor another checkout's lab."""

NAMESPACE_FILE = Path("/run/netns") / NAMESPACE

RUN = Path("/run") / NAMESPACE
"""What must not outlive a reboot: podman's run-time state."""

MOUNTS = RUN / "mounts"
"""The mount namespace of the lab: that of the machine, but for podman's list of addresses, which podman keeps at one place for all."""


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
        """Everything of this lab but the cache."""
        return self.project / ".lab"

    @property
    def logs(self) -> Path:
        """Logs of services and of Pulumi."""
        return self.folder / "logs"

    @property
    def runs(self) -> Path:
        """Stage times, a JSON file a run."""
        return self.folder / "runs"

    @property
    def state(self) -> Path:
        """Pulumi's state (file backend)."""
        return self.folder / "state"

    @property
    def catalog(self) -> Path:
        """What the mirror has; named by the stack as `artifacts`."""
        return self.folder / "catalog.yaml"

    @property
    def storage(self) -> Path:
        """podman's images and containers. In the cache, which is on a disk that has room; a checkout's own, since all labs call their nodes alike."""
        return self.cache.root / f"containers-{NAMESPACE.rpartition('-')[2]}"

    def podman_environment(self) -> dict[str, str]:
        """Makes podman keep images, containers and networks in the lab's own folders."""
        return {
            "CONTAINERS_CONF": str(self.folder / "podman" / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.folder / "podman" / "storage.conf"),
        }
