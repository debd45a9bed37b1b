"""What several of the lab's parts need in their tests."""

import contextlib
import socket
import threading
from http.server import ThreadingHTTPServer

import pytest

from lab.cache import Cache


@pytest.fixture
def unused_port():
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listening:
        return listening.getsockname()[1]


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


@pytest.fixture
def serve():
    """Runs a handler on a port of the loopback interface; gives the base address."""
    servers = []

    def start(handler, kind=ThreadingHTTPServer):
        server = kind(("127.0.0.1", 0), handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def said():
    """A report that remembers its steps."""
    steps = []

    def report(step, fraction):
        assert fraction is None or 0 <= fraction <= 1
        steps.append(step)

    report.steps = steps
    return report
