"""Hosts to be reached, each a real sshd on loopback addresses of its own, with users, passwords and a sudo of its own.

Each runs in mount and UTS namespaces: what it needs in /etc and /usr lies over the machine's, seen by nobody else, and ends with it.
"""

import os
import shlex
import subprocess
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection

import pytest

from multus_site.ssh.ssh_route import Hop, Login
from tests.contract.ssh_server import free_port, key_pair
from tests.contract.tools import sshd, sudo

START_SECONDS = 60
PASSWORD = 'cor\'rect "horse" $taple\\'  # noqa: S105 # of users that live as long as their test
ASKED, FREE = "ops", "auto"
"""Users: whom sudo asks for the password, and whom it does not."""


@dataclass(frozen=True)
class Host:
    """One of them; its private key opens it alone."""

    name: str
    address: str
    port: int
    host_key: str
    private_key: str
    log: Path

    def login(self, user="root", **how):
        """What opens it: its key, unless `how` says what."""
        return Login(user, **(how or {"private_key": self.private_key}))

    def hop(self, login=None, host_key=None, address=None):
        """It as a bastion."""
        return Hop(address or self.address, self.port, host_key or self.host_key, login or self.login())


def refuse_without_namespaces(folder):
    (folder / "probe").mkdir(exist_ok=True)
    lie = f"mount -t overlay overlay -o lowerdir={folder}/probe:/etc /etc"
    able = os.geteuid() == 0 and subprocess.run(
        ["unshare", "--mount", "--uts", "sh", "-c", lie], capture_output=True, check=False
    )
    if not able or able.returncode:
        pytest.skip("needs root, mount and UTS namespaces and overlayfs")


@contextmanager
def running(folder, names):
    """The hosts by name; all listen on one port, the last on ::1 too."""
    refuse_without_namespaces(folder)
    port = free_port()
    hashed = subprocess.run(
        ["openssl", "passwd", "-6", "-stdin"], input=PASSWORD, capture_output=True, text=True, check=True
    ).stdout.strip()
    with ExitStack() as stack:
        hosts = {}
        for number, name in enumerate(names, 1):
            place = folder / name
            place.mkdir()
            host_private, host_public = key_pair()
            user_private, user_public = key_pair()
            hosts[name] = Host(name, f"127.9.8.{number}", port, host_public, user_private, place / "log")
            _etc(place / "etc", hashed, user_public, host_private)
            listen = [hosts[name].address, *(["::1"] if name == names[-1] else [])]
            stack.enter_context(_running(place, name, port, listen))
        for host in hosts.values():
            _await(host)
        yield hosts


def _etc(folder, hashed, authorized, host_key):
    """What lies over /etc: users, their passwords, who may sudo, keys."""
    (folder / "keys").mkdir(parents=True)
    (folder / "pam.d").mkdir()
    for directory in (folder, folder / "keys", folder / "pam.d"):
        directory.chmod(0o755)
    users = {"root": 0, "sshd": 65533, ASKED: 61001, FREE: 61002}
    texts = {
        "passwd": "".join(f"{name}:x:{uid}:{uid}::/:/bin/sh\n" for name, uid in users.items()),
        "group": "".join(f"{name}:x:{uid}:\n" for name, uid in users.items()),
        "shadow": "".join(f"{name}:{hashed}:19000:0:99999:7:::\n" for name in users),
        "sudoers": f"Defaults !lecture, timestamp_timeout=0\n{ASKED} ALL=(ALL) ALL\n{FREE} ALL=(ALL) NOPASSWD: ALL\n",
        "pam.d/sudo": "auth required pam_unix.so\naccount required pam_unix.so\nsession required pam_permit.so\n",
        "keys/host": host_key,
        **{f"keys/{name}": authorized + "\n" for name in users},
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
        (folder / name).chmod({"shadow": 0o600, "sudoers": 0o440, "keys/host": 0o600}.get(name, 0o644))


@contextmanager
def _running(folder, name, port, listen):
    program, environment = sshd()
    unpacked = sudo()
    addresses = "".join(f"ListenAddress {address}\n" for address in listen)
    (folder / "etc" / "sshd_config").write_text(
        f"Port {port}\n{addresses}HostKey /etc/keys/host\nPidFile none\nAuthorizedKeysFile /etc/keys/%u\nStrictModes no\n"
        "PermitRootLogin yes\nUsePAM no\nPasswordAuthentication yes\nMaxStartups 200\nLogLevel VERBOSE\n"
    )
    mounts = [
        f"hostname {name}",
        f"mount -t overlay overlay -o lowerdir={shlex.quote(str(folder))}/etc:/etc /etc",
        *([f"mount -t overlay overlay -o lowerdir={shlex.quote(str(unpacked))}/usr:/usr /usr"] if unpacked else []),
        "mount -t tmpfs tmpfs /run && mkdir -p -m 755 /run/sshd",
        "cd /",
        f"exec {shlex.join([str(program), '-D', '-e', '-f', '/etc/sshd_config'])}",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["unshare", "--mount", "--uts", "sh", "-euc", "\n".join(mounts)],
            env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def _await(host):
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            create_connection((host.address, host.port), 1).close()
        except OSError:
            assert time.monotonic() < until, f"{host.name} does not answer: {host.log.read_text()}"
            time.sleep(0.05)
        else:
            return


@contextmanager
def agent(folder, *private_keys):
    """An SSH agent with these keys; its socket."""
    socket = folder / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    try:
        while not socket.exists():
            assert process.poll() is None
            time.sleep(0.02)
        for key in private_keys:
            subprocess.run(
                ["ssh-add", "-"], input=key, text=True, capture_output=True, check=True,
                env={**os.environ, "SSH_AUTH_SOCK": str(socket)},
            )  # fmt: skip
        yield socket
    finally:
        process.terminate()
        process.wait(10)
