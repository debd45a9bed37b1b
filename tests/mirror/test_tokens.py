"""Registries that give everybody a token first, as Docker Hub, ghcr.io and quay.io do; and those that give none."""

import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from multus_site.mirror.contents import MirrorError
from multus_site.mirror.upstream import UnreachableError, Upstream

MANIFEST = b'{"schemaVersion": 2}'


@pytest.fixture
def registry():
    """Wants a token for its one image; `asked` is what it gave tokens for."""
    asked = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            url = urllib.parse.urlsplit(self.path)
            if url.path == "/token":
                asked.append(dict(urllib.parse.parse_qsl(url.query)))
                return self._say(200, json.dumps({"token": "for-everybody"}).encode())
            if "private" in url.path:
                return self._say(401, b"", "Basic realm=nobody")
            if self.headers.get("Authorization") != "Bearer for-everybody":
                realm = f"http://127.0.0.1:{self.server.server_port}/token"
                return self._say(
                    401, b"", f'Bearer realm="{realm}",service="hub",scope="repository:library/busybox:pull"'
                )
            return self._say(200, MANIFEST)

        def _say(self, status, body, challenge=None):
            self.send_response(status)
            if challenge:
                self.send_header("WWW-Authenticate", challenge)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Says nothing: the test's output is the test's."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_token_is_got_once_for_a_repository(registry):
    address, asked = registry
    with Upstream(registry=address) as upstream:
        assert upstream.manifest("docker.io/library/busybox:1.36")[1] == MANIFEST
        assert upstream.manifest("docker.io/library/busybox:1.37")[1] == MANIFEST
    assert asked == [{"service": "hub", "scope": "repository:library/busybox:pull"}]


def test_one_that_wants_a_password_is_told(registry):
    with (
        Upstream(registry=registry[0]) as upstream,
        pytest.raises(MirrorError, match="requires a password"),
    ):
        upstream.digest("docker.io/private/image:1")


def test_one_that_is_not_there_is_unreachable():
    with (
        Upstream(registry="http://127.0.0.1:9") as upstream,
        pytest.raises(UnreachableError, match="cannot be reached"),
    ):
        upstream.digest("docker.io/library/busybox:1.36")
