"""multus_site/scripts/cni-plugins.sh, for real: run by sh as root, with /opt/cni and its state on file systems of the test's own."""

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

from multus_site.render.script import script

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

    @property
    def store(self):
        """Binaries that are kept, by their sha256."""
        return sorted(p.name for p in (self.root / "opt-cni" / ".multus-site").iterdir())

    @property
    def manifest(self):
        """Plugin → whether it is ours, sha256, pin, sha256 and pin of the one before."""
        text = (self.root / "state" / "cni-plugins").read_text()
        return {line.split()[0]: line.split()[1:] for line in text.splitlines()}

    def run(self, argument, *lines, prepare=""):
        """`prepare`: what is done in the node's mount namespace before."""
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
            f"{mounts} {prepare}sh -s {argument}; exit $?",
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
    assert node.store == [sha]
    assert node.manifest == {"macvlan": ["yes", sha, sha, "-", "-"]}


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


def test_what_an_installer_wrote_over_is_put_back_without_fetching_it_again(node):
    sha, url = node.serve("macvlan", plugin("pinned"))
    node.run("install", f"macvlan {sha} {url}")
    (node.served / "macvlan").unlink()
    (node.bin / "macvlan").write_text(plugin("the installer's own"))
    (node.bin / "macvlan").chmod(0o700)
    done = node.run("install", f"macvlan {sha} {url}")
    assert done.returncode == 0, done.stderr
    assert (node.bin / "macvlan").read_text() == plugin("pinned")
    assert (node.bin / "macvlan").stat().st_mode & 0o7777 == 0o755


def test_the_version_before_comes_back_from_the_node_itself(node):
    old, old_url = node.serve("old", plugin("old"))
    new, new_url = node.serve("new", plugin("new"))
    node.run("install", f"macvlan {old} {old_url}")
    node.run("install", f"macvlan {new} {new_url}")
    assert node.store == sorted([old, new])
    (node.served / "old").unlink()
    done = node.run("install", f"macvlan {old} {old_url}")
    assert done.returncode == 0, done.stderr
    assert (node.bin / "macvlan").read_text() == plugin("old")
    assert node.manifest["macvlan"] == ["yes", old, old, new, new]


def test_only_one_version_back_is_kept(node):
    sums = [node.serve(name, plugin(name)) for name in ("one", "two", "three")]
    for sha, url in sums:
        node.run("install", f"macvlan {sha} {url}")
    assert node.store == sorted([sums[1][0], sums[2][0]])
    node.run("install", f"macvlan {sums[2][0]} {sums[2][1]}")
    assert node.store == sorted([sums[1][0], sums[2][0]])


def test_one_bad_plugin_and_none_is_changed(node):
    good, good_url = node.serve("bridge", plugin("new"))
    old, old_url = node.serve("old", plugin("old"))
    node.run("install", f"bridge {old} {old_url}")
    for line in (f"macvlan {'0' * 64} {node.url}/absent", f"macvlan {'0' * 64} {good_url}"):
        done = node.run("install", f"bridge {good} {good_url}", line)
        assert done.returncode == 1
        assert (node.bin / "bridge").read_text() == plugin("old")
        assert node.installed() == ["bridge"]
    broken, broken_url = node.serve("broken", "#!/bin/sh\nexit 1\n")
    assert node.run("install", f"bridge {good} {good_url}", f"macvlan {broken} {broken_url}").returncode == 1
    assert node.installed() == ["bridge"]
    assert (node.bin / "bridge").read_text() == plugin("old")


def test_a_member_that_is_not_in_the_archive_is_named_with_those_that_are(node):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("./bridge"))
    sha, url = node.serve("release.tgz", buffer.getvalue())
    done = node.run("install", f"macvlan {sha} {url} macvlan")
    assert done.returncode == 1
    assert "has no member macvlan" in done.stderr
    assert "./bridge" in done.stderr


def test_what_was_delivered_is_taken_from_the_store(node):
    content = plugin("delivered").encode()
    sha = hashlib.sha256(content).hexdigest()
    (node.root / "opt-cni" / ".multus-site").mkdir()
    kept = node.root / "opt-cni" / ".multus-site" / sha
    kept.write_bytes(content)
    kept.chmod(0o755)
    done = node.run("install", f"bond {sha} delivered")
    assert done.returncode == 0, done.stderr
    assert node.installed() == ["bond"]
    kept.write_bytes(b"damaged since")
    (node.bin / "bond").unlink()
    done = node.run("install", f"bond {sha} delivered")
    assert done.returncode == 1
    assert "send it again: pulumi up" in done.stderr


def test_calicos_plugins_are_asked_and_left_as_they_are(node):
    node.bin.mkdir()
    (node.bin / "host-local").write_text(plugin("calico's"))
    (node.bin / "host-local").chmod(0o755)
    sha, url = node.serve("macvlan", plugin("ours"))
    done = node.run("install", "host-local - calico", f"macvlan {sha} {url}")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["host-local"] == {"owner": "calico", "versions": ["0.4.0", "1.0.0"]}
    assert set(node.manifest) == {"macvlan"}
    node.run("remove")
    assert node.installed() == ["host-local"]


