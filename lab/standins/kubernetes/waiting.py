"""Waiting for an object to become ready or to go, and the causes when it does neither."""

from __future__ import annotations

import asyncio
import time

from ..plugin import EngineLog
from .api import Api, ApiError, Kind
from .identity import Object, annotation, name, namespace
from .readiness import Check, GaveUp

DEFAULT_SECONDS = 600.0
_FIRST_PAUSE, _PAUSE_GROWTH, _LONGEST_PAUSE = 0.1, 1.3, 1.0
_MOST_CAUSES = 10


class NotReady(Exception):
    """Time is up; `item` is the object as last seen."""

    def __init__(self, message: str, item: Object, causes: list[str]) -> None:
        super().__init__(message)
        self.item = item
        self.causes = causes


def patience(custom_timeout: float, item: Object) -> float:
    """Seconds to wait: customTimeouts, then the annotation `pulumi.com/timeoutSeconds`, then ten minutes."""
    noted = annotation(item, "pulumi.com/timeoutSeconds")
    return custom_timeout or (float(noted) if noted.isdigit() else DEFAULT_SECONDS)


async def until_ready(
    api: Api, kind: Kind, item: Object, check: Check, seconds: float, log: EngineLog, urn: str
) -> Object:
    """The object once `check` has nothing more to say of it; raises NotReady with the causes."""
    deadline, pause, told = time.monotonic() + seconds, _FIRST_PAUSE, ""
    path = kind.url(namespace(item), name(item))
    while True:
        try:
            why = check(item)
        except GaveUp as error:
            raise NotReady(str(error), item, await causes(api, item)) from error
        if why is None:
            return item
        if why != told:
            told = why
            await log.status(why, urn)
        if time.monotonic() + pause > deadline:
            found = await causes(api, item)
            msg = f"'{name(item)}' timed out waiting to be Ready: {why}"
            raise NotReady(msg, item, found)
        await asyncio.sleep(pause)
        pause = min(pause * _PAUSE_GROWTH, _LONGEST_PAUSE)
        try:
            item = await api.call("GET", path)
        except ApiError as error:
            if error.code != 404:
                raise
            msg = f"'{name(item)}' was deleted by somebody else while it was waited for"
            raise NotReady(msg, item, []) from error


async def until_gone(api: Api, path: str, uid: str, seconds: float) -> str | None:
    """None once the object with that uid is no more; else what still holds it when time is up."""
    deadline, pause = time.monotonic() + seconds, _FIRST_PAUSE
    while True:
        try:
            item = await api.call("GET", path)
        except ApiError as error:
            if error.code == 404:
                return None
            raise
        if item["metadata"]["uid"] != uid:
            return None
        if time.monotonic() + pause > deadline:
            finalizers = ", ".join(item["metadata"].get("finalizers") or []) or "none"
            return f"timed out after {seconds:g} s waiting for it to be deleted; its finalizers: {finalizers}"
        await asyncio.sleep(pause)
        pause = min(pause * _PAUSE_GROWTH, _LONGEST_PAUSE)


async def causes(api: Api, item: Object) -> list[str]:
    """What the object's pods and the warnings about them and it say, newest first."""
    space = namespace(item)
    if space is None:
        return []
    pods = await _pods(api, item)
    found = [f"[Pod {name(pod)}]: {text}" for pod in pods for text in _complaints(pod)]
    names = {name(item), *(name(pod) for pod in pods)}
    listed = await api.call("GET", f"/api/v1/namespaces/{space}/events", query={"fieldSelector": "type=Warning"})
    events = sorted(listed.get("items", []), key=_when, reverse=True)
    for event in events:
        about = event.get("involvedObject") or {}
        # A ReplicaSet is called after its Deployment, and it is the one who fails to make pods.
        ours = about.get("name") in names or str(about.get("name", "")).startswith(f"{name(item)}-")
        text = f"[{about.get('kind')} {about.get('name')}]: {event.get('reason')}: {event.get('message')}"
        if ours and text not in found:
            found.append(text)
    return found[:_MOST_CAUSES]


def _when(event: Object) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")


async def _pods(api: Api, item: Object) -> list[Object]:
    if item.get("kind") == "Pod":
        return [item]
    labels = ((item.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
    if not labels:
        return []
    selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    listed = await api.call("GET", f"/api/v1/namespaces/{namespace(item)}/pods", query={"labelSelector": selector})
    return list(listed.get("items", []))


def _complaints(pod: Object) -> list[str]:
    status = pod.get("status") or {}
    found = [
        f"{entry.get('type')} is false: {entry.get('reason')}: {entry.get('message')}"
        for entry in status.get("conditions") or []
        if entry.get("status") == "False" and entry.get("type") == "PodScheduled"
    ]
    for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason"):
            found.append(f"container {container.get('name')}: {waiting['reason']}: {waiting.get('message', '')}")
    return found
