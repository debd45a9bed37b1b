"""A client of the API server for the few requests of a pass, with the pod's service account. Standard library only."""

import email.utils
import http.client
import json
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

REQUEST_SECONDS = 15
PAGE = 25
"""Objects a page: one can have 1.5 MB, and the pod's memory is limited."""
MOST_BYTES = 64 << 20
"""Largest answer that is read."""
NAMES_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class ApiError(Exception):
    """A request that failed; the text names it and says why. `status`: the answer's, 0 if none came."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class Account:
    """How the API server is reached: address, CA file, and the service account's token."""

    host: str
    port: int
    authority: str
    token: str


class Api:
    """Requests to one API server. `now` is its clock, which also stamps creations; the clock of this node may differ."""

    def __init__(self, account: Account, deadline: float) -> None:
        """`deadline`: on time.monotonic(); no request begins after it."""
        self._account, self._deadline = account, deadline
        self._tls = ssl.create_default_context(cafile=account.authority)
        self._connection: http.client.HTTPSConnection | None = None
        self.now = 0

    def list(self, *path: str, accept: str = "application/json", **query: str) -> Iterator[dict[str, Any]]:
        """The objects of a collection, page by page. Raises ApiError."""
        given: dict[str, str] = {**query, "limit": str(PAGE)}
        while True:
            page = self.request("GET", *path, query=given, accept=accept)
            yield from page["items"]
            if not (following := page.get("metadata", {}).get("continue")):
                return
            given["continue"] = following

    def request(
        self,
        method: str,
        *path: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        accept: str = "application/json",
    ) -> dict[str, Any]:
        """The answer of the API server. Each part of the path is quoted. Raises ApiError."""
        target = "/" + "/".join(quote(part, safe="") for part in path) + (f"?{urlencode(query)}" if query else "")
        what = f"{method} {target.partition('?')[0]}"
        if time.monotonic() > self._deadline:
            msg = f"{what}: the pass took too long and ends here; the next one continues"
            raise ApiError(msg)
        try:
            status, content = self._answer(method, target, body, accept)
            answer = json.loads(content)
        except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
            self._close()
            msg = f"{what}: {type(error).__name__}: {error}"
            raise ApiError(msg) from None
        if not isinstance(answer, dict) or status >= http.HTTPStatus.BAD_REQUEST:
            message = answer.get("message", "") if isinstance(answer, dict) else "the answer is no JSON object"
            msg = f"{what}: {status}: {message}"
            raise ApiError(msg, status)
        return answer

    def _answer(self, method: str, target: str, body: Mapping[str, Any] | None, accept: str) -> tuple[int, bytes]:
        headers = {
            "Authorization": f"Bearer {self._account.token}",
            "Accept": accept,
            "User-Agent": "multus-site-repair",
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._connection is None:
            self._connection = http.client.HTTPSConnection(
                self._account.host, self._account.port, timeout=REQUEST_SECONDS, context=self._tls
            )
        self._connection.request(method, target, None if body is None else json.dumps(body).encode(), headers)
        response = self._connection.getresponse()
        content = response.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            msg = f"the answer is larger than {MOST_BYTES} bytes"
            raise ValueError(msg)
        self.now = int(email.utils.parsedate_to_datetime(response.getheader("Date", "")).timestamp())
        return response.status, content

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
