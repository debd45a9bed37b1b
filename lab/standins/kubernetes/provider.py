"""The provider: what it checks, what it calls a change, and what ends up in the state."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pulumi.provider.experimental import provider as sdk
from pulumi.provider.experimental.property_value import PropertyValue

from ..differences import changes, detailed, same
from ..plugin import EngineLog, InitFailed, StandInError, wire_request
from ..values import UNKNOWN, Plain, has_unknown, plain_map, wire_map
from . import identity
from .identity import Object
from .immutable import replaces
from .settings import Settings, settings

if TYPE_CHECKING:
    from .session import Session

VERSION = "4.34.2"
_CLUSTER_KEYS = ("kubeconfig", "context", "cluster")


class KubernetesProvider(sdk.Provider):
    """`kubernetes:<group>/<version>:<Kind>`."""

    def __init__(self, log: EngineLog) -> None:
        self._log = log
        self._settings = settings({})
        self._opened: Session | None = None

    async def get_schema(self, request: sdk.GetSchemaRequest) -> sdk.GetSchemaResponse:  # noqa: ARG002 # fixed signature
        return sdk.GetSchemaResponse(f'{{"name": "kubernetes", "version": "{VERSION}"}}')

    async def check_config(self, request: sdk.CheckRequest) -> sdk.CheckResponse:
        given, failures = plain_map(request.new_inputs), []
        if str(given.get("enableServerSideApply", True)).lower() == "false":
            failures.append(
                sdk.CheckFailure("enableServerSideApply", "the stand-in applies server-side only; leave it out")
            )
        for key in ("renderYamlToDirectory", "alwaysRender", "skipUpdateUnreachable"):
            if given.get(key):
                failures.append(sdk.CheckFailure(key, "the stand-in talks to clusters only; leave it out"))
        return sdk.CheckResponse(request.new_inputs, failures)

    async def diff_config(self, request: sdk.DiffRequest) -> sdk.DiffResponse:
        old, new = plain_map(request.old_state), plain_map(request.new_inputs)
        found = sorted(key for key in {*old, *new} if not same(old.get(key), new.get(key)))
        replacing: list[str] = []
        before, after = old.get("clusterIdentifier"), new.get("clusterIdentifier")
        if before and after and before != after:
            replacing.append("clusterIdentifier")
        if not (before and before == after):
            # Without a name of the cluster's own, only the address in the kubeconfig can tell whether it is another one.
            unknown = [key for key in _CLUSTER_KEYS if new.get(key) == UNKNOWN]
            replacing += unknown or [key for key in _CLUSTER_KEYS if key in found and _elsewhere(old, new)]
        return sdk.DiffResponse(changes=bool(found), replaces=replacing, diffs=found)

    async def configure(self, request: sdk.ConfigureRequest) -> sdk.ConfigureResponse:
        await self._log.info(f"stand-in for pulumi-kubernetes {VERSION} (multus-site, lab/standins)")
        self._settings = settings(plain_map(request.args))
        return sdk.ConfigureResponse(supports_preview=True)

    def _session(self) -> Session:
        # HTTP, TLS and YAML take a while to load, and an `up` without changes needs none of them.
        if self._opened is None:
            from .session import Session

            self._opened = Session(self._settings, self._log)
        return self._opened

    async def check(self, request: sdk.CheckRequest) -> sdk.CheckResponse:
        wanted = identity.to_object(plain_map(request.new_inputs), request.urn)
        metadata = wanted.get("metadata") or {}
        if metadata == UNKNOWN or not isinstance(metadata, dict):
            return sdk.CheckResponse(wire_map(identity.to_inputs(wanted)))
        wanted["metadata"] = metadata = dict(metadata)
        failures = []
        if metadata.get("generateName"):
            failures.append(
                sdk.CheckFailure(
                    "metadata.generateName", "not supported in Server-Side Apply mode; give a name, or none"
                )
            )
        if not metadata.get("name"):
            old = plain_map(request.old_inputs)
            metadata["name"] = self._name(request.name, old)
            metadata["annotations"] = {**(metadata.get("annotations") or {}), identity.AUTONAMED: "true"}
        if not metadata.get("namespace"):
            space = await self._session().default_namespace(wanted) if self._settings.may_name_a_namespace else None
            if space:
                metadata["namespace"] = space
        return sdk.CheckResponse(wire_map(identity.to_inputs(wanted)), failures)

    @staticmethod
    def _name(logical: str, old: dict[str, Plain]) -> str:
        if identity.annotation(old, identity.AUTONAMED) == "true":
            return identity.name(old)
        proposal = wire_request().autonaming
        if proposal.mode == proposal.DISABLE:
            msg = "autonaming is disabled (pulumi:autonaming). Give the object a metadata.name."
            raise StandInError(msg)
        return str(proposal.proposed_name) or identity.new_name(logical)

    async def diff(self, request: sdk.DiffRequest) -> sdk.DiffResponse:
        state = plain_map(request.old_state)
        new = identity.to_object(plain_map(request.new_inputs), request.urn)
        old = _old_inputs(state, request.urn)
        live_space = identity.namespace(state)
        for side in (old, new):
            # The API's own default is no change, and a kind without namespaces has none whatever the program says.
            space = (identity.namespace(side) or "default") if live_space else None
            side["metadata"] = {**(side.get("metadata") or {}), "namespace": space}
        ignored = tuple(request.ignore_changes)
        found = [(path, kind) for path, kind in changes(old, new) if not path.startswith(ignored or ("\0",))]
        replacing = {path for path, _ in found if replaces(new, path, self._settings.mutable)}
        keeps_name = identity.annotation(new, identity.AUTONAMED) != "true" and _place(new) == _place(old)
        return sdk.DiffResponse(
            changes=bool(found),
            replaces=sorted(replacing),
            delete_before_replace=bool(replacing) and keeps_name,
            detailed_diff=detailed(found, replacing),
        )

    async def create(self, request: sdk.CreateRequest) -> sdk.CreateResponse:
        given = plain_map(request.properties)
        wanted = identity.to_object(given, request.urn)
        session = self._session()
        if request.preview and (has_unknown(wanted) or not await session.knows(wanted)):
            return sdk.CreateResponse(None, request.properties)
        manager = identity.annotation(wanted, "pulumi.com/patchFieldManager") or identity.new_manager()
        live = await session.create(wanted, manager, request.preview, request.urn)
        if live is None:
            return sdk.CreateResponse(None, request.properties)
        if request.preview:
            live.pop("status", None)
            return sdk.CreateResponse(
                None, wire_map(identity.to_properties(live, wanted, manager, wanted["apiVersion"]))
            )
        live = await self._awaited(live, wanted, manager, given, request.timeout, request.urn, created=True)
        properties = identity.to_properties(live, wanted, manager, wanted["apiVersion"])
        return sdk.CreateResponse(identity.identifier(live), wire_map(properties))

    async def update(self, request: sdk.UpdateRequest) -> sdk.UpdateResponse:
        state, given = plain_map(request.olds), plain_map(request.news)
        wanted = identity.to_object(given, request.urn)
        session = self._session()
        if request.preview and (has_unknown(wanted) or not await session.knows(wanted)):
            return sdk.UpdateResponse(request.news)
        noted = identity.annotation(wanted, "pulumi.com/patchFieldManager")
        manager = noted or str(state.get(identity.FIELD_MANAGER) or identity.new_manager())
        version = str(state.get(identity.INITIAL_VERSION) or wanted["apiVersion"])
        live = await session.update(wanted, manager, request.preview, request.urn)
        if live is None:
            return sdk.UpdateResponse(request.news)
        if not request.preview:
            live = await self._awaited(live, wanted, manager, given, request.timeout, request.urn, created=False)
        return sdk.UpdateResponse(wire_map(identity.to_properties(live, wanted, manager, version)))

    async def delete(self, request: sdk.DeleteRequest) -> None:
        state = plain_map(request.properties)
        item = identity.to_object(state, request.urn)
        await self._session().delete(item, request.timeout, request.urn)

    async def read(self, request: sdk.ReadRequest) -> sdk.ReadResponse:
        state, inputs = plain_map(request.properties), plain_map(request.inputs)
        space, _, name = request.resource_id.rpartition("/")
        asked = identity.to_object(inputs or state, request.urn)
        asked["metadata"] = {**(asked.get("metadata") or {}), "name": name} | ({"namespace": space} if space else {})
        live = await self._session().read(asked)
        if live is None:
            return sdk.ReadResponse()
        before = identity.to_object(state, request.urn)
        seen = _seen(asked, before, live) if inputs else _imported(live)
        manager = str(state.get(identity.FIELD_MANAGER) or identity.new_manager())
        version = str(state.get(identity.INITIAL_VERSION) or live["apiVersion"])
        properties = identity.to_properties(live, seen, manager, version)
        shown = identity.to_inputs(seen)
        why = await self._session().unready(live) if inputs else []
        if why:
            raise InitFailed(request.resource_id, properties, shown, why)
        return sdk.ReadResponse(request.resource_id, wire_map(properties), wire_map(shown))

    async def cancel(self) -> None:
        """Nothing of its own: the plugin ends the operations under way."""

    async def _awaited(
        self,
        live: Object,
        wanted: Object,
        manager: str,
        given: dict[str, Plain],
        timeout: float,
        urn: str,
        *,
        created: bool,
    ) -> Object:
        """The object once ready. If it doesn't become so, it is kept in the state, with what is known of the cause."""
        from .waiting import NotReady

        try:
            return await self._session().ready(live, timeout, urn)
        except asyncio.CancelledError:
            failure = NotReady(f"Resource operation was cancelled for {identity.name(live)!r}", live, [])
        except NotReady as error:
            failure = error
        state = identity.to_properties(failure.item, wanted, manager, wanted["apiVersion"])
        how = f'resource "{urn}" was successfully created, but the' if created else "the"
        shown = identity.identifier(live)
        what = "it" if created else f'"{shown}"'
        text = f"{how} Kubernetes API server reported that {what} failed to fully initialize or become live: {failure}"
        raise InitFailed(shown, state, given, [text, *failure.causes])


