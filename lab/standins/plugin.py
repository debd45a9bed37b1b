"""A stand-in's process: the provider library's gRPC server, with what providers in daily use need besides.

The library's server (`pulumi.provider.experimental.server`) answers every failure with a traceback, has no way to
say "it exists, but is not healthy", forgets the old inputs and ignores the engine's wish to cancel. Here:

* `StandInError` reaches the user as its text alone; any other exception keeps its traceback, for it is a bug of ours.
* `InitFailed` keeps the half-made resource in the state, as the engine's protocol provides for.
* `wire_request()` gives a provider the request as it came, for the fields that the library does not pass on.
* Cancel ends the operations under way, and a provider whose engine died ends itself.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from typing import Any, NoReturn, TypeAlias

import grpc  # type: ignore[import-untyped] # grpcio ships no types
from google.protobuf import struct_pb2  # type: ignore[import-untyped] # protobuf ships no types
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import DiffRequest, Provider
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime import proto
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, provider_pb2_grpc, status_pb2

from .values import close_assets, open_assets, wire_map

_PARENT_POLL_SECONDS = 2.0
Message: TypeAlias = Any
"""A protobuf message, a gRPC context or status: generated, and without types."""
Handler: TypeAlias = Callable[[Any, Message, Message], Awaitable[Message]]
_REQUEST: ContextVar[Message] = ContextVar("request")


class StandInError(Exception):
    """A failure whose text is all that the user should see."""


class InitFailed(StandInError):
    """The resource exists and belongs in the state, but did not become healthy."""

    def __init__(
        self, resource_id: str, properties: dict[str, Any], inputs: dict[str, Any], reasons: Sequence[str]
    ) -> None:
        super().__init__("; ".join(reasons))
        self.resource_id = resource_id
        self.properties = properties
        self.inputs = inputs
        self.reasons = list(reasons)


def wire_request() -> Message:
    """The gRPC request that is being answered."""
    return _REQUEST.get()


def resource_type(urn: str) -> str:
    """The resource's own type. The library gives it with its parents' in front: `site:Node$command:local:Command`."""
    return urn.split("::")[2].rpartition("$")[2]


class EngineLog:
    """Lines for the engine to show beside a resource."""

    def __init__(self) -> None:
        self._stub: Any = None

    def connect(self, address: str) -> None:
        """Meet the engine at `address`, which is known only once the process has its arguments."""
        channel = grpc.aio.insecure_channel(address, options=_GRPC_CHANNEL_OPTIONS)
        self._stub = engine_pb2_grpc.EngineStub(channel)

    async def _say(self, severity: engine_pb2.LogSeverity.ValueType, text: str, urn: str, ephemeral: bool) -> None:
        if self._stub is not None:
            await self._stub.Log(
                engine_pb2.LogRequest(severity=severity, message=text, urn=urn, streamId=0, ephemeral=ephemeral)
            )

    async def info(self, text: str, urn: str = "") -> None:
        """A line that stays."""
        await self._say(engine_pb2.INFO, text, urn, False)

    async def status(self, text: str, urn: str) -> None:
        """A line that the next one replaces, where the display can do that."""
        await self._say(engine_pb2.INFO, text, urn, True)

    async def warning(self, text: str, urn: str) -> None:
        """A line that stays, marked as a warning."""
        await self._say(engine_pb2.WARNING, text, urn, False)

    async def error(self, text: str, urn: str) -> None:
        """A line that stays and makes the deployment fail."""
        await self._say(engine_pb2.ERROR, text, urn, False)


def _init_failed_status(error: InitFailed) -> Message:
    detail = provider_pb2.ErrorResourceInitFailed(
        id=error.resource_id,
        properties=_struct(error.properties),
        inputs=_struct(error.inputs),
        reasons=error.reasons,
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error))
    status.details.add().Pack(detail)
    answer = grpc.Status()
    answer.code, answer.details = grpc.StatusCode.UNKNOWN, str(error)
    answer.trailing_metadata = (("grpc-status-details-bin", status.SerializeToString()),)
    return answer


def _struct(properties: dict[str, Any]) -> struct_pb2.Struct:
    return PropertyValue.marshal_map(wire_map(properties))


class StandInServicer(ProviderServicer):
    """The library's servicer behind `_answer`, which carries failures and cancellation as this module says."""

    def __init__(self, args: list[str], version: str, provider: Provider, engine_address: str) -> None:
        super().__init__(args, version, provider, engine_address)
        self._running: set[asyncio.Task[Message]] = set()

    async def Cancel(self, request: Message, context: Message) -> Message:  # gRPC's own name
        for task in list(self._running):
            task.cancel()
        return await super().Cancel(request, context)  # type: ignore[no-untyped-call] # the library's servicer is untyped

    async def _answer(self, handler: Handler, request: Message, context: Message) -> Message:
        for name in ("properties", "inputs", "olds", "news", "oldInputs", "old_inputs"):
            if name in request.DESCRIPTOR.fields_by_name:
                open_assets(getattr(request, name))
        token = _REQUEST.set(request)
        task = asyncio.ensure_future(handler(self, request, context))
        _REQUEST.reset(token)
        self._running.add(task)
        try:
            answer = await task
        except asyncio.CancelledError:
            if not task.cancelled():
                task.cancel()
            await context.abort(grpc.StatusCode.CANCELLED, "the operation was cancelled")
        except Exception as error:
            await self._fail(error, context)
        finally:
            self._running.discard(task)
        for name in ("properties", "inputs"):
            if name in answer.DESCRIPTOR.fields_by_name:
                close_assets(getattr(answer, name))
        return answer

    @staticmethod
    async def _fail(error: Exception, context: Message) -> NoReturn:
        # The library's decorator raises a new exception whose text is a traceback; ours is the one that it was handling.
        cause = error if isinstance(error, StandInError) else error.__context__
        if isinstance(cause, InitFailed):
            await context.abort_with_status(_init_failed_status(cause))
        if isinstance(cause, StandInError):
            await context.abort(grpc.StatusCode.UNKNOWN, str(cause))
        raise error

    async def _diff_config(self, request: Message, _context: Message) -> Message:
        # The library's own DiffConfig reads an attribute that its PropertyDiff does not have.
        answer = await self._provider.diff_config(
            DiffRequest(
                request.urn,
                request.id,
                PropertyValue.unmarshal_map(request.olds),
                PropertyValue.unmarshal_map(request.news),
                list(request.ignoreChanges),
            )
        )
        changes = proto.DiffResponse.DIFF_SOME if answer.changes else proto.DiffResponse.DIFF_NONE
        return proto.DiffResponse(changes=changes, replaces=answer.replaces, diffs=answer.diffs)


