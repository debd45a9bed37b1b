"""The mirror's two servers, over real connections of the loopback interface."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from lab.mirror import Mirror, files
from lab.toolchain import modules
from multus_site.mirror import serve as served
from multus_site.mirror.registry import OCI_MANIFEST, names
from multus_site.model.catalog import Catalog
from multus_site.model.load import parse_site
from multus_site.render import air_gap
from tests.graph.recording import lab_site


def get(url, method="GET"):
    request = urllib.request.Request(url, method=method)  # noqa: S310 - a server of the test's own
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - same
        return answer.headers, answer.read()


@pytest.fixture
def files_url(tree, serve):
    return serve(served.files(tree), served.Server)


@pytest.fixture
def registry_url(registry, serve):
    return serve(served.registry(registry), served.Server)


def test_a_file_comes_whole(files_url, tree):
    headers, content = get(f"{files_url}/{files.plugin_path('macvlan')}")
    assert content == (tree / files.plugin_path("macvlan")).read_bytes()
    assert int(headers["Content-Length"]) == len(content)


@pytest.mark.parametrize(
    "path", ["/", "/github.com", "/absent", "/../secret", "/%2e%2e/secret", "//etc/passwd", "/a%00b"]
)
def test_nothing_but_files_of_the_tree_is_given(files_url, tree, path):
    (tree.parent / "secret").write_text("secret")
    host = files_url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=5)
    connection.request("GET", path)
    assert connection.getresponse().status == 404
    connection.close()


def test_an_image_is_pulled_by_tag_then_by_digest(registry_url, registry):
    name = f"registry.k8s.io/coredns/coredns:v{modules.COREDNS}"
    headers, _ = get(f"{registry_url}/v2/coredns/coredns/manifests/v{modules.COREDNS}?ns=registry.k8s.io", "HEAD")
    digest = headers["Docker-Content-Digest"]
    assert digest == names(registry)[name]
    assert headers["Content-Type"] == OCI_MANIFEST
    _, manifest = get(f"{registry_url}/v2/coredns/coredns/manifests/{digest}")
    for part in (json.loads(manifest)["config"], *json.loads(manifest)["layers"]):
        headers, content = get(f"{registry_url}/v2/coredns/coredns/blobs/{part['digest']}")
        assert len(content) == part["size"]
        assert headers["Docker-Content-Digest"] == part["digest"]


def test_a_runtime_sees_a_registry(registry_url):
    headers, _ = get(f"{registry_url}/v2/")
    assert headers["Docker-Distribution-API-Version"] == "registry/2.0"


@pytest.mark.parametrize(
    "path",
    [
        "/v2/pause/manifests/9.9",
        f"/v2/pause/manifests/sha256:{'0' * 64}",
        f"/v2/pause/blobs/sha256:{'0' * 64}",
        "/v2/pause/blobs/sha256:../index.json",
        "/v2/pause/tags/list",
        "/index.json",
    ],
)
def test_what_is_not_there_is_a_404(registry_url, path):
    with pytest.raises(urllib.error.HTTPError) as error:
        get(registry_url + path)
    assert error.value.code == 404


def test_a_client_that_hangs_up_makes_no_noise(tmp_path, serve, capfd):
    (tmp_path / "big").write_bytes(bytes(1 << 25))
    url = serve(served.files(tmp_path), served.Server)
    port = int(url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        client.recv(100)
    assert get(f"{url}/big")[1] == bytes(1 << 25)
    assert "Traceback" not in capfd.readouterr().err


def test_a_tls_greeting_is_turned_away_in_http(registry_url):
    with socket.create_connection(("127.0.0.1", int(registry_url.rsplit(":", 1)[1])), timeout=5) as client:
        client.sendall(b"\x16\x03\x01\x00\xa5")
        assert client.recv(100).startswith(b"HTTP/1.1 400 ")


def test_a_silent_client_is_let_go_without_noise(registry, serve, monkeypatch, capfd):
    answer = served.registry(registry)
    monkeypatch.setattr(answer, "timeout", 0.1)
    with socket.create_connection(("127.0.0.1", int(serve(answer, served.Server).rsplit(":", 1)[1])), 5) as client:
        assert client.recv(1) == b""
    assert "Traceback" not in capfd.readouterr().err


def test_the_command_serves_until_it_is_told_to_end(tree, registry, unused_port):
    mirror = Mirror(tree, registry)
    name, command, environment, port = mirror.servers("127.0.0.1", unused_port, 5000)[0]
    assert (name, port) == ("files", unused_port)
    with subprocess.Popen(command, env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True) as server:
        until = time.monotonic() + 10
        while True:
            try:
                get(f"http://127.0.0.1:{port}/{files.plugin_path('macvlan')}")
                break
            except urllib.error.URLError:
                assert time.monotonic() < until
                time.sleep(0.05)
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=5) == 0
        assert "Traceback" not in server.stderr.read()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["files"], 2, "python -m multus_site.mirror.serve"),
        (["files", ".", "127.0.0.1", "PORT"], 1, "Address already in use"),
    ],
)
def test_a_server_that_cannot_start_says_why(arguments, status, words):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [port if argument == "PORT" else argument for argument in arguments]
        done = subprocess.run(
            [sys.executable, "-m", "multus_site.mirror.serve", *command], capture_output=True, text=True, check=False
        )
    assert done.returncode == status
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_the_catalog_names_what_is_served(tree, registry, files_url):
    catalog = Mirror(tree, registry).catalog()
    plugin = catalog["cniPlugins"][modules.CNI_PLUGINS]["amd64"]["macvlan"]
    assert plugin["url"] == f"http://10.1.1.1:8080/{files.plugin_path('macvlan')}"
    assert plugin["sha256"] == files.index(tree)["plugins"]["macvlan"]
    assert catalog["images"] == names(registry)
    # What a site with this mirror in its airGap tells Kubespray to put its addresses together from.
    data = lab_site(airGap={"files": "http://10.1.1.1:8080", "registry": "http://10.1.1.1:5000"})
    seen = air_gap.catalog(parse_site(data, source="x"), Catalog.model_validate(catalog))
    assert seen.cni_plugins == Catalog.model_validate(catalog).cni_plugins
    variables = seen.kubespray.variables
    mirrored = {entry["prefix"]: entry["mirrors"][0]["host"] for entry in variables["containerd_registries_mirrors"]}
    assert {name.split("/")[0] for name in catalog["images"]} <= set(mirrored)
    assert set(mirrored.values()) == {"http://10.1.1.1:5000"}
    path = f"release/v{variables['kube_version']}/bin/linux/amd64/kubelet"
    assert variables["dl_k8s_io_url"] == "http://10.1.1.1:8080/dl.k8s.io"
    get(f"{files_url}/dl.k8s.io/{path}", "HEAD")
