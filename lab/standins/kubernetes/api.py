"""The Kubernetes API, as far as objects of any kind need it: find a kind, then get, create, apply, replace, delete."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote

import httpx

from ..plugin import StandInError
from .identity import Object
from .kubeconfig import Cluster

_CONNECT_SECONDS, _ANSWER_SECONDS = 10.0, 60.0


class ApiError(Exception):
    """The API server's refusal: `code` is HTTP's, `reason` Kubernetes' own word (`AlreadyExists`)."""

    def __init__(self, code: int, reason: str, message: str, details: Object | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.details = details or {}

    @property
    def namespace_missing(self) -> bool:
        """Whether it is the namespace that was not found, not the object."""
        return self.reason == "NotFound" and self.details.get("kind") == "namespaces"


class NoSuchKind(ApiError):
    """The server has no such kind: a CRD that is missing, or not established yet."""


class Unreachable(StandInError):
    """No answer from the API server."""


@dataclass(frozen=True)
class Kind:
    """What the server says of a kind: the word for it in a URL, and whether its objects live in namespaces."""

    api_version: str
    plural: str
    namespaced: bool

    def url(self, namespace: str | None, name: str | None = None) -> str:
        """The path of the collection, or of one object in it."""
        root = f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"
        if self.namespaced:
            root += f"/namespaces/{quote(namespace or 'default')}"
        return f"{root}/{self.plural}" + (f"/{quote(name, safe='')}" if name else "")


class Api:
    """One cluster's API, with a memory of its kinds."""

    def __init__(self, cluster: Cluster) -> None:
        self._server = cluster.server
        self._client = httpx.AsyncClient(
            base_url=cluster.server,
            verify=cluster.tls,
            headers=cluster.headers,
            timeout=httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS),
            trust_env=False,
        )
        self._kinds: dict[tuple[str, str], Kind] = {}

    async def kind(self, api_version: str, kind: str) -> Kind:
        """The kind's place in the API; raises NoSuchKind. What is missing is looked up again at the next call."""
        known = self._kinds.get((api_version, kind))
        if known:
            return known
        root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        try:
            listed = await self.call("GET", root)
        except ApiError as error:
            if error.code != httpx.codes.NOT_FOUND:
                raise
            listed = {}
        for item in listed.get("resources", []):
            if "/" not in item["name"]:
                self._kinds[api_version, item["kind"]] = Kind(api_version, item["name"], item["namespaced"])
        if (api_version, kind) not in self._kinds:
            msg = f'no matches for kind "{kind}" in version "{api_version}"'
            raise NoSuchKind(404, "NotFound", msg)
        return self._kinds[api_version, kind]

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: Object | list[Object] | None = None,
        content_type: str = "application/json",
    ) -> Object:
        """One request; the answer's document. Raises ApiError, or Unreachable."""
        try:
            answer = await self._client.request(
                method,
                path,
                params=query,
                content=None if body is None else json.dumps(body),
                headers={"Content-Type": content_type} if body is not None else None,
            )
        except httpx.HTTPError as error:
            msg = (
                f"configured Kubernetes cluster is unreachable: {self._server}: {error or type(error).__name__}. "
                "Is the API server up, and does the kubeconfig hold its certificate?"
            )
            raise Unreachable(msg) from error
        if answer.is_success:
            document: Object = answer.json()
            return document
        raise _refusal(answer)


def _refusal(answer: httpx.Response) -> ApiError:
    try:
        status = answer.json()
    except ValueError:
        status = {}
    message = status.get("message") or answer.text or answer.reason_phrase
    return ApiError(answer.status_code, str(status.get("reason", "")), message, status.get("details"))
