"""Preflight's findings, and the registry of its checks: one function each, with code, level and meaning."""

import inspect
import ipaddress
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from multus_site.cni import uplinks
from multus_site.nodes.preflight.requirements import Asked

Level = Literal["error", "warning"]

NAMED = 5
"""Up to so many nodes are named, more are counted."""


@dataclass(frozen=True)
class Node:
    """One host: what the site asks of it and its facts (multus_site/scripts/facts.sh)."""

    name: str
    asked: Asked
    facts: Mapping[str, Any]
    ours: bool = False
    """Whether it is in the site's own cluster: what runs there is ours."""
    offset: float | None = None
    """Its clock minus this machine's, seconds; None where it was not checked in this run."""

    @property
    def container(self) -> bool:
        """Whether it is a system container, which shares hardware, clock and swap with the machine below."""
        return bool(self.facts.get("container"))

    def nic(self, spec: str) -> str | None:
        """Name of a NIC that the site asks for; None where the host has none."""
        return uplinks.find(spec, self.facts["nics"])

    @property
    def own(self) -> str | None:
        """Name of the NIC that holds the node's own address."""
        wanted = ipaddress.ip_address(self.asked.address)
        for name, its in self.facts["nics"].items():
            if wanted in {ipaddress.ip_interface(address).ip for address in its["addresses"]}:
                return str(name)
        return None

    def addresses(self) -> list[str]:
        """The host's addresses: those of its NICs, and those that a routed host has on lo."""
        of_nics = [address for its in self.facts["nics"].values() for address in its["addresses"]]
        return [*of_nics, *self.facts["loopback"]]

    def wired(self) -> list[str]:
        """Names of the NICs that matter to the site: the node's own, and those that its networks use."""
        asked = (self.nic(spec) for spec in self.asked.nics)
        return sorted({name for name in (self.own, *asked) if name is not None})


class Problem(NamedTuple):
    """What a check found: on which node, what it is, and what to do."""

    node: str
    found: str
    right: str
    level: Level | None = None
    """The check's own level if None."""


Problems = Iterator[Problem]


@dataclass(frozen=True, order=True)
class Finding:
    """One finding on one node."""

    node: str
    code: str
    level: Level
    found: str
    right: str


@dataclass(frozen=True)
class Check:
    """A check: its function, and what docs/preflight.md says about it."""

    code: str
    level: Level
    title: str
    check: Callable[[Sequence[Node]], Problems]
    why: str
    part: str
    """Module that it is in."""
    together: bool = False
    """Whether it compares nodes with each other."""


CHECKS: dict[str, Check] = {}
"""Every check by its code, in the order of the documentation."""


def each(code: str, level: Level, title: str) -> Callable[[Callable[[Node], Problems]], Callable[[Node], Problems]]:
    """Registers a check that looks at one node at a time."""

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
    """Registers a check that compares nodes with each other."""

    def register(check: Callable[[Sequence[Node]], Problems]) -> Callable[[Sequence[Node]], Problems]:
        CHECKS[code] = Check(
            code, level, title, check, inspect.cleandoc(check.__doc__ or ""), check.__module__, together=True
        )
        return check

    return register


def lines(findings: Sequence[Finding]) -> list[str]:
    """The findings as text, those that several nodes share once."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for finding in findings:
        alike.setdefault((finding.code, finding.found, finding.right), []).append(finding.node)
    return [f"{_named(nodes)}: {found} ({code}). {right}" for (code, found, right), nodes in alike.items()]


def _named(nodes: list[str]) -> str:
    more = f" and {len(nodes) - NAMED} more" if len(nodes) > NAMED else ""
    return ", ".join(nodes[:NAMED]) + more
