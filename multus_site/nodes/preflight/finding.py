"""Preflight's findings, and the registry of its checks: one function each, with code, level and meaning."""

import inspect
import ipaddress
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from multus_site.cni import uplinks
from multus_site.nodes.preflight.requirements import Requirements

Level = Literal["error", "warning"]

NAMED = 5
"""A line names this many nodes at most, and counts the rest."""


@dataclass(frozen=True)
class Node:
    """One host: what the site requires of it, and its facts (multus_site/scripts/facts.sh)."""

    name: str
    requirements: Requirements
    facts: Mapping[str, Any]
    ours: bool = False
    """Whether the site's own cluster runs on it."""
    offset: float | None = None
    """Its clock minus this machine's, seconds; None where it was not checked in this run."""

    @property
    def container(self) -> bool:
        """Whether it is a system container, which shares hardware, clock and swap with its machine."""
        return bool(self.facts.get("container"))

    def nic(self, spec: str) -> str | None:
        """Name of a NIC that the site uses; None if the host does not have it."""
        return uplinks.find(spec, self.facts["nics"])

    @property
    def own(self) -> str | None:
        """Name of the NIC that has the node's own address; None if no NIC has it."""
        wanted = ipaddress.ip_address(self.requirements.address)
        for name, nic in self.facts["nics"].items():
            if wanted in {ipaddress.ip_interface(address).ip for address in nic["addresses"]}:
                return str(name)
        return None

    def addresses(self) -> list[str]:
        """The host's addresses: those of its NICs, and those of a routed host on lo."""
        of_nics = [address for nic in self.facts["nics"].values() for address in nic["addresses"]]
        return [*of_nics, *self.facts["loopback"]]

    def wired(self) -> list[str]:
        """Names of the NICs that matter to the site: the node's own, and those that its networks use."""
        used = (self.nic(spec) for spec in self.requirements.nics)
        return sorted({name for name in (self.own, *used) if name is not None})


class Problem(NamedTuple):
    """What a check found on a node, and how to fix it. Both texts are clauses: no capital, no full stop."""

    node: str
    found: str
    fix: str
    level: Level | None = None
    """None: the level of the check."""


Problems = Iterator[Problem]


@dataclass(frozen=True, order=True)
class Finding:
    """One finding on one node."""

    node: str
    code: str
    level: Level
    found: str
    fix: str


@dataclass(frozen=True)
class Check:
    """A check: its function, and what docs/preflight.md says about it."""

    code: str
    level: Level
    title: str
    check: Callable[[Sequence[Node]], Problems]
    why: str
    part: str
    """Module of the function."""
    together: bool = False
    """Whether the check compares nodes."""


CHECKS: dict[str, Check] = {}
"""Every check by its code, in the order of the documentation."""


def each(code: str, level: Level, title: str) -> Callable[[Callable[[Node], Problems]], Callable[[Node], Problems]]:
    """Register a check of one node at a time."""

    def register(check: Callable[[Node], Problems]) -> Callable[[Node], Problems]:
        def every(nodes: Sequence[Node]) -> Problems:
            for node in nodes:
                yield from check(node)

        CHECKS[code] = Check(code, level, title, every, inspect.cleandoc(check.__doc__ or ""), check.__module__)
        return check

    return register


def together(
    code: str, level: Level, title: str
) -> Callable[[Callable[[Sequence[Node]], Problems]], Callable[[Sequence[Node]], Problems]]:
    """Register a check that compares nodes."""

    def register(check: Callable[[Sequence[Node]], Problems]) -> Callable[[Sequence[Node]], Problems]:
        CHECKS[code] = Check(
            code, level, title, check, inspect.cleandoc(check.__doc__ or ""), check.__module__, together=True
        )
        return check

    return register


def lines(findings: Sequence[Finding]) -> list[str]:
    """The findings as text, one line for all nodes with the same finding."""
    nodes_with: dict[tuple[str, str, str], list[str]] = {}
    for finding in findings:
        nodes_with.setdefault((finding.code, finding.found, finding.fix), []).append(finding.node)
    return [f"{_named(nodes)}: {found} ({code}). Fix: {fix}" for (code, found, fix), nodes in nodes_with.items()]


def _named(nodes: list[str]) -> str:
    more = f" and {len(nodes) - NAMED} more" if len(nodes) > NAMED else ""
    return ", ".join(nodes[:NAMED]) + more
