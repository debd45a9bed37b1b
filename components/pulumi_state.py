"""What the last update left in this stack's state. It is read once, before the engine writes to it.

A file backend does not replace a stack's files in one step: whoever reads them while the engine writes gets "failed to load checkpoint: EOF". So the
program reads before it lets the engine create anything: resources are registered by tasks, which run when the program waits, and this read blocks.
What another process writes meanwhile (an `up` beside a preview) is awaited.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import grpc  # type: ignore[import-untyped]  # it has no types
import pulumi
from pulumi.runtime import rpc
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import get_monitor

_READ = "pulumi:pulumi:readStackResourceOutputs"
WAITS: Final = (0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 4.0)
"""Seconds between tries: ten in total, far longer than the engine needs to write a state."""


@dataclass(frozen=True)
class LastUpdate:
    """The outputs of the resources, by `Kind name`, and of the stack; both empty before the first update."""

    resources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    outputs: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def stdout(self, command: str) -> str:
        """What a Command printed last; empty if it never succeeded."""
        return str(self.resources.get(f"Command {command}", {}).get("stdout", ""))


def last_update() -> LastUpdate:
    """Reads the state. Raises pulumi.RunError if it cannot be read."""
    # `organization` is the name that backends without organizations use.
    stack = f"{pulumi.get_organization() or 'organization'}/{pulumi.get_project()}/{pulumi.get_stack()}"
    reason = ""
    for wait in (*WAITS, 0.0):
        try:
            found = _read(stack)
        except _UnreadableError as error:
            reason = str(error)
            time.sleep(wait)
            continue
        resources = {
            f"{its['type'].rpartition(':')[2]} {urn.rpartition('::')[2]}": its["outputs"] or {}
            for urn, its in found.items()
        }
        outputs = next((its["outputs"] for its in found.values() if its["type"] == "pulumi:pulumi:Stack"), None)
        return LastUpdate(resources, outputs or {})
    msg = (
        f"the state of stack {pulumi.get_stack()} cannot be read: {reason}\n"
        "If no other process is writing it, restore it from a backup: docs/stacks.md, A damaged state"
    )
    raise pulumi.RunError(msg)


class _UnreadableError(Exception):
    """The engine did not read the state; the text is its reason."""


def _read(stack: str) -> Mapping[str, Mapping[str, Any]]:
    """URN → type and outputs. pulumi.runtime.invoke waits in the event loop, in which resources would be registered meanwhile."""
    request = resource_pb2.ResourceInvokeRequest(tok=_READ)
    request.args.update({"stackName": stack})
    monitor = get_monitor()
    if monitor is None:
        msg = "no engine runs this program; start it with pulumi"
        raise _UnreadableError(msg)
    try:
        answer = monitor.Invoke(request)
    except grpc.RpcError as error:
        raise _UnreadableError(error.details() if isinstance(error, grpc.Call) else str(error)) from None
    if answer.failures:
        raise _UnreadableError("; ".join(failure.reason for failure in answer.failures))
    given, _ = rpc.deserialize_properties_unwrap_secrets(getattr(answer, "return"))
    return (given or {}).get("outputs") or {}
