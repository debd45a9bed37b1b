"""The document that the delivery reads from stdin, and the record that it prints, both JSON."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from multus_site.render.cni_plugins import Origin
from multus_site.render.state_record import RecordError, packed, unpacked
from multus_site.ssh.ssh_route import SshRoute, earlier


class DeliveryError(Exception):
    """A mistake or failure; the text is for a person."""


@dataclass(frozen=True)
class Node:
    """One node."""

    address: str
    host_key: str
    """In the format of authorized_keys."""
    architecture: str = ""
    reasons: tuple[str, ...] = ()
    """A change makes the delivery apply the node again: another machine, drift."""


@dataclass(frozen=True)
class Document:
    """Plugins for the nodes of one site."""

    route: SshRoute
    nodes: dict[str, Node]
    origins: dict[str, tuple[Origin, ...]]
    """Architecture → its plugins."""
    run_id: str
    """Changes with each run of Kubespray, and makes the delivery apply every node again."""
    script: str
    """sha256 of multus_site/scripts/cni-plugins.sh; a change makes the delivery apply every node again."""
    leavers_go: bool
    """Whether the machine of a node that leaves the site is deleted, so that nothing has to be removed from it."""

    @classmethod
    def parse(cls, text: str) -> "Document":
        """Parse JSON. Raises DeliveryError."""
        try:
            data = json.loads(text)
            if "private_key" in data:
                data["way"] = earlier(data, data.pop("user"), data.pop("port"))
            route = SshRoute.parse(data.pop("way"))
            origins = {key: tuple(Origin(**one) for one in many) for key, many in data.pop("origins").items()}
            nodes = {name: Node(**{**one, "reasons": tuple(one["reasons"])}) for name, one in data.pop("nodes").items()}
            return cls(**data, route=route, nodes=nodes, origins=origins)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            msg = f"stdin holds no document of components/cni_plugins.py: {error}"
            raise DeliveryError(msg) from None


@dataclass(frozen=True)
class Record:
    """The nodes after a run. Its JSON is the output of a run, and the next run reads it."""

    nodes: dict[str, dict[str, str]]
    """Node → address, hostKey, `done` (digest of plugins, script and reasons) and `result` (a key of `results`)."""
    results: dict[str, dict[str, Any]]
    """Digest → the script's result: plugin → {sha256, versions} or {owner, versions}. Stored once, since most nodes have the same."""

    @classmethod
    def parse(cls, text: str) -> "Record":
        """Parse the last line of a run's output; an empty record if it is none."""
        try:
            return cls(**unpacked(text))
        except (RecordError, TypeError):
            return cls({}, {})

    def result(self, node: str) -> dict[str, Any]:
        """The script's result on a node."""
        return self.results[self.nodes[node]["result"]]

    def json(self) -> str:
        """The line for Pulumi's state."""
        return packed({"nodes": self.nodes, "results": self.results})


def digest(*parts: object) -> str:
    """A short hash of plain data."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
