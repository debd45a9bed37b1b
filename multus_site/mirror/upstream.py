"""Download from web servers and registries (OCI distribution specification 1.1, "pull"), or from another mirror instead."""

import hashlib
import json
import re
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from multus_site.mirror.contents import MirrorError
from multus_site.mirror.registry import MANIFESTS
from multus_site.render.air_gap import moved

TRIES = 4
_AS_IT_IS = {"Accept-Encoding": "identity"}
"""Digests are of the file, not of a compressed transfer encoding."""

_HOSTS = {"docker.io": "registry-1.docker.io"}
"""Registry → the host of its API, if different."""


class UnreachableError(MirrorError):
    """A server does not answer."""


@dataclass(frozen=True)
class Name:
    """The parts of an image's full name."""

    registry: str
    repository: str
    reference: str
    """The digest if the name has one, else the tag."""

    @classmethod
    def parse(cls, text: str) -> "Name":
        """Parses registry/repository[:tag][@digest]."""
        name, _, digest = text.partition("@")
        registry, _, rest = name.partition("/")
        repository, _, tag = rest.partition(":")
        return cls(registry, repository, digest or tag)


@dataclass
class Upstream:
    """A client for files and images. `files`, `registry`: addresses of another mirror, which replaces all other servers."""

    files: str | None = None
    registry: str | None = None
    _client: httpx.Client = field(
        default_factory=lambda: httpx.Client(follow_redirects=True, timeout=30.0, headers=_AS_IT_IS), repr=False
    )
    _tokens: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._client.close()

    def address(self, url: str) -> str:
        """The URL that a file is downloaded from."""
        return moved(self.files, url) if self.files else url

    def download(self, url: str, target: Path, sha256: str | None) -> str:
        """Downloads a URL to `target`, resuming an interrupted download. Returns the sha256. Raises MirrorError."""
        return self._to_file(url, {}, target, sha256)

    def digest(self, image: str) -> str:
        """The digest of an image. Raises MirrorError."""
        return self.manifest(image)[0]

    def manifest(self, image: str, digest: str | None = None) -> tuple[str, bytes]:
        """Digest and content of an image's manifest or index, by its name or by a digest in its repository. Raises MirrorError."""
        name = Name.parse(image)
        reference = digest or name.reference
        url = self._registry_url(name, f"manifests/{reference}")
        with self._answer(url, {"Accept": ", ".join(MANIFESTS)}, name) as answer:
            content = answer.read()
        found = f"sha256:{hashlib.sha256(content).hexdigest()}"
        if reference.startswith("sha256:") and found != reference:
            msg = f"{url}: the content has the digest {found}"
            raise MirrorError(msg)
        return found, content

    def blob(self, image: str, digest: str, target: Path) -> None:
        """Downloads a blob of an image's repository. Raises MirrorError."""
        name = Name.parse(image)
        url = self._registry_url(name, f"blobs/{digest}")
        self._to_file(url, {}, target, digest.removeprefix("sha256:"), name)

    def _registry_url(self, name: Name, rest: str) -> str:
        if self.registry:
            return f"{self.registry}/v2/{name.repository}/{rest}?ns={name.registry}"
        return f"https://{_HOSTS.get(name.registry, name.registry)}/v2/{name.repository}/{rest}"

    def _to_file(
        self, url: str, headers: dict[str, str], target: Path, sha256: str | None, image: Name | None = None
    ) -> str:
        target.parent.mkdir(parents=True, exist_ok=True)
        # The name contains the digest, so that a partial download of another version is not resumed.
        part = target.with_name(f".{target.name}.{(sha256 or 'unpinned')[:12]}.part")
        for again in range(TRIES):
            begun = part.stat().st_size if part.exists() else 0
            asked = {**headers, **({"Range": f"bytes={begun}-"} if begun else {})}
            try:
                with self._answer(url, asked, image) as answer, part.open("ab") as file:
                    if begun and answer.status_code != httpx.codes.PARTIAL_CONTENT:
                        file.truncate(0)
                    for chunk in answer.iter_raw():  # unbuffered, so that an interruption loses nothing
                        file.write(chunk)
                break
            except httpx.TransportError as error:
                if again == TRIES - 1:
                    msg = f"{url}: {error}; the partial download is kept, and the next run resumes it"
                    raise MirrorError(msg) from None
                time.sleep(1 + again)
        with part.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if sha256 and found != sha256:
            part.unlink()
            msg = f"{url} has sha256 {found}, but {sha256} is pinned; the download was deleted"
            raise MirrorError(msg)
        part.replace(target)
        return found

    @contextmanager
    def _answer(self, url: str, headers: dict[str, str], image: Name | None) -> Iterator[httpx.Response]:
        """The answer to GET, with an anonymous token if a registry requires one. Raises MirrorError."""
        if image and (token := self._tokens.get((image.registry, image.repository))):
            headers = {**headers, "Authorization": f"Bearer {token}"}
        try:
            with self._client.stream("GET", url, headers=headers) as answer:
                if answer.status_code == httpx.codes.UNAUTHORIZED and image and "Authorization" not in headers:
                    challenge = answer.headers.get("WWW-Authenticate", "")
                elif answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and "Range" in headers:
                    challenge = None
                else:
                    if answer.is_error:
                        msg = f"{url}: the server answers {answer.status_code} {answer.reason_phrase}"
                        raise MirrorError(msg)
                    yield answer
                    return
        except httpx.ConnectError as error:
            msg = f"{url} cannot be reached: {error}"
            raise UnreachableError(msg) from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            msg = f"{url}: {error}; write an http or https URL"
            raise MirrorError(msg) from None
        if challenge is None:  # the partial file is complete
            with self._answer(url, {k: v for k, v in headers.items() if k != "Range"}, image) as answer:
                yield answer
            return
        assert image is not None  # noqa: S101 # for mypy: a challenge is only taken up for an image
        self._tokens[(image.registry, image.repository)] = self._token(url, challenge)
        with self._answer(url, headers, image) as answer:
            yield answer

    def _token(self, url: str, challenge: str) -> str:
        """An anonymous token, from the server in the registry's WWW-Authenticate. Raises MirrorError."""
        fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        if not challenge.startswith("Bearer") or "realm" not in fields:
            msg = f"{url}: the registry requires a password; get the image from a mirror that has it (--registry-from)"
            raise MirrorError(msg)
        query = urllib.parse.urlencode({key: fields[key] for key in ("service", "scope") if key in fields})
        answer = self._client.get(f"{fields['realm']}?{query}")
        if answer.is_error:
            msg = f"{fields['realm']}: the server answers {answer.status_code}, so {url} cannot be pulled"
            raise MirrorError(msg)
        content = json.loads(answer.content)
        return str(content.get("token") or content["access_token"])
