"""What the runner is asked for: one JSON document on stdin. And what can go wrong: one exception, whose text is for a person."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from multus_site.ssh.ssh_route import Way, earlier


class KubesprayError(Exception):
    """A mistake or failure that a person can do something about; its text says what."""


@dataclass(frozen=True)
class Origin:
    """Where Kubespray comes from; all empty: the release's tag, as it is pinned here."""

    path: str | None = None
    """A checkout, relative to the project."""
    archive: str | None = None
    """A tarball: an http(s) address, or a path relative to the project."""
    sha256: str = ""
    """Of the tarball."""
    commit: str | None = None
    """What the tag must name, where the site pins it."""


@dataclass(frozen=True)
class Document:
    """One cluster as it shall be."""

    site: str
    version: str
    """Release of Kubespray, such as v2.31.0."""
    hosts: dict[str, dict[str, Any]]
    """Host → its variables, as render.inventory gives them."""
    groups: dict[str, tuple[str, ...]]
    """Group of Kubespray's → hosts, in order."""
    variables: dict[str, Any] = field(repr=False)
    """Variables of the whole cluster; some may be secret."""
    identities: dict[str, str]
    """Node → machine-id; another id is another machine."""
    way: Way
    """How hosts are reached; each has its own user and port among its variables."""
    known_hosts: str
    """Text of a known_hosts file with every node's key, and the bastions'."""
    origin: Origin = Origin()
    """Where the release comes from."""
    files: dict[str, str] = field(default_factory=dict)
    """Files that variables name → sha256. Only their change matters: Ansible reads them where they lie."""
    own: tuple[str, ...] = ()
    """Names of the variables that the site gives itself: each must mean something to the release."""
    secret: tuple[str, ...] = ()
    """Names of the variables whose values nobody may see."""
    own_groups: dict[str, list[str]] = field(default_factory=dict)
    """Group of the site's own → hosts; in the inventory for whoever runs playbooks of theirs with it, none of Kubespray's looks."""

    @classmethod
    def parse(cls, text: str) -> "Document":
        """From JSON. Raises KubesprayError where it is no such document."""
        try:
            data = json.loads(text)
            origin = Origin(**data.pop("origin", {}))
            groups = {name: tuple(hosts) for name, hosts in data.pop("groups").items()}
            own, secret = (tuple(data.pop(key, ())) for key in ("own", "secret"))
            if "private_key" in data:
                host = next(iter(data["hosts"].values()))
                data["way"] = earlier(data, host["ansible_user"], host["ansible_port"])
            way = Way.parse(data.pop("way"))
            return cls(**data, way=way, own=own, secret=secret, groups=groups, origin=origin)
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
