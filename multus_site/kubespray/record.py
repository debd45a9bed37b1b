"""The record of a cluster: what was applied, and what was attempted last.

There are three copies: in Pulumi's state (the runner's stdout, which Pulumi passes back as PULUMI_COMMAND_STDOUT), in the stack's working folder, and on
the first control plane node, so that another machine can continue after a failure here. The copy with the highest count of runs is valid.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from multus_site.render.state_record import RecordError, last_printed, packed, unpacked

ON_NODE = "/var/lib/multus-site/kubespray.json"
"""Path of the record on the first control plane node."""


@dataclass(frozen=True)
class Applied:
    """The cluster after the last successful run. Contains no secrets: variables are digests."""

    version: str
    groups: dict[str, tuple[str, ...]]
    hosts: dict[str, dict[str, Any]]
    identities: dict[str, str]
    variables: dict[str, str]
    kube_version: str | None = None
    known_hosts: str = ""
    """Public keys of the hosts: removing a node that left the site needs its key."""

    @classmethod
    def parsed(cls, data: dict[str, Any] | None) -> "Applied | None":
        """Converts parsed JSON."""
        if data is None:
            return None
        return cls(**{**data, "groups": {name: tuple(hosts) for name, hosts in data["groups"].items()}})


@dataclass(frozen=True)
class Record:
    """The record of one cluster."""

    site: str
    runs: int = 0
    """Number of playbooks started."""
    applied: Applied | None = None
    attempted: str | None = None
    """The playbook that started and did not succeed."""
    begun: Applied | None = None
    """The cluster with every host that may be in it if that playbook fails."""

    def started(self, playbook: str, begun: Applied | None) -> "Record":
        """The record right before a playbook starts."""
        return replace(self, runs=self.runs + 1, attempted=playbook, begun=begun or self.begun)

    def succeeded(self, applied: Applied | None) -> "Record":
        """The record right after a playbook succeeded."""
        return replace(self, applied=applied, attempted=None, begun=None)

    def to_json(self) -> str:
        """One line of JSON with sorted keys."""
        return json.dumps(asdict(self), sort_keys=True)

    def printed(self) -> str:
        """The line for Pulumi's state."""
        return packed(asdict(self), site=self.site, runs=self.runs)

    @classmethod
    def from_json(cls, text: str) -> "Record | None":
        """Reads `printed` too. None if the text is not a record: empty, incomplete, or from another program."""
        try:
            data = unpacked(text)
            applied, begun = (Applied.parsed(data.pop(name)) for name in ("applied", "begun"))
            return cls(**data, applied=applied, begun=begun)
        except (RecordError, TypeError, KeyError, AttributeError, ValueError):
            return None


def working_folder(site: str) -> Path:
    """The working folder of a stack's cluster."""
    return Path.cwd() / ".work" / site / "kubespray"


@dataclass(frozen=True)
class Store:
    """The copy in the working folder of a stack."""

    path: Path

    @classmethod
    def for_site(cls, site: str) -> "Store":
        """The copy of a site in the current directory, the project."""
        return cls(working_folder(site) / "record.json")

    def read(self) -> Record | None:
        """The record, if there is one."""
        return Record.from_json(self.path.read_text()) if self.path.exists() else None

    def write(self, record: Record) -> None:
        """Replaces the copy atomically."""
        new = self.path.with_suffix(".new")
        new.write_text(record.to_json() + "\n")
        new.replace(self.path)

    def remove(self) -> None:
        """Deletes the copy."""
        self.path.unlink(missing_ok=True)


def from_pulumi() -> Record | None:
    """The record in Pulumi's state: stdout of the last successful run."""
    return Record.from_json(last_printed())


def newest(site: str, copies: Iterable[Record | None]) -> Record:
    """The newest copy; an empty record if there is no copy for this site."""
    own = [record for record in copies if record is not None and record.site == site]
    return max(own, key=lambda record: record.runs, default=Record(site=site))
