"""What the delivery is asked for: one JSON document on stdin. And what can go wrong: one exception, whose text is for a person."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from multus_site.render.cni_plugins import Origin
from multus_site.ssh.ssh_route import Way, earlier


class DeliveryError(Exception):
    """A mistake or failure that a person can do something about; its text says what."""


@dataclass(frozen=True)
class Node:
    """One node."""

    address: str
    host_key: str
    """As in authorized_keys."""
    architecture: str = ""
    reasons: tuple[str, ...] = ()
    """What makes it be done again when it changes: another machine, drift."""


@dataclass(frozen=True)
class Document:
    """Plugins for the nodes of one site."""

    way: Way
    nodes: dict[str, Node]
    origins: dict[str, tuple[Origin, ...]]
    """Architecture → its plugins."""
    run_id: str
    """Another one after each run of Kubespray, which does every node again."""
    script: str
    """sha256 of multus_site/scripts/cni-plugins.sh: another version of it does every node again."""
    leavers_go: bool
    """Whether the machine of a node that leaves the site goes too, so that there is nothing to take away from it."""

    @classmethod
    def parse(cls, text: str) -> "Document":
        """From JSON. Raises DeliveryError where it is no such document."""
        try:
            data = json.loads(text)
            if "private_key" in data:
                data["way"] = earlier(data, data.pop("user"), data.pop("port"))
            way = Way.parse(data.pop("way"))
            origins = {key: tuple(Origin(**one) for one in many) for key, many in data.pop("origins").items()}
            nodes = {name: Node(**{**one, "reasons": tuple(one["reasons"])}) for name, one in data.pop("nodes").items()}
            return cls(**data, way=way, nodes=nodes, origins=origins)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            msg = f"stdin holds no document of components/cni_plugins.py: {error}"
            raise DeliveryError(msg) from None


@dataclass(frozen=True)
class Record:
    """What the last run left on the nodes. Its JSON is the output of a run, and comes back with the next."""

    nodes: dict[str, dict[str, str]]
    """Node → address, hostKey, `done` (digest of all that asked for it) and `result` (a key of `results`)."""
    results: dict[str, dict[str, Any]]
    """What nodes answered: plugin → {sha256, versions} or {owner, versions}. Most nodes say the same, so that each answer is here once."""

    @classmethod
    def parse(cls, text: str) -> "Record":
        """From the last line of a run's output; empty where that holds none."""
        try:
            return cls(**json.loads(text.strip().splitlines()[-1]))
        except (ValueError, TypeError, IndexError):
            return cls({}, {})

    def result(self, node: str) -> dict[str, Any]:
        """What the node answered."""
        return self.results[self.nodes[node]["result"]]

    def json(self) -> str:
        """One line. Pulumi gives it back by environment, where 128 KiB are the end: some 800 nodes."""
        return json.dumps({"nodes": self.nodes, "results": self.results}, sort_keys=True, separators=(",", ":"))


def digest(*parts: object) -> str:
    """Short name of plain data, the same for equal data."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