def _answered(name: str) -> Handler:
    handler = StandInServicer._diff_config if name == "DiffConfig" else getattr(ProviderServicer, name)

    async def method(self: StandInServicer, request: Message, context: Message) -> Message:
        return await self._answer(handler, request, context)

    return method


for _name in (
    "CheckConfig",
    "DiffConfig",
    "Configure",
    "Check",
    "Diff",
    "Create",
    "Read",
    "Update",
    "Delete",
    "Invoke",
):
    setattr(StandInServicer, _name, _answered(_name))


async def _serve(provider: Provider, version: str, log: EngineLog, engine_address: str) -> None:
    log.connect(engine_address)
    server = grpc.aio.server(options=_GRPC_CHANNEL_OPTIONS)
    servicer = StandInServicer(sys.argv[1:], version, provider, engine_address)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    parent = os.getppid()
    while not stop.is_set() and os.getppid() == parent:
        try:
            await asyncio.wait_for(stop.wait(), _PARENT_POLL_SECONDS)
        except TimeoutError:
            continue
    running = list(servicer._running)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await server.stop(0)


def main(provider: Provider, version: str, log: EngineLog) -> None:
    """Be the plugin: print the port on stdout, serve until the engine is done."""
    addresses = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    if not addresses:
        sys.exit("This is a plugin of the pulumi CLI, which starts it with the address of its engine. Type: pulumi up")
    asyncio.run(_serve(provider, version, log, addresses[0]))
