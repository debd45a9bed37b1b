"""Preflight: the hosts of a site are fit to become its nodes, or everything that is wrong with them is said at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from multus_site.cni.uplinks import nics_in_use
from multus_site.model.site import Site
from multus_site.nodes.preflight.document import Record, digest, kinds
from multus_site.nodes.preflight.requirements import requirements_of

from .local_program import LocalProgram, LocalProgramArgs, last_line
from .pulumi_state import last_words
from .ssh import Ssh


def name_of(site: str) -> str:
    """The resource's name."""
    return f"{site}-preflight"


class Before:
    """What this stack's state says of earlier looks at its hosts."""

    def __init__(self, site: Site, prepared: Mapping[str, Sequence[str]]) -> None:
        """`prepared`: node → what its host is prepared for."""
        self._site = site
        self.prepared = {node: digest(list(what)) for node, what in prepared.items()}
        names = [f"{name_of(site.name)}-run", *(f"{site.name}-{node}-facts" for node in site.nodes.hosts)]
        self._stored: pulumi.Output[dict[str, str]] = pulumi.Output.unsecret(
            pulumi.Output.from_input(last_words(names))
        )

    @property
    def record(self) -> pulumi.Output[str]:
        """The record of the last preflight that passed, empty before the first."""
        return self._stored.apply(lambda found: found.get(f"{name_of(self._site.name)}-run", ""))

    def looked(self, node: str) -> pulumi.Output[str]:
        """How often the host was prepared until it passed, as a number: one more as long as it has not passed with what it is prepared for.

        A command that succeeded does not run again. With this in its input a host that failed preflight is prepared, and its identity read, anew.
        """

        def number(found: dict[str, str]) -> str:
            last = last_line(found.get(f"{self._site.name}-{node}-facts") or "{}")
            count = int(last.get("looked", 0))
            passed = Record.parse(found.get(f"{name_of(self._site.name)}-run")).nodes.get(node, {})
            return str(count if count and passed.get("prepared") == self.prepared[node] else count + 1)

        return self._stored.apply(number)


@dataclass(frozen=True)
class PreflightArgs:
    """The hosts to check."""

    site: Site
    variables: Mapping[str, Any]
    """Kubespray's, without the secret ones."""
    ssh: Ssh
    before: Before
    reasons: Mapping[str, Sequence[pulumi.Input[str]]]
    """Node → what causes another check."""


class Preflight(pulumi.ComponentResource):
    """After `up` every host has passed: nothing of the cluster begins before.

    A finding that is an error fails the `up` with all findings of all hosts, and the next one looks at them anew; warnings are told when they are
    found. Looked at again is a host of which other things are asked, that is another machine, or that drifted. Destroy does nothing.
    """

    def __init__(self, name: str, args: PreflightArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("multus-site:index:Preflight", name, {}, opts)
        self._site = args.site
        document = pulumi.Output.all(
            way=args.ssh.way,
            reasons={node: list(its) for node, its in args.reasons.items()},
            keys={node: args.ssh.host_key(node) for node in args.site.nodes.hosts},
        ).apply(lambda known: document_of(args.site, args.variables, args.before.prepared, **known))
        self.run = LocalProgram(
            f"{name}-run",
            # What is wrong comes with the failure; the log would show it twice.
            LocalProgramArgs("nodes.preflight", document, reads_last_record=True),
            pulumi.ResourceOptions(
                parent=self,
                custom_timeouts=pulumi.CustomTimeouts(create="1h", update="1h"),
            ),
        )
        self._record = self.run.record
        self.warned = pulumi.Output.all(self._record, args.before.record).apply(lambda texts: self._warn(*texts))
        self.register_outputs({})

    def _warn(self, now: str, before: str) -> list[str]:
        """Tells what a run has found; what an earlier one had found was told then."""
        warnings = list(Record.parse(now).warnings)
        if now.strip() != before.strip():
            for line in warnings:
                pulumi.log.warn(line, self)
        return warnings

    def found(self, node: str) -> pulumi.Output[dict[str, Any]]:
        """What was found of a node: system, hypervisor, and of each NIC of its networks MAC, MTU, driver, speed (Mbit/s)."""
        in_use = nics_in_use(self._site, node)

        def facts_in(text: str) -> dict[str, Any]:
            record = Record.parse(text)
            facts = record.nodes.get(node, {}).get("facts", {})
            return {
                "os": facts.get("os", {}).get("name", ""),
                "hypervisor": facts.get("hypervisor", ""),
                "nics": record.nics_in_use(node, in_use),
            }

        return self._record.apply(facts_in)


def document_of(
    site: Site,
    variables: Mapping[str, Any],
    prepared: Mapping[str, str],
    way: Mapping[str, Any],
    reasons: Mapping[str, Sequence[str]],
    keys: Mapping[str, str],
) -> dict[str, Any]:
    """What the runner is given (multus_site/nodes/preflight/document.py)."""
    all_kinds, kind_of = kinds(requirements_of(site, variables))
    return {
        "site": site.name,
        "way": way,
        "kinds": all_kinds,
        "nodes": {
            node: {
                "address": host.address,
                "architecture": host.architecture,
                "host_key": keys[node],
                "kind": kind_of[node],
                "reasons": [str(reason) for reason in reasons[node]],
                "prepared": prepared[node],
            }
            for node, host in site.nodes.hosts.items()
        },
    }
