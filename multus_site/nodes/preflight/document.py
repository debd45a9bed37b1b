"""The document that preflight reads from stdin, and the record that it prints, both JSON."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from multus_site.cni.uplinks import find, is_name
from multus_site.nodes.preflight.requirements import NicRequirements, Requirements
from multus_site.render.state_record import RecordError, packed, unpacked
from multus_site.ssh.ssh_route import SshRoute


class PreflightError(Exception):
    """An invalid document, or the findings; the text is for a person."""


def digest(value: object) -> str:
    """A short hash of plain data."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Target:
    """One node."""

    requirements: Requirements
    host_key: str
    """In the format of authorized_keys."""
    reasons: tuple[str, ...] = ()
    """A change makes preflight check the node again: its identity, drift."""
    prepared: str = ""
    """Digest of what the host was prepared for; a change makes preflight check it again."""


def kinds(requirements: Mapping[str, Requirements]) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Digest → requirements without address and architecture, and node → digest: most nodes have the same requirements."""
    kind_by_digest: dict[str, dict[str, Any]] = {}
    digest_by_node: dict[str, str] = {}
    for node, required in requirements.items():
        kind = {key: value for key, value in asdict(required).items() if key not in {"address", "architecture"}}
        digest_by_node[node] = digest(kind)
        kind_by_digest[digest_by_node[node]] = kind
    return kind_by_digest, digest_by_node


@dataclass(frozen=True)
class Document:
    """The nodes of one site."""

    site: str
    nodes: dict[str, Target]
    route: SshRoute
    adopted: str = ""
    """sha256 of the certificate authority of the running cluster that the site takes over."""

    @classmethod
    def parse(cls, text: str) -> "Document":
        """Parse JSON. Raises PreflightError."""
        try:
            data = json.loads(text)
            route, all_kinds = SshRoute.parse(data.pop("way")), data.pop("kinds")
            nodes = {name: _target(one, all_kinds[one.pop("kind")]) for name, one in data.pop("nodes").items()}
            return cls(**data, nodes=nodes, route=route)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            msg = f"stdin holds no document of components/preflight.py: {error}"
            raise PreflightError(msg) from None


def _target(node: dict[str, Any], kind: Mapping[str, Any]) -> Target:
    nics = {
        spec: NicRequirements(
            **{**nic, "users": tuple(nic["users"]), "ranges": tuple((first, last) for first, last in nic["ranges"])}
        )
        for spec, nic in kind["nics"].items()
    }
    lists = {key: tuple(kind[key]) for key in ("made", "foreign_macs")}
    requirements = Requirements(
        **{**kind, **lists, "nics": nics}, address=node["address"], architecture=node["architecture"]
    )
    return Target(requirements, node["host_key"], tuple(node["reasons"]), node["prepared"])


KEPT = ("machineId", "productUuid", "os", "kernel", "hypervisor", "container")
KEPT_OF_NIC = ("mac", "mtu", "driver", "speed", "addresses", "pci", "altnames", "kind")
"""Facts of a host, and of each NIC that the site uses, that the record has."""

_OUTPUT = ("mac", "mtu", "driver", "speed")
_OUTPUT_TOO = ("pci", "altnames")
"""Facts of a NIC in the output `nodes`, and more facts of a NIC that the site does not give by name, to find it again."""


@dataclass(frozen=True)
class Record:
    """Nodes that passed. Its JSON is the output of a run, and the next run reads it."""

    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Node → `asked` (digest of the requirements), `reasons`, `prepared`, `facts` (KEPT, and `nics`)."""
    warnings: tuple[str, ...] = ()
    """Warnings of the last run, one line each."""

    @classmethod
    def parse(cls, text: str) -> "Record":
        """Parse the last line of a run's output; an empty record if it is none."""
        try:
            data = unpacked(text)
            return cls(data["nodes"], tuple(data["warnings"]))
        except (RecordError, TypeError, KeyError):
            return cls()

    def json(self) -> str:
        """The line for Pulumi's state."""
        return packed(asdict(self))

    def nics(self, node: str) -> dict[str, dict[str, Any]]:
        """Facts of the NICs of a node that the site uses, by name."""
        return dict(self.nodes.get(node, {}).get("facts", {}).get("nics", {}))

    def nics_in_use(self, node: str, nics: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Name → MAC, MTU, driver and speed (Mbit/s) of each of these NICs (multus_site/cni/uplinks.py) that the node has."""
        facts = self.nics(node)
        found: dict[str, dict[str, Any]] = {}
        for nic in nics:
            if name := find(nic, facts):
                keys = _OUTPUT if is_name(nic) else (*_OUTPUT, *_OUTPUT_TOO)
                found.setdefault(name, {}).update({key: facts[name][key] for key in keys})
        return dict(sorted(found.items()))
