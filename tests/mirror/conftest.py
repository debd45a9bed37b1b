"""An upstream on loopback: a web server and a registry with real files and images, and what a site asks of it."""

import hashlib
import json
import threading

import pytest

from lab.mirror.archive import Entry
from lab.mirror.oci import Registry
from multus_site.mirror import registry, serve
from multus_site.mirror.contents import Contents, File, Image
from multus_site.mirror.upstream import Upstream

BUSYBOX, MULTUS = "docker.io/library/busybox:1.36", "ghcr.io/k8snetworkplumbingwg/multus-cni:v4.3.0-thick"
CALICO = "quay.io/calico/node:v3.31.5"
FILE = "https://dl.k8s.io/release/v1.35.4/bin/linux/amd64/kubectl"
CONTENT = bytes(range(256)) * 8000


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class Servers:
    """Both, with what they were asked, in order: path and Range."""

    def __init__(self, folder):
        self.folder = folder
        self.asked = []
        self.cut_after = None
        """Bytes of the next file after which the connection ends."""
        self._running = []

    def start(self):
        for kind in ("files", "registry"):
            answer = getattr(serve, kind)(self.folder / kind)
            server = serve.Server(("127.0.0.1", 0), self._watched(answer))
            thread = threading.Thread(target=server.serve_forever, args=(0.02,))
            thread.start()
            self._running.append((server, thread))
            setattr(self, kind, f"http://127.0.0.1:{server.server_port}")

    def stop(self):
        for server, thread in self._running:
            server.shutdown()
            thread.join()
            server.server_close()

    def _watched(self, answer):
        servers = self

        class Watched(answer):
            def do_GET(self):
                servers.asked.append((self.path.partition("?")[0], self.headers.get("Range")))
                if servers.cut_after is None or "/v2" in self.path:
                    return super().do_GET()
                whole, servers.cut_after = servers.cut_after, None
                file, _ = self.find(self.path, "")
                self.send_response(200)
                self.send_header("Content-Length", str(file.stat().st_size))
                self.end_headers()
                self.wfile.write(file.read_bytes()[:whole])
                self.close_connection = True
                return None

            def log_message(self, *_):
                """Says nothing: the test's output is the test's."""

        return Watched


def add_platforms(folder, name, images):
    """An index of images that are in the folder already, a platform each; its digest."""
    children = [
        {
            "mediaType": registry.OCI_MANIFEST,
            "digest": digest,
            "size": registry.blob(folder, digest).stat().st_size,
            "platform": {"os": "linux" if architecture != "unknown" else "unknown", "architecture": architecture},
        }
        for architecture, digest in images.items()
    ]
    content = json.dumps({"schemaVersion": 2, "mediaType": registry.OCI_INDEX, "manifests": children}).encode()
    digest = f"sha256:{sha256(content)}"
    registry.blob(folder, digest).write_bytes(content)
    registry.write_names(folder, {**registry.names(folder), name: digest})
    return digest


@pytest.fixture
def upstream_folder(tmp_path):
    folder = tmp_path / "upstream"
    file = folder / "files" / FILE.removeprefix("https://")
    file.parent.mkdir(parents=True)
    file.write_bytes(CONTENT)
    images = Registry(folder / "registry")
    for name in (BUSYBOX, MULTUS, "example/amd64:1", "example/arm64:1", "example/unknown:1"):
        layer = images.add_layer([Entry("bin"), Entry("bin/tool", f"the tool of {name}".encode() * 1000)])
        images.add_image(name, [layer], ["/bin/tool"], [])
    images.write_index()
    one = registry.names(folder / "registry")
    platforms = {platform: one[f"example/{platform}:1"] for platform in ("amd64", "arm64", "unknown")}
    add_platforms(folder / "registry", CALICO, platforms)
    add_platforms(folder / "registry", "quay.io/calico/old:1", {"amd64": platforms["amd64"]})
    return folder


@pytest.fixture
def servers(upstream_folder):
    running = Servers(upstream_folder)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def upstream(servers):
    with Upstream(servers.files, servers.registry) as client:
        yield client


@pytest.fixture
def playbooks(tmp_path):
    folder = tmp_path / "kubespray"
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "HEAD").write_text("not to be carried")
    (folder / "cluster.yml").write_text("- hosts: all\n")
    return folder


def contents(*, images=(BUSYBOX, MULTUS), architectures=("amd64",), digests=None, **other):
    """What a site needs: one file, and images."""
    given = {
        "site": "dallas",
        "kubespray": "v2.31.0",
        "architectures": architectures,
        "files": (File(FILE, sha256(CONTENT), "Kubespray: kubectl"),),
        "images": tuple(Image(name, (digests or {}).get(name), "a test") for name in images),
        "wheels": (),
    }
    return Contents(**{**given, **other})
