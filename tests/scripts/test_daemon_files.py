"""multus_site/scripts/daemon-files.sh, run by sh as root on folders of the test's own: a daemon's files go when it is gone, and stay while it runs."""

import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from multus_site.render import dhcp, whereabouts
from multus_site.render.script import script

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def node(tmp_path):
    """The daemon's files below a folder of the test's own, beside somebody else's."""
    for name in (
        "opt/cni/bin/whereabouts",
        "opt/cni/bin/macvlan",
        "etc/cni/net.d/whereabouts.d/whereabouts.kubeconfig",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def run(node, argument, process):
    left = " ".join(f"{node}{path}" for path in whereabouts.LEFT["LEFT"].split())
    text = script("daemon-files", {"PROCESS": process, "LEFT": left})
    return subprocess.run(["sh", "-s", argument], input=text, capture_output=True, text=True, check=False, timeout=60)


def files(node):
    return {str(path.relative_to(node)) for path in node.rglob("*") if path.is_file()}


def test_nothing_is_done_at_first(node):
    before = files(node)
    assert run(node, "apply", "no-such-daemon").returncode == 0
    assert files(node) == before


def test_its_files_go_and_no_others(node):
    assert run(node, "remove", "no-such-daemon").returncode == 0
    assert files(node) == {"opt/cni/bin/macvlan"}
    assert not (node / "etc/cni/net.d/whereabouts.d").exists()
    assert run(node, "remove", "no-such-daemon").returncode == 0


def test_a_daemon_that_runs_keeps_them(node, tmp_path):
    program = tmp_path / "some-daemon"
    program.write_bytes(Path("/bin/sleep").read_bytes())
    program.chmod(0o755)
    daemon = subprocess.Popen([program, "60"])
    try:
        before = files(node)
        done = run(node, "remove", "some-daemon")
        assert (done.returncode, files(node)) == (0, before)
        assert "some-daemon runs, and its files stay" in done.stderr
    finally:
        daemon.kill()
        daemon.wait()


def test_one_that_is_ending_is_waited_for(node, tmp_path):
    program = tmp_path / "some-daemon"
    program.write_bytes(Path("/bin/sleep").read_bytes())
    program.chmod(0o755)
    daemon = subprocess.Popen([program, "2"])
    threading.Thread(target=daemon.wait).start()  # else it stays as a zombie, which pgrep finds
    try:
        begun = time.monotonic()
        assert run(node, "remove", "some-daemon").returncode == 0
        assert time.monotonic() - begun > 1
        assert "opt/cni/bin/whereabouts" not in files(node)
    finally:
        daemon.kill()


@pytest.mark.parametrize("module", [whereabouts, dhcp])
def test_the_kernel_s_name_of_a_process_is_short(module):
    """pgrep -x compares 15 characters."""
    assert len(module.LEFT["PROCESS"]) <= 15
