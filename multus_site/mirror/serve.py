"""`python -m multus_site.mirror.serve files|registry FOLDER ADDRESS PORT`: serve a folder of a mirror, read-only.

The registry implements pulls (OCI distribution specification 1.1, "pull"). Requests are logged on stderr, one line each. SIGTERM stops it.
"""

from __future__ import annotations

import re
import shutil
import signal
import sys
import threading
import urllib.parse
from abc import ABC, abstractmethod
from contextlib import ExitStack, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader
from pathlib import Path
from socket import socket
from types import FrameType
from typing import cast

from multus_site.mirror.contents import MirrorError
from multus_site.mirror.registry import INDEX, blob, manifests, names

CONNECTIONS = 64
"""Maximum number of connections at a time; others wait."""

IDLE = 60.0
"""Seconds after which an idle connection is closed."""

TLS_HANDSHAKE = b"\x16"

_MANIFESTS = re.compile(r"/v2/(?P<name>.+)/manifests/(?P<reference>[^/]+)")
_BLOBS = re.compile(r"/v2/.+/blobs/sha256:(?P<digest>[0-9a-f]{64})")


class Answer(ABC, BaseHTTPRequestHandler):
    """Answers GET and HEAD requests with a file."""

    protocol_version = "HTTP/1.1"
    server_version = "multus-site"
    sys_version = ""
    timeout = IDLE

    def handle_one_request(self) -> None:
        """Answers a TLS handshake with an HTTP error, after which containerd retries without TLS."""
        try:
            first = cast("BufferedReader", self.rfile).peek(1)[:1]
        except TimeoutError:  # silent for too long
            self.close_connection = True
            return
        if first == TLS_HANDSHAKE:
            self.wfile.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            self.close_connection = True
            return
        super().handle_one_request()

    def do_GET(self) -> None:
        """Sends headers and content."""
        self._respond(body=True)

    def do_HEAD(self) -> None:
        """Sends only the headers."""
        self._respond(body=False)

    def _respond(self, *, body: bool) -> None:
        address = urllib.parse.urlsplit(self.path)
        # containerd adds the image's registry to every request to a mirror.
        namespace = urllib.parse.parse_qs(address.query).get("ns", [""])[0]
        try:
            found = self.find(urllib.parse.unquote(address.path), namespace)
        except (OSError, KeyError, ValueError):  # no such file, no such tag, no file name at all
            found = None
        if found is None:
            self.send_error(HTTPStatus.NOT_FOUND, "The mirror does not have this")
            return
        file, headers = found
        with file.open("rb") as content:
            size = file.stat().st_size
            first = self._first_byte(size)
            self.send_response(HTTPStatus.PARTIAL_CONTENT if first else HTTPStatus.OK)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Accept-Ranges", "bytes")
            if first:
                self.send_header("Content-Range", f"bytes {first}-{size - 1}/{size}")
            self.send_header("Content-Length", str(size - first))
            self.end_headers()
            if body:
                content.seek(first)
                shutil.copyfileobj(content, self.wfile, 1 << 20)

    def _first_byte(self, size: int) -> int:
        """The offset in `Range: bytes=N-` of a resumed download. Other ranges get the whole file (RFC 9110, 14.2)."""
        requested = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        first = int(requested[1]) if requested else 0
        return first if first < size else 0

    @abstractmethod
    def find(self, path: str, namespace: str) -> tuple[Path, dict[str, str]] | None:
        """The file for a path, and its headers; None if there is none."""


def files(folder: Path) -> type[Answer]:
    """Answers with the files under `folder`."""
    root = folder.resolve()

    class Files(Answer):
        def find(self, path: str, namespace: str) -> tuple[Path, dict[str, str]] | None:  # noqa: ARG002 # the base's
            file = (root / path.lstrip("/")).resolve()
            if not file.is_relative_to(root) or not file.is_file():
                return None
            # pip only reads HTML pages.
            kind = "text/html; charset=utf-8" if file.suffix == ".html" else "application/octet-stream"
            return file, {"Content-Type": kind}

    return Files


