"""What is known of a cluster: what was applied, and what was attempted last.

The record lies in three places: Pulumi's state (the runner's stdout, given back as PULUMI_COMMAND_STDOUT), the stack's working folder, and the first
control plane node, so that another machine can carry on after a failure here. The one with the highest count of runs is the truth.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

ON_NODE = "/var/lib/multus-site/kubespray.json"
"""Where the record lies on the first control plane node."""


@dataclass(frozen=True)
class Applied:
    """A cluster as the last successful run left it. No secrets: variables are digests."""

    version: str
    groups: dict[str, tuple[str, ...]]
    hosts: dict[str, dict[str, Any]]
    identities: dict[str, str]
    variables: dict[str, str]
    kube_version: str | None = None
    known_hosts: str = ""
    """Public keys of the hosts: a node that left the site must still be reached to be removed."""

    @classmethod
    def parsed(cls, data: dict[str, Any] | None) -> "Applied | None":
        """From JSON's data."""
        if data is None:
            return None
        return cls(**{**data, "groups": {name: tuple(hosts) for name, hosts in data["groups"].items()}})


@dataclass(frozen=True)
class Record:
    """The record of one cluster."""

    site: str
    runs: int = 0
    """Playbooks started so far."""
    applied: Applied | None = None
    attempted: str | None = None
    """The playbook that was begun and did not succeed."""
    begun: Applied | None = None
    """The cluster with every host that may be in it if that playbook ends in the middle."""

    def started(self, playbook: str, begun: Applied | None) -> "Record":
        """As of the moment before a playbook starts."""
        return replace(self, runs=self.runs + 1, attempted=playbook, begun=begun or self.begun)

    def succeeded(self, applied: Applied | None) -> "Record":
        """As of the moment after one."""
        return replace(self, applied=applied, attempted=None, begun=None)

    def to_json(self) -> str:
        """One line of JSON with sorted keys."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Record | None":
        """None where the text is no record: empty, of a killed writer, or of another program."""
        try:
            data = json.loads(text)
            applied, begun = (Applied.parsed(data.pop(name)) for name in ("applied", "begun"))
            return cls(**data, applied=applied, begun=begun)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None


def working_folder(site: str) -> Path:
    """The working folder of a stack's cluster."""
    return Path.cwd() / ".work" / site / "kubespray"


@dataclass(frozen=True)
class Store:
    """The copy in a stack's working folder."""

    path: Path

    @classmethod
    def for_site(cls, site: str) -> "Store":
        """That of a site in the project, which is the current directory."""
        return cls(working_folder(site) / "record.json")

    def read(self) -> Record | None:
        """The record, if there is one."""
        return Record.from_json(self.path.read_text()) if self.path.exists() else None

    def write(self, record: Record) -> None:
        """Replaces the copy at once: a kill leaves the old or the new one."""
        new = self.path.with_suffix(".new")
        new.write_text(record.to_json() + "\n")
        new.replace(self.path)

    def remove(self) -> None:
        """Forgets the cluster."""
        self.path.unlink(missing_ok=True)


def from_pulumi() -> Record | None:
    """The record in Pulumi's state: stdout of the last successful run."""
    return Record.from_json(os.environ.get("PULUMI_COMMAND_STDOUT", ""))


def newest(site: str, copies: Iterable[Record | None]) -> Record:
    """The copy that knows most; a blank record if there is none of this site."""
    known = [record for record in copies if record is not None and record.site == site]
    return max(known, key=lambda record: record.runs, default=Record(site=site))
