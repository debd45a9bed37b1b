"""multus_site/verify/leftovers.py on a folder of the test's own, with the real host-local: what is left is found, what is used or just begins is not touched."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from multus_site.verify import leaks, leftovers

CACHE = Path(os.environ.get("MULTUS_SITE_CACHE", Path.home() / ".cache/multus-site"))
PLUGINS = next(
    (
        p
        for p in [Path(os.environ.get("CNI_PLUGINS", "/nonexistent")), *sorted(CACHE.glob("built/cni-plugins-*"))]
        if (p / "host-local").exists()
    ),
    None,
)
needs_plugins = pytest.mark.skipif(
    PLUGINS is None, reason="no CNI plugins in $CNI_PLUGINS nor built by the lab (make lab)"
)
RUNNING, GONE, STARTING = "a" * 64, "b" * 64, "c" * 64
CLUSTER = '{"name": "cbr0", "cniVersion": "0.3.1", "plugins": [{"type": "bridge", "ipam": {"type": "host-local"}}]}'


class Node:
    """A node's files below a folder, and the runtime's list of sandboxes as crictl prints it."""

    def __init__(self, folder):
        self.root = folder / "root"
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.pods = folder / "pods.json"
        program = self.bin / "crictl"
        program.write_text(f'#!/bin/sh\n[ "$*" = "pods -o json" ] || exit 2\nexec cat {self.pods}\n')
        program.chmod(0o755)
        self.runs(RUNNING)
        self.put("/etc/cni/net.d/00-multus.conf", '{"name": "multus-cni-network", "type": "multus-shim"}')
        self.put("/etc/cni/net.d/10-flannel.conflist", CLUSTER)
        self.put("/etc/cni/net.d/87-podman.conflist", '{"name": "podman"}')

    def runs(self, *sandboxes):
        # the fields that are read, as crictl 1.34 prints them
        items = [
            {"id": one, "metadata": {"name": "p", "namespace": "d"}, "state": "SANDBOX_READY"} for one in sandboxes
        ]
        self.pods.write_text(json.dumps({"items": items}))

    def put(self, path, text, age=3600):
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        then = time.time() - age
        os.utime(file, (then, then))
        return file

    def reserve(self, address, sandbox, network="cbr0", age=3600, folder="/var/lib/cni/networks"):
        return self.put(f"{folder}/{network}/{address}", f"{sandbox}\r\neth0", age)

    def audit(self, *, free=False, configs=(), names=()):
        """As it runs on a node: a program of its own, by the node's Python."""
        text = Path(leftovers.__file__).read_text() + "\nmain(json.loads(sys.argv[1]))\n"
        done = subprocess.run(
            [sys.executable, "-c", f"{text}".replace("import time\n", "import time\nimport sys\n", 1),
             json.dumps(leaks.task(configs, names, free=free))],
            env={**os.environ, "MULTUS_SITE_ROOT": str(self.root), "PATH": f"{self.bin}:{os.environ['PATH']}"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        return leaks.read_audit(done.stdout)


@pytest.fixture
def node(tmp_path):
    return Node(tmp_path)


def left(seen, kind="address"):
    assert seen.error == ""
    return [(one.network, one.what) for one in seen.left if one.kind == kind]


def test_what_runs_or_begins_is_never_touched(node):
    files = [node.reserve("10.1.0.2", RUNNING), node.reserve("10.1.0.3", STARTING, age=leaks.START_SECONDS - 30)]
    for free in (False, True):
        seen = node.audit(free=free)
        assert left(seen) == []
        assert seen.reserved == {"cbr0": ("10.1.0.2", "10.1.0.3")}
    assert all(file.exists() for file in files)


def test_what_is_gone_is_found_and_given_back_once(node):
    file = node.reserve("10.1.0.4", GONE)
    seen = node.audit()
    assert left(seen) == [("cbr0", "10.1.0.4")]
    assert not seen.left[0].freed
    assert file.exists()
    (line,) = (leak.line() for leak in leaks.leaks_of_node("node2", seen))
    assert line == "node2: 10.1.0.4 of cbr0 is reserved for sandbox bbbbbbbbbbbbb (eth0), which is gone, since 1 h"
    seen = node.audit(free=True)
    assert seen.left[0].freed
    assert not file.exists()
    assert left(node.audit(free=True)) == []


def test_a_sandbox_that_is_stopped_but_listed_keeps_its_address(node):
    node.runs(RUNNING, GONE)
    node.reserve("10.1.0.4", GONE)
    assert left(node.audit(free=True)) == []


@pytest.mark.parametrize("text", ["", "\r\n", GONE[:20]])
def test_a_reservation_that_a_full_disk_cut_short_is_left(node, text):
    node.put("/var/lib/cni/networks/cbr0/10.1.0.5", text)
    assert left(node.audit(free=True)) == [("cbr0", "10.1.0.5")]


def test_networks_of_other_programs_are_not_judged(node):
    kept = [
        node.reserve("10.88.0.2", GONE, "podman"),
        node.reserve("10.4.0.2", f"default-{GONE}", "bridge"),
        node.reserve("10.1.0.9", f"default-{GONE}"),
        node.put("/var/lib/cni/networks/cbr0/last_reserved_ip.0", "10.1.0.9"),
        node.put("/var/lib/cni/networks/cbr0/lock", ""),
        node.put(f"/var/lib/cni/results/podman-{GONE}-eth0", json.dumps({"networkName": "podman", "containerId": GONE})),
    ]  # fmt: skip
    assert node.audit(free=True).left == ()
    assert all(file.exists() for file in kept)


def test_networks_are_known_from_the_site_other_attachments_the_node_and_multus_cache(node):
    own = json.dumps({"name": "internal", "plugins": [{"type": "macvlan", "ipam": {"type": "host-local", "dataDir": "/srv/leases"}}]})  # fmt: skip
    node.reserve("10.1.10.1", GONE, "internal")
    node.reserve("10.1.10.2", GONE, "internal", folder="/srv/leases")
    node.reserve("10.1.20.1", GONE, "theirs")
    node.reserve("10.1.30.1", GONE, "of-node")
    node.put("/etc/cni/multus/net.d/multus-site-of-node.conflist", '{"name": "of-node", "plugins": []}')
    node.reserve("10.1.40.1", GONE, "forgotten")
    node.put(f"/var/lib/cni/multus/results/forgotten-{RUNNING}-net1", json.dumps({"networkName": "forgotten", "containerId": RUNNING}))  # fmt: skip
    seen = node.audit(configs=[own, "{", "[]"], names=["theirs"])
    assert sorted(left(seen)) == [
        ("forgotten", "10.1.40.1"),
        ("internal", "10.1.10.1"),
        ("internal", "10.1.10.2"),
        ("of-node", "10.1.30.1"),
        ("theirs", "10.1.20.1"),
    ]


@pytest.mark.parametrize("name", ["../../../../srv", "/srv", "..", ".", "a/b", "a\nb", ""])
def test_a_name_that_a_tenant_chose_leads_nowhere_else(node, name):
    victim = node.put("/srv/10.0.0.1", "")
    node.put("/var/lib/cni/10.0.0.1", "")
    seen = node.audit(free=True, names=[name], configs=[json.dumps({"name": name, "type": "macvlan"})])
    assert left(seen) == []
    assert victim.exists()


def test_caches_of_sandboxes_that_are_gone_go_and_others_stay(node):
    whole = json.dumps([{"Bytes": "e30="}])
    kept = [
        node.put(f"/var/lib/cni/multus/{RUNNING}", whole),
        node.put(f"/var/lib/cni/multus/{STARTING}", whole, age=10),
        node.put(f"/var/lib/cni/multus/results/internal-{RUNNING}-net1", json.dumps({"containerId": RUNNING, "networkName": "internal"})),
        node.put(f"/var/lib/cni/results/cni-loopback-{RUNNING}-lo", "{}"),
    ]  # fmt: skip
    gone = [
        node.put(f"/var/lib/cni/multus/{GONE}", whole),
        node.put(f"/var/lib/cni/multus/results/internal-{GONE}-net1", "{"),
        node.put(f"/var/lib/cni/results/multus-cni-network-{GONE}-eth0", json.dumps({"containerId": GONE, "networkName": "multus-cni-network", "ifName": "eth0"})),
    ]  # fmt: skip
    seen = node.audit(free=True)
    assert [one.kind for one in seen.left] == ["cache", "result", "result"]
    assert all(one.freed for one in seen.left)
    assert all(file.exists() for file in kept)
    assert not any(file.exists() for file in gone)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '[{"Conf"'])
