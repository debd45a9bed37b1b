"""Comments of pull requests on GitHub and of merge requests on GitLab, over their APIs."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

SECONDS = 30
PER_PAGE = 100


class NoRequestError(ValueError):
    """The pipeline does not run for a pull request, or a variable is missing."""


class RefusedError(Exception):
    """The service refused the request."""


class Service(Protocol):
    """The comments of a request. Only the service interprets the id of a comment."""

    longest: int
    """Maximum number of characters of a comment."""

    def own(self) -> Iterator[tuple[str, str]]:
        """Id and text of each comment that can be ours. Raises RefusedError."""

    def create(self, text: str) -> None:
        """Creates a comment. Raises RefusedError."""

    def edit(self, comment: str, text: str) -> None:
        """Replaces the text of a comment. Raises RefusedError."""


def publish(service: Service, text: str, key: str) -> str:
    """Creates or edits the comment of a key. Returns what it did, in words. Raises RefusedError."""
    mark = f"<!-- multus-site {key} -->"
    there = next((own for own in service.own() if own[1].startswith(mark)), None)
    if not text.strip():
        if there is None:
            return "nothing to say"
        text = "This no longer changes any site."
    whole = f"{mark}\n{shortened(text, service.longest - len(mark) - 1)}"
    if there is None:
        service.create(whole)
        return "commented"
    if there[1] == whole:
        return "the comment is as it was"
    service.edit(there[0], whole)
    return "comment edited"


_SITE = re.compile(r"^(?=<!-- multus-site review of )", re.MULTILINE)
"""The start of a site's review (multus_site/review/markdown.py)."""

_DIAGRAM = re.compile(r"\n*<details>.*?</details>\n?", re.DOTALL)
_REST = "\n\n_This is too long for a comment. All of it is in the log of the pipeline._\n"


def shortened(text: str, longest: int) -> str:
    """Shortens the text if needed: first drops diagrams, then keeps as many first lines of each site as fit.

    A review starts with the dangers, so those of every site are kept. Open code blocks are closed.
    """
    if len(text) <= longest:
        return text
    sites = [_DIAGRAM.sub("\n", site) for site in _SITE.split(text) if site]
    left = longest - len(_REST)
    kept: dict[int, str] = {}
    # Short reviews leave room for long ones.
    for i in sorted(range(len(sites)), key=lambda i: len(sites[i])):
        kept[i] = _cut(sites[i], left // (len(sites) - len(kept)))
        left -= len(kept[i])
    return "".join(kept[i] for i in range(len(sites))).rstrip("\n") + _REST


def _cut(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    lines = text[: max(longest - len("\n```\n…\n\n"), 0)].splitlines(keepends=True)[:-1]
    fences = sum(line.lstrip().startswith("```") for line in lines)
    return "".join(lines).rstrip("\n") + ("\n```" if fences % 2 else "") + "\n…\n\n"


def service(variables: Mapping[str, str]) -> Service:
    """The service that runs this pipeline. Raises NoRequestError."""
    if variables.get("GITHUB_ACTIONS") == "true":
        number = re.fullmatch(r"refs/pull/(\d+)/.*", variables.get("GITHUB_REF", ""))
        if number is None:
            msg = "GITHUB_REF is not a pull request; run this in a workflow `on: pull_request`"
            raise NoRequestError(msg)
        at = f"{_needed(variables, 'GITHUB_API_URL')}/repos/{_needed(variables, 'GITHUB_REPOSITORY')}/issues"
        return GitHub(_client("Authorization", f"Bearer {_needed(variables, 'GITHUB_TOKEN')}"), at, number[1])
    if variables.get("GITLAB_CI") == "true":
        if not variables.get("CI_MERGE_REQUEST_IID"):
            msg = "CI_MERGE_REQUEST_IID is not set; run this in a job of a merge request's pipeline"
            raise NoRequestError(msg)
        token = _needed(variables, "GITLAB_TOKEN")
        project, request = _needed(variables, "CI_PROJECT_ID"), variables["CI_MERGE_REQUEST_IID"]
        return GitLab(_client("PRIVATE-TOKEN", token), _needed(variables, "CI_API_V4_URL"), project, request)
    msg = "this is not a pipeline of GitHub or GitLab (GITHUB_ACTIONS, GITLAB_CI); on a terminal, read the text itself"
    raise NoRequestError(msg)


@dataclass(frozen=True)
class GitHub:
    """A pull request. Its comments are those of the issue with its number."""

    client: httpx.Client
    issues: str
    number: str
    longest = 65_536

    def own(self) -> Iterator[tuple[str, str]]:
        """Comments of bots: a workflow's token is a bot, and a person could write our mark."""
        for comment in _pages(self.client, f"{self.issues}/{self.number}/comments"):
            if comment["user"]["type"] == "Bot":
                yield str(comment["id"]), _lines(comment["body"])

    def create(self, text: str) -> None:
        """Creates a comment."""
        _asked(self.client, "POST", f"{self.issues}/{self.number}/comments", text)

    def edit(self, comment: str, text: str) -> None:
        """Replaces the text of a comment."""
        _asked(self.client, "PATCH", f"{self.issues}/comments/{comment}", text)


@dataclass(frozen=True)
class GitLab:
    """A merge request; its comments are notes."""

    client: httpx.Client
    api: str
    project: str
    request: str
    longest = 1_000_000

    @property
    def _notes(self) -> str:
        return f"{self.api}/projects/{self.project}/merge_requests/{self.request}/notes"

    def own(self) -> Iterator[tuple[str, str]]:
        """Notes of the token's user."""
        user = _asked(self.client, "GET", f"{self.api}/user")["id"]
        for note in _pages(self.client, self._notes):
            if note["author"]["id"] == user:
                yield str(note["id"]), _lines(note["body"])

    def create(self, text: str) -> None:
        """Creates a note."""
        _asked(self.client, "POST", self._notes, text)

    def edit(self, comment: str, text: str) -> None:
        """Replaces the text of a note."""
        _asked(self.client, "PUT", f"{self._notes}/{comment}", text)


def _needed(variables: Mapping[str, str], name: str) -> str:
    value = variables.get(name, "")
    if not value:
        msg = f"{name} is not set; pass it to this step of the pipeline"
        raise NoRequestError(msg)
    return value


def _client(header: str, value: str) -> httpx.Client:
    return httpx.Client(headers={header: value}, timeout=SECONDS, transport=httpx.HTTPTransport(retries=2))


def _pages(client: httpx.Client, address: str) -> Iterator[Any]:
    for page in range(1, 1000):
        found = _asked(client, "GET", f"{address}?per_page={PER_PAGE}&page={page}")
        yield from found
        if len(found) < PER_PAGE:
            return


def _asked(client: httpx.Client, method: str, address: str, text: str | None = None) -> Any:  # noqa: ANN401 - JSON
    """The service's answer. Raises RefusedError, whose message never contains the token."""
    try:
        answer = client.request(method, address, json=None if text is None else {"body": text})
    except httpx.HTTPError as error:
        msg = f"{method} {address}: {error}"
        raise RefusedError(msg) from None
    if answer.is_error:
        hint = " The token needs write access to pull requests." if answer.status_code in (401, 403, 404) else ""
        msg = f"{method} {address}: {answer.status_code} {answer.text[:200]}.{hint}"
        raise RefusedError(msg)
    return answer.json()


def _lines(text: str | None) -> str:
    """Normalizes line ends: a service can return CRLF."""
    return (text or "").replace("\r\n", "\n")
