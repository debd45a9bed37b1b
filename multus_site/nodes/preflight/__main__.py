"""`python -m multus_site.nodes.preflight`: reads the document from stdin, looks at the hosts over SSH and judges them; prints the record as a line of JSON.

Looked at is who has not passed with what is asked now. Each time anew: a run that failed leaves no record, so that the next one sees what was mended.
"""

import asyncio
import os
import sys
from dataclasses import asdict
from typing import Any

from multus_site.nodes.preflight.clusters import ours
from multus_site.nodes.preflight.collect import facts_of
from multus_site.nodes.preflight.document import KEPT, KEPT_OF_NIC, Document, PreflightError, Record, Target, digest
from multus_site.nodes.preflight.finding import Finding, Node, lines
from multus_site.nodes.preflight.run_checks import findings
from multus_site.ssh.connections import TRY_SECONDS, connections
from multus_site.ssh.fan_out import fan_out
from multus_site.ssh.ssh_route import ReachError

SECONDS = 60
"""Time that the facts of one host may take."""

NODE_SECONDS = TRY_SECONDS + SECONDS + 60
"""Time for one host, with the login."""

LAST = "Fix what is reported, then run the same command again: it checks the hosts again."


def asked_of(target: Target) -> str:
    """Digest of what is asked of a node."""
    return digest(asdict(target.asked))


def to_look_at(document: Document, before: Record) -> dict[str, Target]:
    """The nodes that have not passed as they are prepared and with what is asked of them now, or that may be other machines."""
    return {
        name: target
        for name, target in document.nodes.items()
        if (its := before.nodes.get(name)) is None
        or its["asked"] != asked_of(target)
        or its["prepared"] != target.prepared
        or its["reasons"] != list(target.reasons)
    }


async def look(document: Document, targets: dict[str, Target]) -> tuple[dict[str, dict[str, Any]], list[Finding]]:
    """The facts of the nodes, each with `offset` (its clock minus ours, seconds); and a finding for each node that does not give them."""

    async def one(_: str, target: Target) -> dict[str, Any]:
        asked = target.asked
        async with reached.to(asked.address, target.host_key) as there:
            return await facts_of(there, " ".join(asked.modules), " ".join(asked.ports), SECONDS)

    async with connections(document.way) as reached:
        outcome = await fan_out(targets, one, NODE_SECONDS)
    login = f"ssh -p {document.way.port} {document.way.login.user}@"
    return outcome.done, [
        Finding(
            name,
            "UNREACHABLE",
            "error",
            f"{targets[name].asked.address} can't be checked: {error}",
            f"Try it: {login}{targets[name].asked.address}",
        )
        for name, error in outcome.failed.items()
    ]


def judge(
    document: Document, before: Record, found: dict[str, dict[str, Any]]
) -> tuple[dict[str, Node], list[Finding]]:
    """The nodes that were looked at, and what is wrong with them."""
    own = ours(document.site, list(found.values()))
    looked = {}
    for name, facts in found.items():
        passed = before.nodes.get(name, {}).get("facts", {}).get("machineId")
        # A machine that passed was bare then: what is on it is ours. So it is where the authority is that of our own cluster.
        is_ours = bool(passed and passed == facts["machineId"]) or facts["cluster"]["ca"] in own
        looked[name] = Node(name, document.nodes[name].asked, facts, is_ours, facts["offset"])
    known = [
        Node(name, target.asked, before.nodes[name]["facts"], ours=True)
        for name, target in document.nodes.items()
        if name not in found and name in before.nodes
    ]
    return looked, findings(list(looked.values()), known)


async def run(document: Document, before: Record) -> Record:
    """The record of the nodes. Raises PreflightError with everything that is wrong with them, all at once."""
    targets = to_look_at(document, before)
    try:
        found, unreached = await look(document, targets)
    except ReachError as error:  # the bastion, or the key
        raise PreflightError(str(error)) from None
    looked, judged = judge(document, before, found)
    every = [*unreached, *judged]
    errors = lines([one for one in every if one.level == "error"])
    warnings = lines([one for one in every if one.level == "warning"])
    if errors:
        bad = {one.node for one in every if one.level == "error"}
        head = f"preflight: {len(bad)} of {len(document.nodes)} hosts can't become nodes as they are; nothing was put on any."
        raise PreflightError("\n".join([head, *errors, *(f"warning: {line}" for line in warnings), LAST]))
    passed = {name: _kept(document.nodes[name], node) for name, node in looked.items()}
    nodes = {name: passed.get(name) or before.nodes[name] for name in document.nodes}
    return Record(nodes, tuple(warnings))


def _kept(target: Target, node: Node) -> dict[str, Any]:
    """What is kept of a node that passed."""
    nics = {nic: {key: node.facts["nics"][nic][key] for key in KEPT_OF_NIC} for nic in node.wired()}
    facts = {**{key: node.facts[key] for key in KEPT}, "nics": nics}
    return {
        "asked": asked_of(target),
        "reasons": list(target.reasons),
        "prepared": target.prepared,
        "facts": facts,
    }


def main() -> int:
    """The command line."""
    try:
        document = Document.parse(sys.stdin.read())
        record = asyncio.run(run(document, Record.parse(os.environ.get("PULUMI_COMMAND_STDOUT"))))
    except PreflightError as error:
        print(error, file=sys.stderr)
        return 1
    print(record.json())
    return 0


if __name__ == "__main__":
    sys.exit(main())