def test_a_damaged_cache_of_a_pod_that_runs_is_reported_and_kept(node, text):
    file = node.put(f"/var/lib/cni/multus/{RUNNING}", text)
    (one,) = node.audit(free=True).left
    assert (one.kind, one.freed, file.exists()) == ("damaged", False, True)


@pytest.mark.parametrize(
    ("crictl", "why"),
    [
        ("echo 'connection refused' >&2; exit 1", "connection refused"),
        ("echo '{'", "something else than pods"),
        ("echo '{\"items\": [{}]}'", "something else than pods"),
        ("echo null", "something else than pods"),
    ],
)
def test_without_the_list_of_sandboxes_nothing_is_judged(node, crictl, why):
    file = node.reserve("10.1.0.4", GONE)
    (node.bin / "crictl").write_text(f"#!/bin/sh\n{crictl}\n")
    seen = node.audit(free=True)
    assert why in seen.error
    assert seen.left == ()
    assert file.exists()


def test_a_sandbox_with_processes_counts_even_if_the_runtime_forgot_it(node):
    folders = [Path(base) for base in ("/sys/fs/cgroup/pids", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup")]
    group = next((one / f"cri-containerd-{GONE}.scope" for one in folders if os.access(one, os.W_OK)), None)
    try:
        assert group is not None
        group.mkdir()
    except (OSError, AssertionError):
        pytest.skip("no control group can be made here")
    file = node.reserve("10.1.0.4", GONE)
    process = subprocess.Popen(["sleep", "60"])
    try:
        (group / "cgroup.procs").write_text(str(process.pid))
        assert left(node.audit(free=True)) == []
        assert file.exists()
    finally:
        process.kill()
        process.wait()
        time.sleep(0.1)
        group.rmdir()
    assert left(node.audit(free=True)) == [("cbr0", "10.1.0.4")]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to make network namespaces")
def test_namespaces_without_a_process_are_left_with_their_links(node):
    empty, used = "cni-11111111-test", "cni-22222222-test"
    for name in (empty, used):
        subprocess.run(["ip", "netns", "add", name], check=True)
    holder = subprocess.Popen(["ip", "netns", "exec", used, "sleep", "60"])
    try:
        subprocess.run(["ip", "-n", empty, "link", "add", "net1", "type", "dummy"], check=False)
        (node.root / "run").mkdir()
        (node.root / "run/netns").symlink_to("/run/netns")
        # young: it may belong to a sandbox that starts
        assert left(node.audit(free=True), "namespace") == []
        answer = patched_age(node, 0)
        assert [one["what"] for one in answer if one["kind"] == "namespace"] == [empty]
        names = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
        assert empty not in names
        assert used in names
    finally:
        holder.kill()
        holder.wait()
        for name in (empty, used):
            subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)


def patched_age(node, older):
    """The audit with another age, which only tests may choose: a namespace's age cannot be set."""
    task = {**leaks.task((), free=True), "older": older}
    text = Path(leftovers.__file__).read_text() + f"\nmain(json.loads({json.dumps(task)!r}))\n"
    done = subprocess.run(
        [sys.executable, "-c", text],
        env={**os.environ, "MULTUS_SITE_ROOT": str(node.root), "PATH": f"{node.bin}:{os.environ['PATH']}"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)["left"]


def host_local(node, command, sandbox):
    """The real plugin, as a plugin of the node calls it."""
    config = {"cniVersion": "1.0.0", "name": "cbr0", "type": "bridge", "ipam": {
        "type": "host-local", "dataDir": str(node.root / "var/lib/cni/networks"), "ranges": [[{"subnet": "10.9.0.0/24"}]]}}  # fmt: skip
    return subprocess.run(
        [PLUGINS / "host-local"],
        input=json.dumps(config), capture_output=True, text=True, check=False,
        env={"CNI_COMMAND": command, "CNI_CONTAINERID": sandbox, "CNI_NETNS": "/none", "CNI_IFNAME": "eth0", "CNI_PATH": "/none"},
    )  # fmt: skip


@needs_plugins
def test_the_real_plugin_reserves_while_leaks_are_given_back_and_no_address_is_held_twice(node):
    wanted = [f"{i:064x}" for i in range(1, 41)]
    node.runs(*wanted)
    old = [node.reserve(f"10.9.0.{i}", f"{i:x}".rjust(64, "f")) for i in range(100, 200)]
    results = {}

    def add():
        for sandbox in wanted:
            done = host_local(node, "ADD", sandbox)
            assert done.returncode == 0, done.stdout
            results[sandbox] = json.loads(done.stdout)["ips"][0]["address"].partition("/")[0]

    adding = threading.Thread(target=add)
    adding.start()
    rounds = 0
    while adding.is_alive() or rounds == 0:
        node.audit(free=True)
        rounds += 1
    adding.join()
    assert len(set(results.values())) == len(wanted)
    folder = node.root / "var/lib/cni/networks/cbr0"
    held = {file.name: file.read_text().split()[0] for file in folder.iterdir() if file.name[0].isdigit()}
    assert held == {address: sandbox for sandbox, address in results.items()}
    assert not any(file.exists() for file in old)


@needs_plugins
def test_the_real_plugins_reservation_is_found_when_its_sandbox_is_gone(node):
    assert host_local(node, "ADD", GONE).returncode == 0
    (file,) = (f for f in (node.root / "var/lib/cni/networks/cbr0").iterdir() if f.name[0].isdigit())
    os.utime(file, (time.time() - 3600,) * 2)
    assert left(node.audit(free=True)) == [("cbr0", file.name)]
    # free for the next one
    assert host_local(node, "ADD", RUNNING).returncode == 0
