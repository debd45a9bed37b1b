"""The provider: which resource does what, when it changes, and what a preview may promise.

Rules as read in pulumi-command 1.2.1 and pulumi-go-provider 1.3.0 (`infer/resource.go`): any changed input updates;
a changed `triggers` replaces; an update runs `update`, else `create`; what a preview can't know is unknown.
A failed create leaves nothing in the state.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable
from typing import Any, TypeVar

from pulumi.provider.experimental import provider as sdk

from ..differences import changes, detailed, same
from ..plugin import EngineLog, StandInError, resource_type
from ..values import UNKNOWN, Secret, has_unknown, plain_map, wire_map
from . import local
from .connection import with_defaults

VERSION = "1.2.1"
_COMMANDS = {"command:local:Command", "command:remote:Command"}
_COPY = "command:remote:CopyToRemote"
_OUTPUTS = ("stdout", "stderr")
_FOREIGN = {
    "command:local:Command": {"connection": "local.CommandOutputs"},
    "command:remote:Command": dict.fromkeys(
        ("interpreter", "dir", "assetPaths", "archivePaths", "assets", "archive"), "remote.CommandOutputs"
    ),
}
"""What the state of the other type of command holds, by which an alias of a type is found out: the provider decodes it to the letter."""
_T = TypeVar("_T")


class CommandProvider(sdk.Provider):
    """`command:local:*` and `command:remote:*`."""

    def __init__(self, log: EngineLog) -> None:
        self._log = log

    async def get_schema(self, request: sdk.GetSchemaRequest) -> sdk.GetSchemaResponse:  # noqa: ARG002 # fixed signature
        return sdk.GetSchemaResponse(f'{{"name": "command", "version": "{VERSION}"}}')

    async def configure(self, request: sdk.ConfigureRequest) -> sdk.ConfigureResponse:  # noqa: ARG002 # fixed signature
        await self._log.info(f"stand-in for pulumi-command {VERSION} (multus-site, lab/standins)")
        return sdk.ConfigureResponse(supports_preview=True)

    async def check(self, request: sdk.CheckRequest) -> sdk.CheckResponse:
        inputs = plain_map(request.new_inputs)
        failures = _known(resource_type(request.urn))
        if resource_type(request.urn).startswith("command:remote:"):
            connection = inputs.get("connection")
            if connection is None:
                failures.append(sdk.CheckFailure("connection", "missing required field 'connection'"))
            elif connection != UNKNOWN:
                if connection.get("host") is None:
                    failures.append(sdk.CheckFailure("connection.host", "missing required field 'host'"))
                inputs["connection"] = Secret(with_defaults(connection))
        if resource_type(request.urn) == _COPY:
            from .copy import refusal

            why = refusal(inputs.get("source"))
            if why:
                failures.append(sdk.CheckFailure("asset", why))
            if inputs.get("remotePath") is None:
                failures.append(sdk.CheckFailure("remotePath", "missing required field 'remotePath'"))
        return sdk.CheckResponse(wire_map(inputs), failures)

    async def diff(self, request: sdk.DiffRequest) -> sdk.DiffResponse:
        old, new = plain_map(request.old_state), plain_map(request.new_inputs)
        new.update({key: old[key] for key in request.ignore_changes if key in old})
        before = {key: value for key, value in old.items() if key not in _OUTPUTS}
        found = list(changes(before, new))
        # Elements of `triggers` replace by the SDK's own replace_on_changes; only the list as a whole is for us to say.
        replacing = {path for path, _ in found if path == "triggers"}
        return sdk.DiffResponse(
            changes=bool(found), replaces=sorted(replacing), detailed_diff=detailed(found, replacing)
        )

    async def create(self, request: sdk.CreateRequest) -> sdk.CreateResponse:
        properties = plain_map(request.properties)
        if resource_type(request.urn) == _COPY:
            if not request.preview:
                await _within(request.timeout, self._copy(properties, request.urn))
            return sdk.CreateResponse(secrets.token_hex(4), wire_map(_kept(properties)))
        if request.preview:
            outputs: dict[str, Any] = dict.fromkeys(_OUTPUTS, UNKNOWN)
        else:
            outputs = await _within(
                request.timeout,
                self._run(resource_type(request.urn), properties.get("create"), properties, request.urn),
            )
        return sdk.CreateResponse(request.name + secrets.token_hex(4), wire_map(_kept({**properties, **outputs})))

    async def update(self, request: sdk.UpdateRequest) -> sdk.UpdateResponse:
        old, new = plain_map(request.olds), plain_map(request.news)
        _decoded(resource_type(request.urn), old)
        new.update({key: old[key] for key in request.ignore_changes if key in old})
        if resource_type(request.urn) == _COPY:
            moved = old.get("remotePath") != new.get("remotePath")
            if not request.preview and (moved or not same(old.get("source"), new.get("source"))):
                await _within(request.timeout, self._copy(new, request.urn))
            return sdk.UpdateResponse(wire_map(_kept(new)))
        properties = {**new, **{key: old.get(key, "") for key in _OUTPUTS}}
        if request.preview:
            if _stale(old, new):
                properties.update(dict.fromkeys(_OUTPUTS, UNKNOWN))
        else:
            command = new.get("update")
            command = new.get("create") if command is None else command
            if command is not None:
                properties |= await _within(
                    request.timeout, self._run(resource_type(request.urn), command, properties, request.urn)
                )
        return sdk.UpdateResponse(wire_map(_kept(properties)))

    async def delete(self, request: sdk.DeleteRequest) -> None:
        properties = plain_map(request.properties)
        if resource_type(request.urn) in _COMMANDS:
            await _within(
                request.timeout,
                self._run(resource_type(request.urn), properties.get("delete"), properties, request.urn),
            )

    async def invoke(self, request: sdk.InvokeRequest) -> sdk.InvokeResponse:
        if request.tok != "command:local:run":
            msg = f"{request.tok}: the stand-in for pulumi-command knows one function, command:local:run."
            raise StandInError(msg)
        arguments = plain_map(request.args)
        outputs = await local.run(str(arguments["command"]), arguments, self._log, "")
        return sdk.InvokeResponse(wire_map({**arguments, **outputs}))

    async def cancel(self) -> None:
        """Nothing of its own: the plugin ends the operations under way."""

    async def _run(self, kind: str, command: str | None, properties: dict[str, Any], urn: str) -> dict[str, str]:
        if command is None:
            return dict.fromkeys(_OUTPUTS, "")
        if kind == "command:local:Command":
            return await local.run(command, properties, self._log, urn)
        from . import remote  # asyncssh takes a while to load, and a site without changes never needs it

        return await remote.run(command, properties, self._log, urn)

    async def _copy(self, properties: dict[str, Any], urn: str) -> None:
        from .copy import copy

        await copy(properties, self._log, urn)


def _known(kind: str) -> list[sdk.CheckFailure]:
    if kind in _COMMANDS or kind == _COPY:
        return []
    known = ", ".join(sorted({*_COMMANDS, _COPY}))
    return [sdk.CheckFailure("", f"{kind}: the stand-in for pulumi-command knows {known}.")]


def _decoded(kind: str, state: dict[str, Any]) -> None:
    """Raises StandInError where a state is that of another type."""
    if strange := [(key, struct) for key, struct in _FOREIGN.get(kind, {}).items() if state.get(key) is not None]:
        lines = (f"\t{key}: Unrecognized field '{key}' on '{struct}'" for key, struct in strange)
        msg = f"{len(strange)} failures decoding:\n" + "\n".join(lines)
        raise StandInError(msg)


def _kept(properties: dict[str, Any]) -> dict[str, Any]:
    """The properties as the state keeps them: how to reach a host is secret as a whole."""
    if properties.get("connection") is None:
        return properties
    return {**properties, "connection": Secret(properties["connection"])}


def _stale(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether a preview must hold back the last output: a known input changed. One that is merely new doesn't count."""
    return has_unknown(new) or any(not same(value, new.get(key)) for key, value in old.items() if key not in _OUTPUTS)


async def _within(timeout: float, work: Awaitable[_T]) -> _T:
    """`work` under the resource's custom timeout in seconds; 0 is none."""
    try:
        return await asyncio.wait_for(work, timeout or None)
    except TimeoutError as error:
        msg = f"context deadline exceeded: not done after {timeout:g} s (customTimeouts)"
        raise StandInError(msg) from error
