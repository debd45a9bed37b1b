"""The provider's dealings with one cluster: the API server's refusals in the user's words."""

from __future__ import annotations

from ..plugin import EngineLog, StandInError
from . import objects
from .api import Api, ApiError, NoSuchKind, Unreachable
from .identity import Object, annotation, identifier, name, namespace
from .kubeconfig import cluster, load
from .readiness import KINDS, SKIP, check_for
from .settings import Settings
from .waiting import causes, patience, until_gone, until_ready

_FALLS_BACK = ("Forbidden", "AlreadyExists")


class Session:
    """One configured provider's connection; opening it loads the kubeconfig, but asks nothing of the server yet."""

    def __init__(self, given: Settings, log: EngineLog) -> None:
        self._settings = given
        self._log = log
        target = cluster(load(self._settings), self._settings)
        self._namespace = self._settings.namespace or target.namespace
        self._api = Api(target)

    async def default_namespace(self, wanted: Object) -> str | None:
        """The provider's namespace for an object that names none, if its kind lives in namespaces."""
        try:
            kind = await self._api.kind(wanted["apiVersion"], wanted["kind"])
        except (NoSuchKind, Unreachable):
            return self._namespace
        return self._namespace if kind.namespaced else None

    async def knows(self, wanted: Object) -> bool:
        """Whether the server has the kind; no if it can't be asked, which is for the real operation to say."""
        try:
            await self._api.kind(wanted["apiVersion"], wanted["kind"])
        except (NoSuchKind, Unreachable):
            return False
        return True

    async def create(self, wanted: Object, manager: str, preview: bool, urn: str) -> Object | None:
        """The new object; None where a preview can't know: something that it needs is not there yet, or is to be replaced."""
        try:
            return await objects.create(self._api, wanted, manager, self._settings, preview, self._log, urn)
        except NoSuchKind as error:
            msg = (
                f'creation of resource "{urn}" with kind {wanted["apiVersion"]}/{wanted["kind"]} failed because the '
                "Kubernetes API server reported that the apiVersion for this resource does not exist. "
                f"Verify that any required CRDs have been created: {error}"
            )
            raise StandInError(msg) from error
        except ApiError as error:
            if preview and (error.namespace_missing or error.reason in _FALLS_BACK):
                return None
            msg = f'resource "{urn}" was not successfully created by the Kubernetes API server: {error}'
            raise StandInError(msg) from error

    async def update(self, wanted: Object, manager: str, preview: bool, urn: str) -> Object | None:
        """The changed object; None where a preview may not ask."""
        try:
            return await objects.update(self._api, wanted, manager, self._settings, preview)
        except ApiError as error:
            if preview and error.reason == "Forbidden":
                return None
            msg = f'update of resource "{urn}" failed: {error}'
            raise StandInError(msg) from error

    async def read(self, asked: Object) -> Object | None:
        """The object as it is, or None."""
        try:
            kind = await self._api.kind(asked["apiVersion"], asked["kind"])
            return await self._api.call("GET", kind.url(namespace(asked), name(asked)))
        except ApiError as error:
            if error.code == 404:
                return None
            msg = f"{asked['kind']} {identifier(asked)} could not be read: {error}"
            raise StandInError(msg) from error

    async def delete(self, item: Object, timeout: float, urn: str) -> None:
        """Delete the object and see it gone."""
        try:
            asked = await objects.delete(self._api, item)
            if asked is None or (annotation(item, SKIP) == "true" and _legacy(item)):
                return
            stuck = await until_gone(self._api, *asked, patience(timeout, item))
        except Unreachable as error:
            if self._settings.delete_unreachable:
                await self._log.warning(f"{error} deleteUnreachable is set: it is only dropped from the state", urn)
                return
            msg = f"{error} If the cluster is gone for good, set PULUMI_K8S_DELETE_UNREACHABLE=true and run again."
            raise StandInError(msg) from error
        except ApiError as error:
            msg = f"{item['kind']} {identifier(item)} was not deleted: {error}"
            raise StandInError(msg) from error
        if stuck:
            msg = f"{item['kind']} {identifier(item)}: {stuck}"
            raise StandInError(msg)

    async def ready(self, live: Object, timeout: float, urn: str) -> Object:
        """The object once it is ready by its kind's rules or its annotation; raises waiting.NotReady."""
        check = check_for(live)
        if check is None:
            return live
        kind = await self._api.kind(live["apiVersion"], live["kind"])
        return await until_ready(self._api, kind, live, check, patience(timeout, live), self._log, urn)

    async def unready(self, live: Object) -> list[str]:
        """Why an object that exists is not healthy now; empty if it is, or if its kind has no such notion."""
        check = KINDS.get((live["apiVersion"], live["kind"]))
        if check is None or annotation(live, SKIP) == "true":
            return []
        try:
            why = check(live)
        except StandInError as error:
            why = str(error)
        if why is None:
            return []
        text = f"Resource '{name(live)}' was created but failed to initialize: {why}"
        return [text, *await causes(self._api, live)]


def _legacy(item: Object) -> bool:
    """Kinds whose skipAwait the real provider extends to their deletion (its issues 1232, 3154)."""
    return (item["apiVersion"], item["kind"]) in {*KINDS, ("v1", "Namespace")}
