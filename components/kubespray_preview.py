"""The preview of a cluster: the playbooks that `up` would run, or why they cannot run. Contacts no host."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi

from multus_site.kubespray.document import KubesprayError
from multus_site.kubespray.machine_checks import check_machines
from multus_site.kubespray.of_site import without_nodes
from multus_site.kubespray.preview import PLAN_FILE, planned, row, takes_over
from multus_site.kubespray.takeover import TAKEN_OVER

from .outputs import NodeFacts
from .pulumi_state import LastUpdate


def tell(
    resource: str,
    plain: Mapping[str, Any],
    variables: pulumi.Output[dict[str, Any]],
    facts: Mapping[str, pulumi.Output[NodeFacts]],
    machines: Mapping[str, pulumi.Input[str]],
    last: LastUpdate,
) -> pulumi.Output[None]:
    """Log the plan. Raises RunError, when resolved, with everything that Kubespray would reject.

    `resource`: name of the Command whose output is the record of what is applied. A node that is prepared again has no `facts` at preview, and counts as
    the same machine unless `machines` (NodeVM.made_as) shows that it is recreated.
    """
    known: dict[str, pulumi.Output[Any]] = {node: _known_or_none(found) for node, found in facts.items()}
    made = {node: _known_or_none(pulumi.Output.from_input(machine)) for node, machine in machines.items()}
    return pulumi.Output.all(variables=variables, facts=known, made=made).apply(
        lambda args: _tell(resource, plain, args["variables"], args["facts"], args["made"], last)
    )


def _tell(
    resource: str,
    plain: Mapping[str, Any],
    variables: dict[str, Any],
    facts: Mapping[str, Any],
    made: Mapping[str, str | None],
    last: LastUpdate,
) -> None:
    identities = {node: str(found["machineId"]) if found else None for node, found in facts.items()}
    there = {node: its for node, its in facts.items() if its}
    found = check_machines(plain["version"], there, plain["groups"], variables)
    if found:
        raise pulumi.RunError("\n".join(found))
    anew = {
        node
        for node, machine in made.items()
        if _is_anew(machine, last.resources.get(f"NodeVM {plain['site']}-{node}"))
    }
    document = without_nodes(plain, variables)
    try:
        runs = planned(document, identities, anew, last.stdout(resource))
    except KubesprayError as error:
        raise pulumi.RunError(str(error)) from None
    if takes_over(document, last.stdout(resource)):
        pulumi.log.info(TAKEN_OVER)
    for run in runs:
        pulumi.log.info(f"{run.playbook}: {run.reason}")
    if asked := os.environ.get(PLAN_FILE):
        Path(asked).write_text(json.dumps([row(run) for run in runs]), encoding="utf-8")


def _is_anew(machine: str | None, before: Mapping[str, Any] | None) -> bool:
    """Whether a machine is recreated; `before`: earlier outputs of its node. Existing hosts have '', and a state of 0.1.0 does not have the value."""
    return machine != "" and (before is None or before.get("machine", machine) != machine)


def _known_or_none(output: pulumi.Output[Any]) -> pulumi.Output[Any]:
    """An output's value; None where this preview does not know it."""

    async def look() -> object:
        return await output.future() if await output.is_known() else None

    return pulumi.Output.from_input(look())
