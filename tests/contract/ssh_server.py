"""A real sshd on a loopback port, with keys of its own and nothing written outside its folder."""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.contract.tools import sshd

_START_SECONDS = 15.0


@dataclass(frozen=True)
class SshHost:
    """A host to reach: everything that a `connection` needs."""

    port: int
    user: str
    private_key: str
    host_key: str
    log: Path

    def connection(self, **other: Any) -> dict[str, Any]:
        """Arguments for pulumi_command.remote.ConnectionArgs, with `other` in their place."""
        given = {
            "host": "127.0.0.1",
            "port": self.port,
            "user": self.user,
            "private_key": self.private_key,
            "host_key": self.host_key,
            "dial_error_limit": 2,
        }
        return {**given, **other}


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def key_pair() -> tuple[str, str]:
    """(private key in OpenSSH's format, public key as in authorized_keys)."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private.decode(), public.decode()


@contextmanager
def running(folder: Path) -> Iterator[SshHost]:
    """sshd, from before the first connection to after the last."""
    program, environment = sshd()
    host_private, host_public = key_pair()
    user_private, user_public = key_pair()
    _secret(folder / "host_key", host_private)
    (folder / "authorized_keys").write_text(user_public + "\n")
    port, user, log = free_port(), pwd.getpwuid(os.getuid()).pw_name, folder / "sshd.log"
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nStrictModes no\nPermitRootLogin yes\nUsePAM no\n"
        "PasswordAuthentication no\nAcceptEnv CONTRACT_*\nSubsystem sftp internal-sftp\nMaxStartups 100\n"
    )
    command = [str(program), "-D", "-e", "-f", str(folder / "sshd_config")]
    with log.open("wb") as output:
        process = subprocess.Popen(
            _privileged(folder, command) if os.getuid() == 0 else command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait(process, port, log)
        yield SshHost(port, user, user_private, host_public, log)
    finally:
        process.terminate()
        process.wait(10)


def _privileged(folder: Path, command: list[str]) -> list[str]:
    """As root, sshd wants a user and a folder of its own: given in a mount namespace that nobody else sees."""
    if shutil.which("unshare") is None:
        pytest.skip("no unshare to hide sshd's needs in. Type: apt-get install util-linux")
    users = Path("/etc/passwd").read_text()
    if "\nsshd:" not in users:
        users += "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n"
    (folder / "passwd").write_text(users)
    script = (
        f"mount --bind {shlex.quote(str(folder / 'passwd'))} /etc/passwd\n"
        f"mount -t tmpfs tmpfs /run\nmkdir -p -m 755 /run/sshd\nexec {shlex.join(command)}"
    )
    return ["unshare", "--mount", "sh", "-euc", script]


def _secret(path: Path, text: str) -> None:
    path.touch(0o600)
    path.write_text(text)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    process.terminate()
    pytest.skip(f"sshd does not start here: {log.read_text()[-300:]}")
