"""What preflight is asked for, one JSON document on stdin, and the record that it leaves. One exception, whose text is for a person."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from multus_site.cni.uplinks import find, is_name
from multus_site.nodes.preflight.requirements import Asked, Nic
from multus_site.ssh.ssh_route import Way


class PreflightError(Exception):
    """A mistake, or the findings; the text says what is to be done."""


def digest(value: object) -> str:
    """Another text for another value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Target:
    """One node."""

    asked: Asked
    host_key: str
    """As in authorized_keys."""
    reasons: tuple[str, ...] = ()
    """What makes it be looked at again when it changes: its identity, drift."""
    prepared: str = ""
    """Digest of what it was prepared for; a change makes it be checked again."""


def kinds(asked: Mapping[str, Asked]) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """What is asked, by digest, address and architecture left out; and the digest by node: most nodes are asked for the same."""
    found: dict[str, dict[str, Any]] = {}
    of: dict[str, str] = {}
    for node, its in asked.items():
        kind = {key: value for key, value in asdict(its).items() if key not in {"address", "architecture"}}
        of[node] = digest(kind)
        found[of[node]] = kind
    return found, of


@dataclass(frozen=True)
class Document:
    """The nodes of one site."""

    site: str
    nodes: dict[str, Target]
    way: Way

    @classmethod
    def parse(cls, text: str) -> "Document":
        """From JSON. Raises PreflightError where it is no such document."""
        try:
            data = json.loads(text)
            way, all_kinds = Way.parse(data.pop("way")), data.pop("kinds")
            nodes = {name: _target(one, all_kinds[one.pop("kind")]) for name, one in data.pop("nodes").items()}
            return cls(**data, nodes=nodes, way=way)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            msg = f"stdin holds no document of components/preflight.py: {error}"
            raise PreflightError(msg) from None


def _target(node: dict[str, Any], kind: Mapping[str, Any]) -> Target:
    nics = {
        spec: Nic(
            **{**nic, "users": tuple(nic["users"]), "ranges": tuple((first, last) for first, last in nic["ranges"])}
        )
        for spec, nic in kind["nics"].items()
    }
    lists = {key: tuple(kind[key]) for key in ("made", "foreign_macs")}
    asked = Asked(**{**kind, **lists, "nics": nics}, address=node["address"], architecture=node["architecture"])
    return Target(asked, node["host_key"], tuple(node["reasons"]), node["prepared"])


KEPT = ("machineId", "productUuid", "os", "kernel", "hypervisor", "container")
KEPT_OF_NIC = ("mac", "mtu", "driver", "speed", "addresses", "pci", "altnames", "kind")
"""What the record keeps of a host and of each NIC that the site uses."""

_OUTPUT = ("mac", "mtu", "driver", "speed")
_OUTPUT_TOO = ("pci", "altnames")
"""What the output `nodes` has of a NIC, and what else of one that the site does not give by its name, so that it is found there too."""


@dataclass(frozen=True)
class Record:
    """Nodes that passed. Its JSON is the output of a run, and comes back with the next."""

    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Node → `asked` (digest of it), `reasons`, `prepared`, `facts` (KEPT, and `nics`)."""
    warnings: tuple[str, ...] = ()
    """Those of the last run, a line each."""

    @classmethod
    def parse(cls, text: str | None) -> "Record":
        """From the last line of a run's output; empty where that holds none."""
        try:
            data = json.loads((text or "").strip().splitlines()[-1])
            return cls(data["nodes"], tuple(data["warnings"]))
        except (ValueError, TypeError, KeyError, IndexError):
            return cls()

    def json(self) -> str:
        """One line."""
        return json.dumps(asdict(self), sort_keys=True)

    def nics(self, node: str) -> dict[str, dict[str, Any]]:
        """The NICs of a node that the site uses, as they were found."""
        return dict(self.nodes.get(node, {}).get("facts", {}).get("nics", {}))

    def nics_in_use(self, node: str, nics: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Name → what was found of each of these NICs of a node (multus_site/cni/uplinks.py) that is there: MAC, MTU, driver, speed (Mbit/s)."""
        there = self.nics(node)
        found: dict[str, dict[str, Any]] = {}
        for nic in nics:
            if name := find(nic, there):
                keys = _OUTPUT if is_name(nic) else (*_OUTPUT, *_OUTPUT_TOO)
                found.setdefault(name, {}).update({key: there[name][key] for key in keys})
        return dict(sorted(found.items()))