def registry(folder: Path) -> type[Answer]:
    """Answers with the images in `folder`, by their names with or without the registry."""
    tags = names(folder)
    anywhere = {name.split("/", 1)[1]: digest for name, digest in tags.items()}
    known = manifests(folder)

    def digest_of(name: str, reference: str, namespace: str) -> str:
        """The digest of an image. Raises KeyError if it is unknown."""
        if ":" in reference:
            return reference
        if namespace and (digest := tags.get(f"{namespace}/{name}:{reference}")):
            return digest
        return tags.get(f"{name}:{reference}") or anywhere[f"{name}:{reference}"]

    class Images(Answer):
        def find(self, path: str, namespace: str) -> tuple[Path, dict[str, str]] | None:
            if path in ("/v2", "/v2/"):
                headers = {"Content-Type": "application/json", "Docker-Distribution-API-Version": "registry/2.0"}
                return folder / INDEX, headers
            if manifest := _MANIFESTS.fullmatch(path):
                digest = digest_of(manifest["name"], manifest["reference"], namespace)
                return blob(folder, digest), {"Content-Type": known[digest], "Docker-Content-Digest": digest}
            if content := _BLOBS.fullmatch(path):
                file = blob(folder, content["digest"])
                headers = {
                    "Content-Type": "application/octet-stream",
                    "Docker-Content-Digest": f"sha256:{content['digest']}",
                }
                return (file, headers) if file.is_file() else None
            return None

    return Images


class Server(ThreadingHTTPServer):
    """One thread per connection, at most CONNECTIONS."""

    daemon_threads = True
    request_queue_size = CONNECTIONS

    def __init__(self, address: tuple[str, int], answer: type[Answer]) -> None:
        super().__init__(address, answer)
        self._free = threading.BoundedSemaphore(CONNECTIONS)

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: object) -> None:
        """Ignores clients that disconnect."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def process_request(self, request: socket | tuple[bytes, socket], client_address: object) -> None:
        """Waits for a free thread."""
        self._free.acquire()
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket | tuple[bytes, socket]) -> None:
        """Releases the thread."""
        self._free.release()
        super().shutdown_request(request)


def serve(folder: Path, address: str, files_port: int, registry_port: int) -> None:
    """Serves a mirror until SIGTERM or Ctrl-C. Raises MirrorError if the folder is not a mirror, or an address is not available."""
    if not (folder / "files").is_dir() or not (folder / "registry").is_dir():
        msg = f"{folder} is not a mirror. To fill one, type: multus-site mirror fetch {folder} --site FILE"
        raise MirrorError(msg)
    with ExitStack() as stack:
        for kind, port, answer in (
            ("files", files_port, files(folder / "files")),
            ("registry", registry_port, registry(folder / "registry")),
        ):
            server = stack.enter_context(_listening(address, port, answer))
            thread = threading.Thread(target=server.serve_forever, args=(0.2,))
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            thread.start()
            print(f"{kind}: http://{address}:{server.server_port}", flush=True)
        with suppress(KeyboardInterrupt):
            _wait_for_sigterm()


def _listening(address: str, port: int, answer: type[Answer]) -> Server:
    try:
        return Server((address, port), answer)
    except OSError as error:
        msg = f"{address}:{port}: {error.strerror}"
        raise MirrorError(msg) from None


def _wait_for_sigterm() -> None:
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda _, __: stopped.set())
    stopped.wait()


def main(arguments: list[str]) -> int:
    """Serves one folder until SIGTERM."""
    match arguments:
        case ["files" | "registry" as kind, folder, address, port] if port.isdecimal():
            answer = files(Path(folder)) if kind == "files" else registry(Path(folder))
        case _:
            print(__doc__, file=sys.stderr)
            return 2

    def end(_: int, __: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)
    try:
        server = _listening(address, int(port), answer)
    except MirrorError as error:
        print(error, file=sys.stderr)
        return 1
    with server:
        server.serve_forever(poll_interval=0.2)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
