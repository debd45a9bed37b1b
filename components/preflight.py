"""Preflight: the hosts of a site can become its nodes, or the `up` fails with everything that is wrong with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, cast

import pulumi

from multus_site.cni.uplinks import nics_in_use
from multus_site.model.site import Site
from multus_site.nodes.preflight.document import Record, digest, kinds
from multus_site.nodes.preflight.requirements import requirements_of

from .local_program import LocalProgram, LocalProgramArgs, last_line
from .outputs import NicFacts
from .pulumi_state import LastUpdate
from .ssh import Ssh


def name_of(site: str) -> str:
    """The resource's name."""
    return f"{site}-preflight"


class Before:
    """What this stack's state has from earlier preflights."""

    def __init__(self, site: str, last: LastUpdate, prepared: Mapping[str, Sequence[str]]) -> None:
        """`prepared`: node → what its host is prepared for."""
        self._site, self._last = site, last
        self.prepared = {node: digest(list(what)) for node, what in prepared.items()}
        self.record = last.stdout(f"{name_of(site)}-run")
        """The record of the last preflight that passed, empty before the first."""

    def looked(self, node: str) -> str:
        """How often the host was prepared until it passed; goes up until it has passed with what it is prepared for.

        A command that succeeded does not run again. With this count in its input, a host that failed preflight is prepared, and its identity read, again.
        """
        last = last_line(self._last.stdout(f"{self._site}-{node}-facts") or "{}")
        count = int(last.get("looked", 0))
        passed = Record.parse(self.record).nodes.get(node, {})
        return str(count if count and passed.get("prepared") == self.prepared[node] else count + 1)


class HostFacts(TypedDict):
    """What preflight found on a host."""

    os: str
    hypervisor: str
    nics: dict[str, NicFacts]
    """Of the site's networks."""


@dataclass(frozen=True)
class PreflightArgs:
    """The hosts to check."""

    site: Site
    variables: Mapping[str, Any]
    """Kubespray's, without the secret ones."""
    ssh: Ssh
    before: Before
    reasons: Mapping[str, Sequence[pulumi.Input[str]]]
    """Node → values whose change checks it again."""


class Preflight(pulumi.ComponentResource):
    """After `up` every host has passed. The cluster waits for it.

    An error fails the `up` with all findings of all hosts, and the next `up` checks them again; warnings are logged once.
    A host is checked again if its requirements changed, if its machine was replaced, or if it drifted. Destroy does nothing.
    """

    def __init__(self, name: str, args: PreflightArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("multus-site:index:Preflight", name, {}, opts)
        self._site = args.site
        document = pulumi.Output.all(
            way=args.ssh.route,
            reasons={node: list(its) for node, its in args.reasons.items()},
            keys={node: args.ssh.host_key(node) for node in args.site.nodes.hosts},
        ).apply(lambda known: document_of(args.site, args.variables, args.before.prepared, **known))
        self.run = LocalProgram(
            f"{name}-run",
            # The failure carries the findings; the log would repeat them.
            LocalProgramArgs("nodes.preflight", document, reads_last_record=True),
            pulumi.ResourceOptions(
                parent=self,
                custom_timeouts=pulumi.CustomTimeouts(create="1h", update="1h"),
            ),
        )
        self._record = self.run.record
        self.warned = self._record.apply(lambda now: self._warn(now, args.before.record))
        self.register_outputs({})

    def _warn(self, now: str, before: str) -> list[str]:
        """Logs the warnings of a new run; those of an earlier run were logged then."""
        warnings = list(Record.parse(now).warnings)
        if now.strip() != before.strip():
            for line in warnings:
                pulumi.log.warn(line, self)
        return warnings

    def found(self, node: str) -> pulumi.Output[HostFacts]:
        """What preflight found on a host."""
        in_use = nics_in_use(self._site, node)

        def facts_in(text: str) -> HostFacts:
            record = Record.parse(text)
            facts = record.nodes.get(node, {}).get("facts", {})
            return {
                "os": facts.get("os", {}).get("name", ""),
                "hypervisor": facts.get("hypervisor", ""),
                "nics": cast("dict[str, NicFacts]", record.nics_in_use(node, in_use)),
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
    """The document of the program (multus_site/nodes/preflight/document.py)."""
    all_kinds, kind_of = kinds(requirements_of(site, variables))
    adopted = {"adopted": site.kubespray.adopted.ca} if site.kubespray.adopted else {}
    return {
        "site": site.name,
        **adopted,
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
