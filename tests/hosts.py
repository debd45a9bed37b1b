"""Bare hosts as a data centre has them: each in namespaces of its own with NICs of its own, a real sshd, its own name, machine-id and host key.

    outside (203.0.113.1) ─── bastion (203.0.113.9, 10.1.1.1, fd00:1::1) ─── node1 (10.1.1.5, fd00:1::5), node2 (10.1.1.6, …), …

Commands run outside, or on the bastion. Everything ends with the holders of the namespaces, and nothing of it is seen on the machine itself.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.contract.ssh_server import key_pair
from tests.contract.tools import REPOSITORY, sshd

BASTION = "203.0.113.9"
START_SECONDS = 60


def refuse_without_namespaces():
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "--uts", "--net", "true"], check=False).returncode:
        pytest.skip("needs root, mount, UTS and network namespaces")


@dataclass
class Hosts:
    """All of them. `keys`: host → its public host key."""

    folder: Path
    key: Path
    """File with the private key that opens them."""
    outside: int
    """Process that holds the namespaces of who is not among them."""
    inside: int
    keys: dict = field(default_factory=dict)
    listeners: dict = field(default_factory=dict)

    def enter(self, holder, *command):
        """A command line that runs there."""
        return ["nsenter", f"--net=/proc/{holder}/ns/net", *command]

    def run(self, *arguments, through=False, **options):
        """`multus-site` on the bastion, or outside of it."""
        command = self.enter(self.outside if through else self.inside, sys.executable, "-m", "multus_site", *arguments)
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, **options)

    def known_hosts(self, *hosts):
        """A file with the keys of these: known_hosts' name → host."""
        file = self.folder / "known_hosts"
        file.write_text("".join(f"{shown} {self.keys[host]}\n" for shown, host in hosts))
        return file

    def new_host_key(self, host):
        """Its sshd has another host key at its next start."""
        private, self.keys[host] = key_pair()
        (self.folder / f"{host}.key").write_text(private)

    def another_answers(self, host):
        """From now on a host shows another key."""
        self.new_host_key(host)
        self.listeners[host].send_signal(signal.SIGHUP)
        log = self.folder / f"{host}.log"
        until = time.monotonic() + START_SECONDS
        while log.read_text().count("Server listening on 0.0.0.0") < 2:
            assert time.monotonic() < until, log.read_text()[-500:]
            time.sleep(0.05)


@contextmanager
def hosts(folder, count, *, setup=None, port=22):
    """A bastion and `count` hosts, from before the first connection to after the last. `setup`: host → commands on it before its sshd starts."""
    program, environment = sshd()
    private, public = key_pair()
    key = folder / "id_ed25519"
    key.touch(0o600)
    key.write_text(private)
    (folder / "authorized_keys").write_text(public + "\n")
    (folder / "home").mkdir()
    users = re.sub(
        r"^(root:[^:]*:0:0:[^:]*):[^:]*:", rf"\1:{folder}/home:", Path("/etc/passwd").read_text(), flags=re.M
    )
    users += "ops:x:1000:1000::/:/bin/sh\n" + (
        "" if "\nsshd:" in users else "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n"
    )
    (folder / "passwd").write_text(users)
    with ExitStack() as stack:
        spaces = {
            name: stack.enter_context(_space())
            for name in ("outside", "bastion", *(f"node{i}" for i in range(1, count + 1)))
        }
        made = Hosts(folder, key, spaces["outside"], spaces["bastion"])
        _wired(spaces)
        for name, holder in spaces.items():
            if name != "outside":
                commands = (setup or {}).get(name, [])
                made.listeners[name] = stack.enter_context(
                    _listening(
                        made,
                        name,
                        holder,
                        22 if name == "bastion" else port,
                        commands,
                        program,
                        {**os.environ, **environment},
                    )
                )
        for name in made.listeners:
            _await(made, name, 22 if name == "bastion" else port)
        yield made


