"""multus_site/scripts/multus-config.sh, run by sh on folders of the test's own: the node's configuration is ours, whole, and never missing; the link leads to the cluster's own network."""

import json
import os
import signal
import socket
import subprocess
import threading
import time

import pytest

from multus_site.render import multus

# What Kubespray's calico, the lab's flannel, cilium and kube-router write; one of them is no list.
NETWORKS = {
    "10-calico.conflist": '{"name": "cni0", "cniVersion": "0.3.1", "plugins": [{"type": "calico", "ipam": {"type": "calico-ipam", "assign_ipv4": "true"}}]}',
    "10-flannel.conflist": '{"name": "cbr0", "cniVersion": "0.3.1", "plugins": [{"type": "bridge"}]}',
    "05-cilium.conflist": '{"name": "cilium", "cniVersion": "0.3.1", "plugins": [{"type": "cilium-cni"}]}',
    "10-kuberouter.conf": '{"name": "kubernetes", "cniVersion": "0.3.1", "type": "bridge"}',
}


class Container:
    """The files of the daemon's container; the daemon is a program that waits."""

    def __init__(self, folder):
        self.net, self.own, self.given = folder / "net.d", folder / "own", folder / "given"
        self.socket = folder / "multus.sock"
        self.started = folder / "started"
        for made in (self.net, self.given):
            made.mkdir()
        for name, text in multus.given_files().items():
            (self.given / name).write_text(text)
        daemon = folder / "daemon"
        daemon.write_text(f"#!/bin/sh\necho started >>{self.started}\nexec sleep 60\n")
        daemon.chmod(0o755)
        self.environment = {
            **os.environ,
            "NET": str(self.net),
            "OURS": str(self.given / "00-multus.conf"),
            "OWN": str(self.own),
            "SOCKET": str(self.socket),
            "DAEMON": str(daemon),
        }
        self.process = None

    def script(self, argument):
        return ["sh", str(self.given / "multus-config.sh"), argument]

    def start(self):
        self.process = subprocess.Popen(self.script("run"), env=self.environment, start_new_session=True)

    def stop(self):
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def run(self):
        """Start, and wait for the daemon."""
        before = self.starts()
        self.start()
        wait_until(lambda: self.starts() > before)

    def starts(self):
        return len(self.started.read_text().split()) if self.started.exists() else 0

    def passes(self):
        return subprocess.run(self.script("check"), env=self.environment, check=False).returncode == 0

    @property
    def conf(self):
        return self.net / "00-multus.conf"

    @property
    def linked(self):
        (only,) = (self.own / "cluster-network").iterdir()
        return only

    def put(self, name):
        """As Calico does: written beside it, and renamed."""
        (self.net / ".temporary").write_text(NETWORKS[name])
        (self.net / ".temporary").rename(self.net / name)


def wait_until(true, seconds=20):
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.02)


@pytest.fixture
def container(tmp_path):
    made = Container(tmp_path)
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind(str(made.socket))
        yield made
        made.stop()


@pytest.mark.parametrize("name", NETWORKS)
def test_any_cluster_network_gets_the_same_configuration_and_its_own_link(container, name):
    container.put(name)
    container.run()
    assert json.loads(container.conf.read_text()) == multus.node_config()
    assert (container.linked.name, container.linked.read_text()) == (name, NETWORKS[name])
    assert container.conf.stat().st_mode & 0o777 == 0o600
    assert container.passes()


def test_nothing_is_written_before_the_cluster_has_its_network(container):
    (container.net / "10-calico.conflist").touch()  # being written
    (container.net / "00-multus.conflist").write_text("{}")
    (container.net / "200-loopback.txt").write_text("{}")
    container.start()
    time.sleep(0.5)
    assert not container.conf.exists()
    assert not container.passes()
    container.put("10-calico.conflist")
    wait_until(container.conf.exists)
    wait_until(container.starts)
    assert container.passes()


def test_the_first_file_is_the_cluster_network_as_for_the_runtime(container):
    for name in ("10-flannel.conflist", "10-calico.conflist"):
        container.put(name)
    (container.net / "87-podman-bridge.conflist").write_text('{"name": "podman"}')
    container.run()
    assert container.linked.name == "10-calico.conflist"


def test_a_network_that_is_written_again_is_followed_without_a_restart(container):
    container.put("10-calico.conflist")
    container.run()
    changed = NETWORKS["10-calico.conflist"].replace("true", "false")
    (container.net / "new").write_text(changed)
    (container.net / "new").rename(container.net / "10-calico.conflist")
    assert container.passes()
    assert container.linked.read_text() == changed


BREAKS = {
    "removed": lambda c: c.conf.unlink(),
    "emptied": lambda c: c.conf.write_text(""),
    "as the daemon would write it": lambda c: c.conf.write_text(
        '{"type": "multus-shim", "clusterNetwork": "/host/etc/cni/net.d/10-calico.conflist"}'
    ),
    "another network": lambda c: c.put("05-cilium.conflist"),
    "renamed": lambda c: (c.net / "10-calico.conflist").rename(c.net / "10-other.conflist"),
    "no network any more": lambda c: (c.net / "10-calico.conflist").unlink(),
    "no daemon": lambda c: c.socket.unlink(),
}


@pytest.mark.parametrize("broken", BREAKS)
def test_the_probe_fails_when_it_is_broken_and_a_restart_restores_what_it_can(container, broken):
    container.put("10-calico.conflist")
    container.run()
    assert container.passes()
    BREAKS[broken](container)
    assert not container.passes()
    if broken in {"no network any more", "no daemon"}:
        return
    container.stop()
    container.run()
    assert container.passes()
    assert container.linked.exists()


def test_a_configuration_map_that_changes_does_not_restart_the_daemon_that_runs(container):
    container.put("10-calico.conflist")
    container.run()
    (container.given / "00-multus.conf").write_text("{}")
    assert container.passes()
    container.stop()
    container.run()
    assert container.conf.read_text() == "{}"


def test_it_stays_when_the_daemon_goes_and_is_never_missing_or_half_while_it_restarts(container):
    container.put("10-calico.conflist")
    container.run()
    bad = []
    over = threading.Event()

    def read():
        while not over.is_set():
            try:
                json.loads(container.conf.read_text())
            except (OSError, ValueError) as error:
                bad.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(10):
        container.stop()
        container.run()
    over.set()
    reader.join()
    assert not bad
