"""Making, changing and removing one object, as pulumi-kubernetes 4.34 does it (`provider/pkg/await/await.go`).

A create is a POST, so that an object of somebody else's is never taken over. The first update hands the fields that the
POST set to the resource's own field manager, then applies server-side; a conflict with another manager is an error.
"""

from __future__ import annotations

import asyncio

from ..plugin import EngineLog, StandInError
from .api import Api, ApiError, Kind, NoSuchKind
from .identity import Object, annotation, name, namespace
from .settings import Settings

CREATE_MANAGER = "pulumi-kubernetes"
_RETRIES_SECONDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
_APPLY, _JSON_PATCH = "application/apply-patch+yaml", "application/json-patch+json"
_EXISTS = (
    "The resource already exists in the cluster. Was it renamed in the program? Give it an alias. Is it somebody else's? "
    "Take another name, `pulumi import` it, or set upsertExistingObjects on the provider."
)


async def create(
    api: Api, wanted: Object, manager: str, settings: Settings, preview: bool, log: EngineLog, urn: str
) -> Object:
    """The object as the server made it, or would make it; waits a while for a kind or a namespace still in the making."""
    query = {"dryRun": "All"} if preview else {}
    for pause in (*_RETRIES_SECONDS, None):
        try:
            kind = await api.kind(wanted["apiVersion"], wanted["kind"])
            if settings.upsert:
                return await _apply(api, kind, wanted, manager, _forced(wanted, settings) or preview, query)
            path = kind.url(namespace(wanted))
            return await api.call("POST", path, query={**query, "fieldManager": CREATE_MANAGER}, body=wanted)
        except ApiError as error:
            if error.reason == "AlreadyExists" and not preview:
                msg = f"{error}\n\n{_EXISTS}"
                raise ApiError(error.code, error.reason, msg) from error
            if preview or pause is None or error.code != 404:
                raise
            await log.status(f"creation failed, trying again: {error}", urn)
            await asyncio.sleep(pause)
    raise AssertionError


async def update(api: Api, wanted: Object, manager: str, settings: Settings, preview: bool) -> Object:
    """The object as changed, or as it would be."""
    kind = await api.kind(wanted["apiVersion"], wanted["kind"])
    path = kind.url(namespace(wanted), name(wanted))
    live = await api.call("GET", path)
    query = {"dryRun": "All"} if preview else {}
    if wanted["kind"] == "CustomResourceDefinition":
        # As a whole: merged lists of versions are of no use to anybody.
        metadata = {**wanted["metadata"], "resourceVersion": live["metadata"]["resourceVersion"]}
        return await api.call(
            "PUT", path, query={**query, "fieldManager": manager}, body={**wanted, "metadata": metadata}
        )
    force = _forced(wanted, settings)
    if not preview:
        await _hand_over(api, path, live, manager)
    elif any(_by_create(entry) for entry in live["metadata"].get("managedFields") or []):
        force = True
    return await _apply(api, kind, wanted, manager, force, query)


async def delete(api: Api, item: Object) -> tuple[str, str] | None:
    """Ask for the object's deletion: (path, uid) to wait for, or None where it is gone already."""
    try:
        kind = await api.kind(item["apiVersion"], item["kind"])
        path = kind.url(namespace(item), name(item))
        live = await api.call("GET", path)
        policy = annotation(item, "pulumi.com/deletionPropagationPolicy").capitalize() or "Foreground"
        await api.call("DELETE", path, body={"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": policy})
    except NoSuchKind:
        return None
    except ApiError as error:
        if error.code == 404:
            return None
        raise
    return path, str(live["metadata"]["uid"])


def _forced(wanted: Object, settings: Settings) -> bool:
    return settings.patch_force or annotation(wanted, "pulumi.com/patchForce") == "true"


async def _apply(api: Api, kind: Kind, wanted: Object, manager: str, force: bool, query: dict[str, str]) -> Object:
    query = {**query, "fieldManager": manager, "force": str(force).lower()}
    path = kind.url(namespace(wanted), name(wanted))
    try:
        return await api.call("PATCH", path, query=query, body=wanted, content_type=_APPLY)
    except ApiError as error:
        if error.reason != "Conflict":
            raise
        msg = (
            f'server-side apply field conflict detected: the resource managed by field manager "{manager}" had an apply '
            f"conflict: {error}. Leave the field to its owner, or set the annotation pulumi.com/patchForce."
        )
        raise StandInError(msg) from error


def _by_create(entry: Object) -> bool:
    return entry["manager"] == CREATE_MANAGER and entry["operation"] == "Update" and not entry.get("subresource")


async def _hand_over(api: Api, path: str, live: Object, manager: str) -> None:
    """Make what the create set ours to apply, so that fields left out of an update go away."""
    entries = live["metadata"].get("managedFields") or []
    if not any(_by_create(entry) for entry in entries):
        return
    ours = [{**entry, "manager": manager, "operation": "Apply"} if _by_create(entry) else entry for entry in entries]
    await api.call(
        "PATCH",
        path,
        body=[
            {"op": "replace", "path": "/metadata/managedFields", "value": ours},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]},
        ],
        content_type=_JSON_PATCH,
    )
