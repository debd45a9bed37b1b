"""Many nodes on one machine: a real sshd each, on a loopback address of its own, with /opt/cni and /var/lib of its own.

Each runs in a mount and a UTS namespace that ends with it; what the machine has in those folders is never seen.
"""

import os
import re
import shlex
import subprocess
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection

import pytest

from tests.contract.ssh_server import free_port, key_pair
from tests.contract.tools import sshd

START_SECONDS = 60


@dataclass(frozen=True)
class Node:
    """One of them; `cni` is its /opt/cni."""

    name: str
    address: str
    cni: Path

    @property
    def bin(self):
        return self.cni / "bin"

    def installed(self):
        return sorted(path.name for path in self.bin.iterdir()) if self.bin.exists() else []


@dataclass(frozen=True)
class Fleet:
    """All of them: one port, one user key, one host key."""

    nodes: dict
    port: int
    private_key: str
    host_key: str
    listeners: tuple[int, ...] = ()
    """Process of each sshd."""

    def processor_seconds(self):
        """What the nodes took of the processor so far: each sshd and the children that it has seen end."""
        ticks = [Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[11:15] for pid in self.listeners]
        return sum(int(tick) for node in ticks for tick in node) / os.sysconf("SC_CLK_TCK")

    def site_nodes(self, count=None):
        """`nodes` of a site that has the first `count` of them."""
        names = list(self.nodes)[:count]
        hosts = {n: {"address": self.nodes[n].address, "hostKey": self.host_key} for n in names}
        hosts[names[0]]["roles"] = ["control-plane", "etcd", "worker"]
        return {"backend": "existing", "ssh": {"user": "root", "port": self.port}, "hosts": hosts}


def refuse_without_namespaces():
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "--uts", "true"], check=False).returncode != 0:
        pytest.skip("needs root, mount and UTS namespaces")


@contextmanager
def fleet(folder, count):
    """`count` nodes, from before the first connection to after the last."""
    program, environment = sshd()
    host_private, host_public = key_pair()
    user_private, user_public = key_pair()
    port = free_port()
    host_key = folder / "host_key"
    host_key.touch(0o600)
    host_key.write_text(host_private)
    (folder / "authorized_keys").write_text(user_public + "\n")
    users = Path("/etc/passwd").read_text()
    if "\nsshd:" not in users:
        users += "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n"
    # A home of their own: what this machine's root has its shell do at each login is nothing that nodes would do.
    (folder / "home").mkdir()
    users = re.sub(r"^(root:[^:]*:0:0:[^:]*):[^:]*:", rf"\1:{folder}/home:", users, flags=re.MULTILINE)
    (folder / "passwd").write_text(users)
    nodes, listeners = {}, []
    with ExitStack() as stack:
        for i in range(1, count + 1):
            node = Node(f"node{i}", f"127.9.{i // 250}.{1 + i % 250}", folder / f"node{i}")
            node.cni.mkdir()
            nodes[node.name] = node
            listeners.append(stack.enter_context(_running(folder, node, port, program, {**os.environ, **environment})))
        _await(nodes.values(), port)
        yield Fleet(nodes, port, user_private, host_public, tuple(listeners))


@contextmanager
def _running(folder, node, port, program, environment):
    config = folder / f"{node.name}.conf"
    config.write_text(
        f"Port {port}\nListenAddress {node.address}\nHostKey {folder}/host_key\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nStrictModes no\nPermitRootLogin yes\nUsePAM no\n"
        "PasswordAuthentication no\nMaxStartups 200\n"
    )
    mounts = [
        f"hostname {node.name}",
        f"mount --bind {shlex.quote(str(folder / 'passwd'))} /etc/passwd",
        *(f"mount -t tmpfs tmpfs {place}" for place in ("/run", "/opt", "/var/lib")),
        "mkdir -p -m 755 /run/sshd /opt/cni",
        f"mount --bind {shlex.quote(str(node.cni))} /opt/cni",
        "if [ -d /etc/cni ]; then mount -t tmpfs tmpfs /etc/cni; fi",
        f"exec {shlex.join([str(program), '-D', '-e', '-f', str(config)])}",
    ]
    with (folder / f"{node.name}.log").open("wb") as log:
        process = subprocess.Popen(
            ["unshare", "--mount", "--uts", "sh", "-euc", "\n".join(mounts)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(10)


def _await(nodes, port):
    until = time.monotonic() + START_SECONDS
    for node in nodes:
        while True:
            try:
                create_connection((node.address, port), 1).close()
                break
            except OSError:
                assert time.monotonic() < until, f"{node.name} does not answer"
                time.sleep(0.05)
