"""node/cni-plugins.sh, for real: run by sh as root, with /opt/cni and its state on file systems of the test's own."""

import hashlib
import http.server
import io
import json
import os
import subprocess
import tarfile
import threading
from functools import partial
from pathlib import Path

import pytest

from render.script import script

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], check=False).returncode != 0,
    reason="needs root and mount namespaces",
)

# What a CNI plugin does when it is asked for its versions; the text makes each plugin another file.
PLUGIN = """#!/bin/sh
# {mark}
cat >/dev/null
echo '{{"cniVersion":"1.0.0","supportedVersions":["0.4.0","1.0.0"]}}'
"""


class Node:
    """A file system that stands for a node's, and a server of plugin files on loopback."""

    def __init__(self, root, served, url):
        self.root, self.served, self.url = root, served, url
        for name in ("opt-cni", "state", "etc-cni", "lib-cni"):
            (root / name).mkdir()
        self.bin = root / "opt-cni" / "bin"

    def serve(self, name, content):
        data = content if isinstance(content, bytes) else content.encode()
        (self.served / name).write_bytes(data)
        return hashlib.sha256(data).hexdigest(), f"{self.url}/{name}"

    def run(self, argument, *lines):
        binds = [
            ("opt-cni", "/opt/cni"),
            ("state", "/var/lib/multus-site"),
            ("etc-cni", "/etc/cni"),
            ("lib-cni", "/var/lib/cni"),
        ]
        mounts = "".join(f"mkdir -p {there}; mount --bind {self.root / here} {there}; " for here, there in binds)
        text = script("cni-plugins", {"PLUGINS": "\n".join(lines)})
        # Mounts and processes are this command's own; what the host has of either is never seen.
        command = [
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--mount-proc",
            "sh",
            "-c",
            f"{mounts} exec sh -s {argument}",
        ]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=False)

    def installed(self):
        return sorted(p.name for p in self.bin.iterdir()) if self.bin.exists() else []


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Says nothing: the test's output is the test's."""


@pytest.fixture
def node(tmp_path):
    served = tmp_path / "served"
    served.mkdir()
    root = tmp_path / "node"
    root.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=served))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    # Folders that the binds need are made on the host where they are missing, and removed again.
    made = [d for d in ("/opt/cni", "/var/lib/multus-site", "/etc/cni", "/var/lib/cni") if not Path(d).is_dir()]
    yield Node(root, served, f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    thread.join()
    server.server_close()
    for folder in made:
        if Path(folder).is_dir():
            Path(folder).rmdir()


def plugin(mark):
    return PLUGIN.format(mark=mark)


def test_installs_root_owned_executable_and_says_what_it_answers(node):
    sha, url = node.serve("macvlan", plugin("one"))
    done = node.run("install", f"macvlan {sha} {url}")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"macvlan": {"sha256": sha, "versions": ["0.4.0", "1.0.0"]}}
    status = (node.bin / "macvlan").stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (0, 0, 0o755)
    assert node.installed() == ["macvlan"]
    assert not list((node.root / "opt-cni").glob(".multus-site-*"))


def test_a_second_run_leaves_the_file_alone(node):
    sha, url = node.serve("macvlan", plugin("one"))
    node.run("install", f"macvlan {sha} {url}")
    before = (node.bin / "macvlan").stat().st_ino
    assert node.run("install", f"macvlan {sha} {url}").returncode == 0
    assert (node.bin / "macvlan").stat().st_ino == before


def test_a_wrong_sha256_installs_nothing_and_names_both(node):
    _, url = node.serve("macvlan", plugin("tampered"))
    wanted = "0" * 64
    done = node.run("install", f"macvlan {wanted} {url}")
    assert done.returncode == 1
    assert wanted in done.stderr
    assert "nothing was installed" in done.stderr
    assert node.installed() == []


def test_a_binary_in_use_is_replaced_by_rename(node):
    sha, url = node.serve("macvlan", plugin("old"))
    node.run("install", f"macvlan {sha} {url}")
    with (node.bin / "macvlan").open("rb") as in_use:
        new_sha, new_url = node.serve("macvlan-new", plugin("new"))
        assert node.run("install", f"macvlan {new_sha} {new_url}").returncode == 0
        assert b"old" in in_use.read()
    assert "new" in (node.bin / "macvlan").read_text()


def test_takes_a_member_out_of_a_release_archive(node):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name in ("macvlan", "host-local"):
            data = plugin(name).encode()
            info = tarfile.TarInfo(f"./{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    sha, url = node.serve("release.tgz", buffer.getvalue())
    done = node.run("install", f"macvlan {sha} {url} macvlan", f"host-local {sha} {url} host-local")
    assert done.returncode == 0, done.stderr
    assert node.installed() == ["host-local", "macvlan"]
    assert "macvlan" in (node.bin / "macvlan").read_text()


def test_remove_takes_only_what_is_ours_and_unchanged(node):
    node.bin.mkdir()
    (node.bin / "loopback").write_text(plugin("distribution"))
    sha, url = node.serve("macvlan", plugin("ours"))
    other_sha, other_url = node.serve("vlan", plugin("ours too"))
    node.run("install", f"macvlan {sha} {url}", f"vlan {other_sha} {other_url}")
    (node.bin / "vlan").write_text(plugin("somebody else's by now"))
    assert node.run("remove").returncode == 0
    assert node.installed() == ["loopback", "vlan"]


def test_what_the_distribution_brought_is_replaced_but_never_removed(node):
    node.bin.mkdir()
    (node.bin / "macvlan").write_text(plugin("distribution"))
    sha, url = node.serve("macvlan", plugin("pinned"))
    node.run("install", f"macvlan {sha} {url}")
    assert "pinned" in (node.bin / "macvlan").read_text()
    node.run("remove")
    assert node.installed() == ["macvlan"]


def test_the_same_file_from_the_distribution_is_not_ours(node):
    node.bin.mkdir()
    (node.bin / "macvlan").write_text(plugin("same"))
    sha, url = node.serve("macvlan", plugin("same"))
    node.run("install", f"macvlan {sha} {url}")
    node.run("remove")
    assert node.installed() == ["macvlan"]


def test_a_plugin_no_longer_asked_for_goes(node):
    sha, url = node.serve("macvlan", plugin("a"))
    vlan_sha, vlan_url = node.serve("vlan", plugin("b"))
    node.run("install", f"macvlan {sha} {url}", f"vlan {vlan_sha} {vlan_url}")
    node.run("install", f"vlan {vlan_sha} {vlan_url}")
    assert node.installed() == ["vlan"]


def test_what_multus_left_goes_when_its_daemon_is_gone(node):
    net = node.root / "etc-cni" / "net.d"
    net.mkdir()
    (net / "00-multus.conf").write_text("{}")
    (net / "10-flannel.conflist").write_text("{}")
    assert node.run("remove").returncode == 0
    assert [p.name for p in net.iterdir()] == ["10-flannel.conflist"]


def test_a_file_that_is_not_there_is_named(node):
    done = node.run("install", f"macvlan {'0' * 64} {node.url}/absent")
    assert done.returncode == 1
    assert "absent cannot be fetched" in done.stderr
    assert "404" in done.stderr


def test_a_file_that_is_no_plugin_is_refused(node):
    sha, url = node.serve("macvlan", "#!/bin/sh\necho nothing of the kind; exit 3\n")
    done = node.run("install", f"macvlan {sha} {url}")
    assert done.returncode == 1
    assert "does not answer CNI VERSION" in done.stderr
