"""What the runner is asked for: one JSON document on stdin. And what can go wrong: one exception, whose text is for a person."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any


class KubesprayError(Exception):
    """A mistake or failure that a person can do something about; its text says what."""


@dataclass(frozen=True)
class Jump:
    """The host that all nodes are reached through."""

    host: str
    port: int
    user: str


@dataclass(frozen=True)
class Document:
    """One cluster as it shall be."""

    site: str
    version: str
    """Release of Kubespray, such as v2.31.0."""
    hosts: dict[str, dict[str, Any]]
    """Host → its variables, as render.inventory gives them."""
    groups: dict[str, tuple[str, ...]]
    """Group → hosts, in order."""
    variables: dict[str, Any] = field(repr=False)
    """Variables of the whole cluster; some may be secret."""
    identities: dict[str, str]
    """Node → machine-id; another id is another machine."""
    private_key: str = field(repr=False)
    known_hosts: str
    """Text of a known_hosts file with every node's key, and the bastion's."""
    path: str | None = None
    """A local checkout instead of the release's tag, relative to the project."""
    files: dict[str, str] = field(default_factory=dict)
    """Files that variables name → sha256. Only their change matters: Ansible reads them where they lie."""
    bastion: Jump | None = None

    @classmethod
    def parse(cls, text: str) -> "Document":
        """From JSON. Raises KubesprayError where it is no such document."""
        try:
            data = json.loads(text)
            jump = data.pop("bastion", None)
            groups = {name: tuple(hosts) for name, hosts in data.pop("groups").items()}
            return cls(**data, groups=groups, bastion=Jump(**jump) if jump else None)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            msg = f"stdin holds no document of components/kubespray_cluster.py: {error}"
            raise KubesprayError(msg) from None

    def digests(self) -> dict[str, str]:
        """Variable or file → short digest of its value: enough to say which changed, too little to hold a secret."""
        values = {**self.variables, **{f"file {path}": sha for path, sha in self.files.items()}}
        return {
            key: hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
            for key, value in sorted(values.items())
        }
