"""What the mirror fetches from: web servers and registries (OCI distribution specification 1.1, "pull"), or another mirror in their place."""

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
"""Sums are of the file, not of a compressed form that a server may offer."""

_HOSTS = {"docker.io": "registry-1.docker.io"}
"""Registries whose API is at another host."""


class UnreachableError(MirrorError):
    """A server that does not answer at all."""


@dataclass(frozen=True)
class Name:
    """An image's full name, in parts."""

    registry: str
    repository: str
    reference: str
    """A digest where the name has one, else a tag."""

    @classmethod
    def parse(cls, text: str) -> "Name":
        """registry/repository[:tag][@digest]."""
        name, _, digest = text.partition("@")
        registry, _, rest = name.partition("/")
        repository, _, tag = rest.partition(":")
        return cls(registry, repository, digest or tag)


@dataclass
class Upstream:
    """A client for all of it. `files` and `registry` are another mirror's addresses, asked instead of everybody else."""

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
        """Where a file is really fetched."""
        return moved(self.files, url) if self.files else url

    def download(self, url: str, target: Path, sha256: str | None) -> str:
        """What is at a URL, to `target` once it is whole; cut off, it goes on where it ended. Its sha256. Raises MirrorError."""
        return self._to_file(url, {}, target, sha256)

    def digest(self, image: str) -> str:
        """The digest that an image's name leads to. Raises MirrorError."""
        return self.manifest(image)[0]

    def manifest(self, image: str, digest: str | None = None) -> tuple[str, bytes]:
        """A manifest or index of an image, by its name or by a digest of its repository: (digest, content). Raises MirrorError."""
        name = Name.parse(image)
        reference = digest or name.reference
        url = self._registry_url(name, f"manifests/{reference}")
        with self._answer(url, {"Accept": ", ".join(MANIFESTS)}, name) as answer:
            content = answer.read()
        found = f"sha256:{hashlib.sha256(content).hexdigest()}"
        if reference.startswith("sha256:") and found != reference:
            msg = f"{url}: what came has the digest {found}"
            raise MirrorError(msg)
        return found, content

    def blob(self, image: str, digest: str, target: Path) -> None:
        """A blob of an image's repository. Raises MirrorError."""
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
        # The sum is part of the name: half of another version is not gone on with.
        part = target.with_name(f".{target.name}.{(sha256 or 'unpinned')[:12]}.part")
        for again in range(TRIES):
            begun = part.stat().st_size if part.exists() else 0
            asked = {**headers, **({"Range": f"bytes={begun}-"} if begun else {})}
            try:
                with self._answer(url, asked, image) as answer, part.open("ab") as file:
                    if begun and answer.status_code != httpx.codes.PARTIAL_CONTENT:
                        file.truncate(0)
                    for chunk in answer.iter_raw():  # as it comes: what is cut off loses nothing that came
                        file.write(chunk)
                break
            except httpx.TransportError as error:
                if again == TRIES - 1:
                    msg = f"{url}: {error}; what came is kept, and the next run goes on from there"
                    raise MirrorError(msg) from None
                time.sleep(1 + again)
        with part.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if sha256 and found != sha256:
            part.unlink()
            msg = f"{url} has sha256 {found}, pinned is {sha256}; nothing was kept"
            raise MirrorError(msg)
        part.replace(target)
        return found

    @contextmanager
    def _answer(self, url: str, headers: dict[str, str], image: Name | None) -> Iterator[httpx.Response]:
        """The answer to GET, with a token for everybody where a registry wants one. Raises MirrorError for a refusal."""
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
                        msg = f"{url}: the server says {answer.status_code} {answer.reason_phrase}"
                        raise MirrorError(msg)
                    yield answer
                    return
        except httpx.ConnectError as error:
            msg = f"{url} cannot be reached: {error}"
            raise UnreachableError(msg) from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            msg = f"{url}: {error}; it is no address to fetch from"
            raise MirrorError(msg) from None
        if challenge is None:  # all of it is there already
            with self._answer(url, {k: v for k, v in headers.items() if k != "Range"}, image) as answer:
                yield answer
            return
        assert image is not None  # noqa: S101 # for mypy: a challenge is only taken up for an image
        self._tokens[(image.registry, image.repository)] = self._token(url, challenge)
        with self._answer(url, headers, image) as answer:
            yield answer

    def _token(self, url: str, challenge: str) -> str:
        """A token for everybody, from where the registry says (its WWW-Authenticate). Raises MirrorError."""
        said = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        if not challenge.startswith("Bearer") or "realm" not in said:
            msg = f"{url}: the registry lets nobody pull without a password; take the image from a mirror that has it (--registry-from)"
            raise MirrorError(msg)
        query = urllib.parse.urlencode({key: said[key] for key in ("service", "scope") if key in said})
        answer = self._client.get(f"{said['realm']}?{query}")
        if answer.is_error:
            msg = f"{said['realm']}: the server says {answer.status_code}, so {url} cannot be pulled"
            raise MirrorError(msg)
        content = json.loads(answer.content)
        return str(content.get("token") or content["access_token"])
