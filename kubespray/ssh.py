"""OpenSSH options that hold for Ansible and for our own few commands alike: pinned keys, our key only, nothing of the user's own."""

import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubespray.document import Jump

CONNECT_SECONDS = 15


def explained(text: str) -> str:
    """What OpenSSH said; where a host showed another key than the pinned one, what that means here instead of OpenSSH's advice."""
    if "Host key verification failed" not in text:
        return text
    return (
        "it showed another SSH host key than the one that is pinned for it, so nothing was sent to it.\n"
        "If the machine was made anew, pin its new key (nodes.hosts.<node>.hostKey; ssh-keyscan -t ed25519 <address> prints it, compare it on the "
        "machine's console). If not, find out who answers at its address.\nHost key verification failed"
    )


@dataclass(frozen=True)
class Shell:
    """Runs commands on hosts of one site."""

    key: Path
    known_hosts: Path
    bastion: Jump | None = None

    def options(self) -> list[str]:
        """Arguments for ssh. Kubespray's ansible.cfg switches host key checking off; with these it is on."""
        pinned = [
            "-F", "/dev/null",
            "-o", "StrictHostKeyChecking=yes",
            "-o", f'UserKnownHostsFile="{self.known_hosts}"',
            "-o", "GlobalKnownHostsFile=/dev/null",
            "-o", f'IdentityFile="{self.key}"',
            "-o", "IdentitiesOnly=yes",
            "-o", "BatchMode=yes",
            "-o", f"ConnectTimeout={CONNECT_SECONDS}",
            "-o", "ServerAliveInterval=15",
            "-o", "ServerAliveCountMax=4",
        ]  # fmt: skip
        if self.bastion is None:
            return pinned
        through = [
            "ssh",
            *pinned,
            "-W",
            "%h:%p",
            "-p",
            str(self.bastion.port),
            f"{self.bastion.user}@{self.bastion.host}",
        ]
        return [*pinned, "-o", f"ProxyCommand={shlex.join(through)}"]

    def run(
        self, host: dict[str, Any], command: str, given: str = "", seconds: int = 60
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command as root on a host; `host` is its variables. Return code 255: it could not be reached."""
        sudo = "" if host["ansible_user"] == "root" else "sudo -n "
        target = f"{host['ansible_user']}@{host['ansible_host']}"
        arguments = [
            "ssh",
            *self.options(),
            "-p",
            str(host["ansible_port"]),
            target,
            f"{sudo}sh -c {shlex.quote(command)}",
        ]
        try:
            return subprocess.run(
                arguments,
                input=given,
                capture_output=True,
                text=True,
                timeout=seconds,
                start_new_session=True,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(arguments, 255, "", f"no answer within {seconds} s")