@contextmanager
def _space():
    process = subprocess.Popen(["unshare", "--net", "--uts", "sleep", "600"])
    until = time.monotonic() + START_SECONDS
    while Path(f"/proc/{process.pid}/ns/net").readlink() == Path("/proc/self/ns/net").readlink():
        assert time.monotonic() < until
        time.sleep(0.01)
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait(10)


def _wired(spaces):
    outside, bastion = spaces["outside"], spaces["bastion"]
    lines = [
        (outside, f"ip link set lo up; ip link add eth0 type veth peer name eth0 netns {bastion}; ip addr add 203.0.113.1/24 dev eth0; ip link set eth0 up"),
        (bastion, f"ip link set lo up; ip addr add {BASTION}/24 dev eth0; ip link set eth0 up; for b in br0 br6 br7; do ip link add $b type bridge; ip link set $b up; done"),
        (bastion, "ip addr add 10.1.1.1/24 dev br0; ip -6 addr add fd00:1::1/64 dev br0 nodad"),
    ]  # fmt: skip
    for i, holder in enumerate(holder for name, holder in spaces.items() if name.startswith("node")):
        for nic, bridge in (("eth0", "br0"), ("ens6", "br6"), ("ens7", "br7")):
            port = f"{bridge}-{i + 1}"
            lines.append(
                (
                    bastion,
                    f"ip link add {port} type veth peer name {nic} netns {holder}; ip link set {port} master {bridge} up",
                )
            )
            lines.append((holder, f"ip link set {nic} up"))
        lines.append(
            (
                holder,
                f"ip link set lo up; ip addr add 10.1.1.{5 + i}/24 dev eth0; ip -6 addr add fd00:1::{5 + i}/64 dev eth0 nodad; ip route add default via 10.1.1.1",
            )
        )
    for holder, line in lines:
        subprocess.run(["nsenter", f"--net=/proc/{holder}/ns/net", "sh", "-euc", line], check=True)


@contextmanager
def _listening(made, name, holder, port, commands, program, environment):
    folder = made.folder
    (folder / f"{name}.key").touch(0o600)
    made.new_host_key(name)
    (folder / f"{name}.id").write_text(f"{name.encode().hex():0>32}\n")
    config = folder / f"{name}.conf"
    config.write_text(
        f"Port {port}\nHostKey {folder}/{name}.key\nPidFile none\nAuthorizedKeysFile {folder}/authorized_keys\n"
        "StrictModes no\nPermitRootLogin yes\nUsePAM no\nPasswordAuthentication no\nMaxStartups 100\n"
    )
    # /run/systemd/container is how systemd tells what it runs in; a listener that is gone with its key is there again at once.
    inside = [
        f"hostname {name}",
        "mount -t sysfs none /sys", "mount -t tmpfs tmpfs /run", "mount -t tmpfs tmpfs /var/lib", "mkdir -p -m 755 /run/sshd /run/systemd",
        "echo systemd-nspawn >/run/systemd/container",
        f"mount --bind {folder}/passwd /etc/passwd",
        f"mount --bind {folder}/{name}.id /etc/machine-id",
        *commands,
        f"exec {shlex.join([str(program), '-D', '-e', '-f', str(config)])}",
    ]  # fmt: skip
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            ["nsenter", f"--net=/proc/{holder}/ns/net", f"--uts=/proc/{holder}/ns/uts", "unshare", "--mount", "sh", "-euc", "\n".join(inside)],
            env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=REPOSITORY,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)


def _await(made, name, port):
    until = time.monotonic() + START_SECONDS
    address = BASTION if name == "bastion" else f"10.1.1.{4 + int(name[4:])}"
    probe = f"import socket; socket.create_connection(({address!r}, {port}), 1)"
    while subprocess.run(
        made.enter(made.inside, sys.executable, "-c", probe), capture_output=True, check=False
    ).returncode:
        assert made.listeners[name].poll() is None, (made.folder / f"{name}.log").read_text()[-500:]
        assert time.monotonic() < until, f"{name} does not answer"
        time.sleep(0.05)
