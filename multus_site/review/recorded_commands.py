"""Rewrite the command lines recorded in a stack's state to the module names of this version.

Pulumi runs the recorded line when a resource is deleted, without the program. 0.1.0 and 0.2.0 recorded module names that only
a checkout has; a repository that installs the wheel needs the present ones.
"""

import copy
import re
from typing import Any

MODULES = {
    "delivery": "nodes.delivery",
    "kubespray": "kubespray",
    "preflight": "nodes.preflight",
    "reach": "ssh",
    "throughput": "throughput",
    "topology": "nodes.topology",
    "verification": "verify",
}
"""Module that 0.1.0 and 0.2.0 ran → module of multus_site."""

_LINES = ("create", "update", "delete")
_RECORDED = re.compile(
    r'(?P<before>p=\.venv/bin/python; \[ -x "\$p" \] \|\| p=python3; exec (?:timeout -k \d+ \d+ )?"\$p" -m )'
    rf"(?P<module>{'|'.join(MODULES)})(?P<after>(?: [a-z]+)?)"
)


class StateError(Exception):
    """A state that cannot be rewritten; the message says why and what to do."""


def rewrite(exported: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the state with present module names, and the names of the resources that changed. Idempotent.

    `exported` is the output of `pulumi stack export`. Raises StateError while operations are pending, because their outcome is unknown.
    """
    deployment = exported.get("deployment") or {}
    if deployment.get("pending_operations"):
        msg = "an update of this stack was interrupted, and its state has pending operations; run `pulumi refresh` or `pulumi up` first"
        raise StateError(msg)
    state, changed = copy.deepcopy(exported), []
    for resource in (state.get("deployment") or {}).get("resources") or []:
        if resource.get("type") != "command:local:Command":
            continue
        rewritten = [_rewrite_lines(resource.get(part) or {}) for part in ("inputs", "outputs")]
        if any(rewritten):
            changed.append(resource["urn"].rpartition("::")[2])
    return state, changed


def _rewrite_lines(properties: dict[str, Any]) -> bool:
    """Rewrite the lines in place; return whether any changed. Other programs' lines stay."""
    changed = False
    for key in _LINES:
        if isinstance(line := properties.get(key), str) and (found := _RECORDED.fullmatch(line)):
            properties[key] = f"{found['before']}multus_site.{MODULES[found['module']]}{found['after']}"
            changed = True
    return changed
