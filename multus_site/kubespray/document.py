"""The runner's input, one JSON document on stdin, and its one exception, whose text is for people."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from multus_site.ssh.ssh_route import SshRoute, earlier


class KubesprayError(Exception):
    """A mistake or failure that a person can fix; the message says how."""


@dataclass(frozen=True)
class Origin:
    """Where Kubespray comes from. Without values: the release's tag at the commit in the table of releases."""

    path: str | None = None
    """A checkout, relative to the project."""
    archive: str | None = None
    """A tarball: an http(s) address, or a path relative to the project."""
    sha256: str = ""
    """Digest of the tarball."""
    commit: str | None = None
    """The commit that the site pins for the tag."""


@dataclass(frozen=True)
class Document:
    """The desired state of one cluster."""

    site: str
    version: str
    """Release of Kubespray, such as v2.31.0."""
    hosts: dict[str, dict[str, Any]]
    """Host → its variables, from render.inventory."""
    groups: dict[str, tuple[str, ...]]
    """Kubespray group → hosts, in order."""
    variables: dict[str, Any] = field(repr=False)
    """Variables of the cluster; some may be secret."""
    identities: dict[str, str]
    """Node → machine-id; a different id means a different machine."""
    route: SshRoute
    """How to reach hosts; user and port are variables of each host."""
    known_hosts: str
    """Content of a known_hosts file with the keys of all nodes and bastions."""
    origin: Origin = Origin()
    files: dict[str, str] = field(default_factory=dict)
    """Files that variables name → sha256, to detect changes. Ansible reads the files in place."""
    own: tuple[str, ...] = ()
    """Names of the variables that the site sets: the release must know each."""
    secret: tuple[str, ...] = ()
    """Names of variables with secret values."""
    adopted: str = ""
    """sha256 of the certificate authority of the running cluster to take over; empty: Kubespray makes the cluster."""
    own_groups: dict[str, list[str]] = field(default_factory=dict)
    """Group that the site defines → hosts. For people's own playbooks; Kubespray does not use these groups."""

    @classmethod
    def parse(cls, text: str) -> "Document":
        """Parses JSON. Raises KubesprayError if it is not a document."""
        try:
            data = json.loads(text)
            origin = Origin(**data.pop("origin", {}))
            groups = {name: tuple(hosts) for name, hosts in data.pop("groups").items()}
            own, secret = (tuple(data.pop(key, ())) for key in ("own", "secret"))
            if "private_key" in data:
                host = next(iter(data["hosts"].values()))
                data["way"] = earlier(data, host["ansible_user"], host["ansible_port"])
            route = SshRoute.parse(data.pop("way"))
            return cls(**data, route=route, own=own, secret=secret, groups=groups, origin=origin)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            msg = f"stdin holds no document of components/kubespray_cluster.py: {error}"
            raise KubesprayError(msg) from None

    def digests(self) -> dict[str, str]:
        """Variable or file → short digest of its value: enough to detect a change, too short to reveal a secret."""
        values = {**self.variables, **{f"file {path}": sha for path, sha in self.files.items()}}
        return {
            key: hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
            for key, value in sorted(values.items())
        }
