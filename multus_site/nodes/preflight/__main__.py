"""`python -m multus_site.nodes.preflight`: reads the document from stdin, checks the hosts over SSH, and prints the record as a line of JSON.

Checks the hosts that have not passed with the current requirements. A run that fails leaves no record, so the next run checks its hosts again.
"""

import asyncio
import sys
from dataclasses import asdict
from typing import Any

from multus_site.model.printable import printable
from multus_site.nodes.preflight.clusters import own_authorities
from multus_site.nodes.preflight.collect import facts_of
from multus_site.nodes.preflight.document import KEPT, KEPT_OF_NIC, Document, PreflightError, Record, Target, digest
from multus_site.nodes.preflight.finding import Finding, Node, lines
from multus_site.nodes.preflight.run_checks import findings
from multus_site.render.state_record import last_printed
from multus_site.ssh.connections import TRY_SECONDS, connections
from multus_site.ssh.fan_out import fan_out
from multus_site.ssh.ssh_route import ReachError, SshRoute

SECONDS = 60
"""Time limit for the facts of one host."""

NODE_SECONDS = TRY_SECONDS + SECONDS + 60
"""Time limit for one host, including the login."""

LAST = "Fix the findings, then run the same command again: it checks the hosts again."


def _digest_of(target: Target) -> str:
    return digest(asdict(target.requirements))


def nodes_to_check(document: Document, before: Record) -> dict[str, Target]:
    """The nodes that have not passed with their current requirements and preparation, or that may be other machines."""
    return {
        name: target
        for name, target in document.nodes.items()
        if (passed := before.nodes.get(name)) is None
        or passed["asked"] != _digest_of(target)
        or passed["prepared"] != target.prepared
        or passed["reasons"] != list(target.reasons)
    }


async def collect(document: Document, targets: dict[str, Target]) -> tuple[dict[str, dict[str, Any]], list[Finding]]:
    """The facts of the nodes, and a finding for each node that is not reached."""

    async def facts(_: str, target: Target) -> dict[str, Any]:
        required = target.requirements
        async with reached.to(required.address, target.host_key) as host:
            return await facts_of(host, " ".join(required.modules), " ".join(required.ports), SECONDS)

    async with connections(document.route) as reached:
        outcome = await fan_out(targets, facts, NODE_SECONDS)
    return outcome.done, [
        _unreachable(name, targets[name].requirements.address, document.route, error)
        for name, error in outcome.failed.items()
    ]


def _unreachable(name: str, address: str, route: SshRoute, error: ReachError) -> Finding:
    fix = f"find the cause: ssh -p {route.port} {route.login.user}@{address}"
    return Finding(name, "UNREACHABLE", "error", f"{address} cannot be checked: {error}", fix)


def check(
    document: Document, before: Record, facts_by_node: dict[str, dict[str, Any]]
) -> tuple[dict[str, Node], list[Finding]]:
    """The nodes with these facts, and the findings on them."""
    own = own_authorities(document.site, list(facts_by_node.values()), document.adopted)
    checked = {}
    for name, facts in facts_by_node.items():
        machine = before.nodes.get(name, {}).get("facts", {}).get("machineId")
        # A machine that passed had no cluster then, so its cluster is ours; so is one with the authority of our cluster.
        ours = bool(machine and machine == facts["machineId"]) or facts["cluster"]["ca"] in own
        checked[name] = Node(name, document.nodes[name].requirements, facts, ours, facts["offset"])
    passed = [
        Node(name, target.requirements, before.nodes[name]["facts"], ours=True)
        for name, target in document.nodes.items()
        if name not in facts_by_node and name in before.nodes
    ]
    return checked, findings(list(checked.values()), passed)


async def run(document: Document, before: Record) -> Record:
    """The record of the nodes. Raises PreflightError with all findings if any is an error."""
    try:
        facts_by_node, unreachable = await collect(document, nodes_to_check(document, before))
    except ReachError as error:  # the bastion, or the key
        raise PreflightError(str(error)) from None
    checked, found = check(document, before, facts_by_node)
    errors = [finding for finding in (*unreachable, *found) if finding.level == "error"]
    warnings = lines([finding for finding in found if finding.level == "warning"])
    if errors:
        failed = {finding.node for finding in errors}
        head = f"preflight: {len(failed)} of {len(document.nodes)} hosts cannot become nodes; nothing was installed on any host."
        raise PreflightError("\n".join([head, *lines(errors), *(f"warning: {line}" for line in warnings), LAST]))
    passed = {name: _passed(document.nodes[name], node) for name, node in checked.items()}
    nodes = {name: passed.get(name) or before.nodes[name] for name in document.nodes}
    return Record(nodes, tuple(warnings))


def _passed(target: Target, node: Node) -> dict[str, Any]:
    """The entry of the record for a node that passed."""
    nics = {nic: {key: node.facts["nics"][nic][key] for key in KEPT_OF_NIC} for nic in node.wired()}
    facts = {**{key: node.facts[key] for key in KEPT}, "nics": nics}
    return {
        "asked": _digest_of(target),
        "reasons": list(target.reasons),
        "prepared": target.prepared,
        "facts": facts,
    }


def main() -> int:
    """Run the command."""
    try:
        document = Document.parse(sys.stdin.read())
        record = asyncio.run(run(document, Record.parse(last_printed())))
    except PreflightError as error:
        print(printable(str(error), lines=True), file=sys.stderr)
        return 1
    print(record.json())
    return 0


if __name__ == "__main__":
    sys.exit(main())
