"""Where a lab keeps its things: its folder in the work tree, its cache, its names on this machine."""

from dataclasses import dataclass
from pathlib import Path

from lab.cache import Cache

NAMESPACE = "multus-site-lab"
"""The network namespace that holds the whole lab, so that none of its addresses can meet the machine's network."""

NAMESPACE_FILE = Path("/run/netns") / NAMESPACE

RUN = Path("/run/multus-site-lab")
"""What must not outlive a reboot: podman's run-time state."""


def enter(*command: str) -> list[str]:
    """A command inside the lab's network. Not `ip netns exec`, which would hide the cgroups."""
    return ["nsenter", f"--net={NAMESPACE_FILE}", *command]


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
    def owner(self) -> Path:
        """Which checkout's lab is up: one a machine, since its addresses are fixed."""
        return RUN / "owner"

    def podman_environment(self) -> dict[str, str]:
        """Makes podman keep images, containers and networks in the lab's own folders."""
        return {
            "CONTAINERS_CONF": str(self.folder / "podman" / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.folder / "podman" / "storage.conf"),
        }