def _elsewhere(old: Mapping[str, Plain], new: Mapping[str, Plain]) -> bool:
    from .kubeconfig import load, stanza

    def address(given: Settings) -> Object:
        return stanza(load(given), given)

    before, after = address(settings(dict(old))), address(settings(dict(new)))
    return bool(before and after and before != after)


def _old_inputs(state: dict[str, Plain], urn: str) -> Object:
    request = wire_request()
    sent = plain_map(PropertyValue.unmarshal_map(request.old_inputs))
    return identity.to_object(sent or state.get(identity.INPUTS) or {}, urn)


def _place(item: Object) -> tuple[str, str | None]:
    return identity.name(item), identity.namespace(item)


def _seen(inputs: Plain, before: Plain, live: Plain) -> Plain:
    """The inputs with what the cluster has made of them since: a value that the server spelt its own way is no drift."""
    if isinstance(inputs, Mapping) and isinstance(live, Mapping):
        was = before if isinstance(before, Mapping) else {}
        found = {}
        for key, value in inputs.items():
            if key in live:
                found[key] = _seen(value, was.get(key), live[key])
            elif key not in was:
                found[key] = value  # write-only: a Secret's stringData
        return found
    if same(before, live):
        return inputs
    return live


def _imported(live: Object) -> Object:
    seen = copy.deepcopy(identity.to_object(live, "::::kubernetes:core/v1:Imported::"))
    seen.pop("status", None)
    return seen
