"""What a cluster that is not well is told as: kr8s against an API server on loopback that answers as a broken one does."""

import asyncio
import base64
import hashlib
import http.server
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time

import pytest

from multus_site.verify.checks import Check
from multus_site.verify.cluster import Cluster
from multus_site.verify.expectation import expected
from multus_site.verify.result import Result, judged, verify
from tests.contract import control_plane
from tests.lab.running import PROJECT
from tests.render.diagram.sites import lab

DAEMON = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "kube-multus-ds-x", "namespace": "kube-system", "labels": {"name": "multus"}, "uid": "1"},
    "spec": {"nodeName": "node2", "containers": [{"name": "kube-multus", "image": "multus:1"}]},
    "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
}
KINDS = {"pods": "Pod", "nodes": "Node", "events": "Event"}
DISCOVERY = {
    "/version": {"major": "1", "minor": "35", "gitVersion": "v1.35.4"},
    "/api": {"versions": ["v1"]},
    "/apis": {"groups": []},
    "/api/v1": {
        "groupVersion": "v1",
        "resources": [
            {"name": name, "singularName": name[:-1], "kind": kind, "namespaced": name != "nodes", "verbs": ["get"]}
            for name, kind in KINDS.items()
        ],
    },
}


class Api(http.server.BaseHTTPRequestHandler):
    """One Multus daemon, on node2, whose kubelet the API server cannot reach; no pods, no attachments."""

    def do_GET(self):
        path = self.path.partition("?")[0].rstrip("/")
        if path.endswith(("/exec", "/log")):
            self.answer(500, {"kind": "Status", "message": "error dialing backend: no route to host"})
        elif path in DISCOVERY:
            self.answer(200, DISCOVERY[path])
        elif path.endswith("/namespaces/kube-system/pods"):
            self.answer(200, {"kind": "PodList", "apiVersion": "v1", "items": [DAEMON]})
        else:
            self.answer(200, {"kind": "List", "apiVersion": "v1", "items": []})

    def answer(self, code, data):
        body = json.dumps(data).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def kubeconfig(port):
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }


@pytest.fixture
def port():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


@pytest.fixture
def nobody():
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def failed(checks):
    return {(c.check, c.node): c.detail for c in checks if not c.ok}


def test_a_node_whose_kubelet_cannot_be_reached_is_named(port):
    async def look():
        cluster = await Cluster.connect(kubeconfig(port))
        nodes, pods = await cluster.look(expected(lab()))
        return judged(expected(lab()), nodes, pods, {})

    found = failed(asyncio.run(look()))
    why = "node2 cannot be inspected: the API server cannot reach its kubelet (500 Internal Server Error)"
    assert found["look-inside", "node2"] == why
    assert "no Multus daemon runs here" in found["multus-daemon", "node1"]
    assert ("multus-daemon", "node2") not in found


def test_the_evidence_is_gathered_where_a_node_is_gone_too(port, monkeypatch):
    monkeypatch.setattr("multus_site.verify.result.PAUSE_SECONDS", 0)

    async def run():
        return await verify(await Cluster.connect(kubeconfig(port)), expected(lab()))

    result = asyncio.run(run())
    assert result.output()["passed"] is False
    assert result.evidence["Multus on node2"] == "no log"


@pytest.mark.parametrize("check", ["replicas", "look-inside", "multus-daemon", "network-status", "gateway-arp"])
@pytest.mark.parametrize("patience", [0, 60])
def test_pods_that_start_anew_are_waited_for_where_patience_is_asked(port, monkeypatch, check, patience):
    """No node of this API server can be looked at: what is seen is the test's, how often is not."""
    monkeypatch.setattr("multus_site.verify.result.PAUSE_SECONDS", 0)
    missing = [Check("edge", "", "", "", "", check, ok=False, detail="not yet")]
    looks = iter([missing] * 8)

    async def once(*_):
        return Result(next(looks, []), {}, [])

    monkeypatch.setattr("multus_site.verify.result._once", once)

    async def run():
        return await verify(await Cluster.connect(kubeconfig(port)), expected(lab()), patience)

    assert asyncio.run(run()).output()["passed"] is (patience > 0 and check != "gateway-arp")


@pytest.mark.parametrize(("program", "word"), [("verify", "verification"), ("throughput", "throughput")])
def test_a_cluster_that_does_not_answer_is_one_line_and_no_key_stays(program, word, nobody, tmp_path):
    """kr8s leaves the files that it reads keys from."""
    control_plane.certificates(tmp_path)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    site = lab()
    document = {
        "kubeconfig": control_plane.Cluster(f"https://127.0.0.1:{nobody}", tmp_path).kubeconfig,
        "expectation": expected(site).model_dump(mode="json", by_alias=True),
        "stack": "none",
        "image": "image:1",
        "site": site.model_dump(mode="json", by_alias=True, exclude={"kubespray": {"variables"}}),
    }
    done = subprocess.run(
        [sys.executable, "-m", f"multus_site.{program}"], input=json.dumps(document), capture_output=True, text=True, cwd=PROJECT,
        env={**os.environ, "TMPDIR": str(temporary)},
    )  # fmt: skip
    assert done.returncode == 1
    assert list(temporary.iterdir()) == []
    (line,) = done.stderr.strip().splitlines()
    assert line == f"{word}: the cluster cannot be read: All connection attempts failed"


class Breaking(Api):
    """Its kubelet accepts a command, and then its node is gone: the connection is reset in use."""

    def do_GET(self):
        if not self.path.partition("?")[0].endswith("/exec"):
            super().do_GET()
            return
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())  # noqa: S324 - RFC 6455
        if protocol := self.headers.get("Sec-WebSocket-Protocol"):
            self.send_header("Sec-WebSocket-Protocol", protocol.split(",")[0].strip())
        self.end_headers()
        self.wfile.flush()
        time.sleep(0.2)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True


def test_a_node_that_is_killed_while_it_is_checked_is_named_and_the_others_have_their_result():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Breaking)
    server.handle_error = lambda *_: None  # the connection is closed on purpose
    threading.Thread(target=server.serve_forever, daemon=True).start()

    async def look():
        cluster = await Cluster.connect(kubeconfig(server.server_port))
        nodes, pods = await cluster.look(expected(lab()))
        return judged(expected(lab()), nodes, pods, {})

    try:
        found = failed(asyncio.run(look()))
    finally:
        server.shutdown()
    assert "node2 cannot be inspected: " in found["look-inside", "node2"]
    assert "TaskGroup" not in found["look-inside", "node2"]
    assert "no Multus daemon runs here" in found["multus-daemon", "node1"]
