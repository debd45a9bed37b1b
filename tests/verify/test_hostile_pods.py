"""What a pod's owner can put into the pod that root on the node looks at: links, devices, pipes, processes and routes without end."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

PROBE = Path(__file__).parents[2] / "multus_site" / "verify" / "probe.py"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can enter another root directory")


def run(code, seconds=60):
    """The output of code that has the probe as `probe`."""
    prelude = f"import json, os, sys, time; sys.path.insert(0, {str(PROBE.parent)!r}); import probe\n"
    done = subprocess.run(
        [sys.executable, "-c", prelude + textwrap.dedent(code)],
        capture_output=True, text=True, check=False, timeout=seconds, errors="surrogateescape",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def pod(tmp_path):
    """A process with a root directory of its own, and that directory."""
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    waits = "import os, sys, time; os.chroot(sys.argv[1]); print(flush=True); time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", waits, str(root)], stdout=subprocess.PIPE)
    process.stdout.readline()
    yield process.pid, root
    process.kill()
    process.wait()


def resolver(pid):
    return run(f"print(json.dumps(probe.resolver({pid})))")


def test_the_pods_own_file_is_read(pod):
    pid, root = pod
    (root / "etc/resolv.conf").write_text("nameserver 10.233.0.3\n")
    assert resolver(pid) == "nameserver 10.233.0.3\n"


@pytest.mark.parametrize("target", ["{secret}", "../../../../../../../..{secret}"])
def test_a_link_does_not_lead_to_files_of_the_node(pod, tmp_path, target):
    pid, root = pod
    secret = tmp_path / "secret"
    secret.write_text("nameserver of-the-node\n")
    (root / "etc/resolv.conf").symlink_to(target.format(secret=secret))
    assert resolver(pid) == ""


def test_a_link_within_the_pod_is_followed(pod):
    pid, root = pod
    (root / "run").mkdir()
    (root / "run/stub").write_text("nameserver 10.0.0.1\n")
    (root / "etc/resolv.conf").symlink_to("/run/stub")
    assert resolver(pid) == "nameserver 10.0.0.1\n"


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "nothing", "huge", "binary"])
def test_what_never_ends_is_not_read(pod, kind):
    pid, root = pod
    path = root / "etc/resolv.conf"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        os.mknod(path, 0o20666, os.makedev(1, 5))  # /dev/zero
    elif kind == "folder":
        path.mkdir()
    elif kind == "huge":
        with path.open("wb") as file:
            file.truncate(1 << 40)
    elif kind == "binary":
        path.write_bytes(bytes(range(256)))
    assert len(resolver(pid)) <= 65536


@pytest.mark.parametrize(
    ("server", "error"),
    [
        ("evil.example.com", "the pod's resolv.conf names no address as its nameserver"),
        ("1.2.3", "the pod's resolv.conf names no address as its nameserver"),
        ("127.0.0.1", ""),
    ],
)
def test_only_an_address_is_asked_for_names(server, error):
    seen = run(f"""
        probe.query = lambda *given: (3, 0, b"")
        print(json.dumps(probe.ask_dns("nameserver {server}\\n", "kubernetes.default")))
    """)
    assert seen["error"] == (error or "the name does not exist")


def test_a_pod_that_holds_its_inspection_up_does_not_hold_up_the_others():
    answer = run(
        """
        probe.pids_of = lambda uids: {uid: os.getpid() for uid in uids}
        probe.POD_SECONDS = 2
        probe.AT_ONCE = 2
        probe.enter = lambda pid: None
        def look(pod, search, task):
            if pod["uid"].startswith("slow"):
                time.sleep(600)
            if pod["uid"] == "endless":
                return {"error": "x" * (50 << 20)}
            return {"error": "", "links": {}}
        probe.look_at_pod = look
        uids = ["slow1", "a", "slow2", "endless", "b", "slow3"]
        probe.main({"binaries": [], "needed": [], "uplinks": [], "pods": [{"uid": uid, "interfaces": []} for uid in uids]})
        left = os.popen(f"ps --ppid {os.getpid()} -o args=").read()
        assert "probe" not in left, left
        """
    )["pods"]
    assert answer["a"] == answer["b"] == {"error": "", "links": {}}
    for uid in ("slow1", "slow2", "slow3", "endless"):
        assert answer[uid] == {"error": "the inspection of the pod took too long, or found too much"}


def test_output_without_end_is_an_error_and_ends():
    said = run("""
        probe.MOST_BYTES = 1 << 20
        try:
            said = probe.output("cat", "/dev/zero")
        except ValueError as error:
            said = str(error)
        print(json.dumps([said, probe.output("echo", "x"), probe.output("false")]))
    """)
    assert said == ["`cat /dev/zero` printed more than 1 MiB", "x\n", ""]