def test_a_plugin_that_became_calicos_is_let_go(node):
    sha, url = node.serve("host-local", plugin("ours"))
    node.run("install", f"host-local {sha} {url}")
    assert node.run("install", "host-local - calico").returncode == 0
    assert node.manifest == {}
    node.run("remove")
    assert node.installed() == ["host-local"]


def test_a_file_system_that_lets_nothing_run_is_named(node):
    sha, url = node.serve("macvlan", plugin("ours"))
    done = node.run("install", f"macvlan {sha} {url}", prepare="mount -t tmpfs -o noexec tmpfs /opt/cni; ")
    assert done.returncode == 1
    assert "mounted noexec" in done.stderr


def test_with_selinux_a_plugin_has_the_label_of_its_place_before_it_is_there(node, tmp_path):
    # This kernel has no SELinux: what is held to is which of its programs are called, with what, and when.
    calls = tmp_path / "calls"
    programs = {
        "selinuxenabled": "true",
        "matchpathcon": 'echo "system_u:object_r:bin_t:s0 of $2"',
        "chcon": f'echo "$1 | $([ -e /opt/cni/bin/macvlan ] && echo late || echo early) | $2" >>{calls}',
    }
    for name, body in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    sha, url = node.serve("macvlan", plugin("ours"))
    done = node.run("install", f"macvlan {sha} {url}", prepare=f"export PATH={tmp_path}:$PATH; ")
    assert done.returncode == 0, done.stderr
    label, when, file = calls.read_text().strip().split(" | ")
    assert label == "system_u:object_r:bin_t:s0 of /opt/cni/bin/macvlan"
    assert when == "early"
    assert file.startswith("/opt/cni/bin/.")


def test_killed_at_any_moment_it_leaves_nothing_that_is_not_its_own(node):
    sha, url = node.serve("macvlan", plugin("ours"))
    # `mv` is the last step of each part: the second puts the manifest there, the third the plugin.
    for nth in (1, 2, 3):
        kill = node.root / f"mv-{nth}"
        kill.mkdir()
        (kill / "mv").write_text(
            f"#!/bin/sh\necho x >>{kill}/count\n"
            f'[ "$(wc -l <{kill}/count)" -ne {nth} ] || kill -9 $PPID\nexec /bin/mv "$@"\n'
        )
        (kill / "mv").chmod(0o755)
        assert node.run("install", f"macvlan {sha} {url}", prepare=f"export PATH={kill}:$PATH; ").returncode != 0
        assert node.run("install", f"macvlan {sha} {url}").returncode == 0
        assert node.store == [sha]
        node.run("remove")
        assert node.installed() == []


@pytest.fixture
def own_bin(tmp_path):
    """A small file system for /opt/cni/bin alone, and what a node does to have it there."""
    folder = tmp_path / "own-bin"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], check=True)
    yield folder, f"mkdir -p /opt/cni/bin; mount --bind {folder} /opt/cni/bin; "
    subprocess.run(["umount", folder], check=True)


def test_on_a_full_file_system_of_its_own_no_plugin_is_half_there(node, own_bin):
    folder, prepare = own_bin
    sha, url = node.serve("macvlan", plugin("before"))
    large, large_url = node.serve("macvlan-large", plugin("after") + "#" * 100_000)
    assert node.run("install", f"macvlan {sha} {url}", prepare=prepare).returncode == 0
    for line in (f"macvlan {large} {large_url}", f"bridge {large} {large_url}"):
        done = (
            node.run("install", f"macvlan {sha} {url}", line, prepare=prepare)
            if "bridge" in line
            else node.run("install", line, prepare=prepare)
        )
        assert done.returncode == 1
        assert "No space left on device" in done.stderr
        assert "was not installed in /opt/cni/bin; what was there stays" in done.stderr
        assert [file.name for file in folder.iterdir()] == ["macvlan"]
        assert (folder / "macvlan").read_text() == plugin("before")
    small, small_url = node.serve("macvlan-small", plugin("after"))
    assert node.run("install", f"macvlan {small} {small_url}", prepare=prepare).returncode == 0
    assert (folder / "macvlan").read_text() == plugin("after")


def test_two_runs_do_not_meet(node):
    sha, url = node.serve("macvlan", plugin("ours"))
    held = f"(flock 8; sleep 2; echo freed >{node.root}/freed) 8>/var/lib/multus-site/cni-plugins.lock & sleep 0.5; "
    done = node.run("install", f"macvlan {sha} {url}", prepare=held)
    assert done.returncode == 0
    assert (node.root / "freed").exists()


def test_nothing_of_ours_stays(node):
    sha, url = node.serve("macvlan", plugin("ours"))
    node.run("install", f"macvlan {sha} {url}")
    node.run("remove")
    assert node.installed() == []
    assert not (node.root / "opt-cni" / ".multus-site").exists()
    assert list((node.root / "state").iterdir()) == []
