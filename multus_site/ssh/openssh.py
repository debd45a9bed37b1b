"""OpenSSH options for Ansible and for commands of multus-site: pinned host keys and the site's logins; the user's SSH configuration is ignored."""

import contextlib
import os
import shlex
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from multus_site.ssh.ssh_route import Hop, Login, SshRoute
from multus_site.ssh.sudo import as_root, prompted

CONNECT_SECONDS = 15

NO_SSH = "ssh is not on PATH, so no host can be reached; install it: apt-get install openssh-client"

ASKPASS = Path(__file__).parent / "askpass.sh"


def explained(text: str) -> str:
    """The error output of OpenSSH or sudo, with what to do about it. Replaces OpenSSH's advice for a host key that is not the pinned one."""
    if "sudo: a password is required" in text:
        return f"{text}\nTo set the password: pulumi config set --secret multus-site:sudoPassword"
    if "sudo: no password was provided" in text or "incorrect password attempt" in text:
        return f"{text}\nsudo rejects multus-site:sudoPassword"
    if "Host key verification failed" not in text:
        return text
    return (
        "its SSH host key is not the pinned one, so nothing was sent to it.\n"
        "If the machine was recreated, pin its new key (nodes.hosts.<node>.hostKey; ssh-keyscan -t ed25519 <address> prints it; compare it with the one on the "
        "console of the machine). If not, find out which machine answers at its address.\nHost key verification failed"
    )


@dataclass(frozen=True)
class Shell:
    """Runs commands on the hosts of one site."""

    route: SshRoute
    keys: Path
    """Folder with private keys and passwords, as `lay_out` writes it."""
    known_hosts: Path
    running: "list[subprocess.Popen[str]]" = field(default_factory=list, repr=False)
    """What threads wait for at the moment."""
    ended: threading.Event = field(default_factory=threading.Event, repr=False)
    """Set when nobody waits for the threads any more, such as after Ctrl-C."""

    def options(self) -> list[str]:
        """Arguments for ssh. They turn on host key checking, which Kubespray's ansible.cfg turns off."""
        return [*self._pinned(self.route.login, "node"), *self._through(self.route.hops)]

    def environment(self) -> dict[str, str]:
        """Environment variables for ssh: the askpass program, and the socket of the agent."""
        agent = os.environ.get("SSH_AUTH_SOCK", "") if self._agent() else ""
        return {**self._asking(self.route.login, "node"), **({"SSH_AUTH_SOCK": agent} if agent else {})}

    def run(
        self, host: Mapping[str, Any], command: str, stdin: str = "", seconds: int = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as root on a host. `host`: its variables in the inventory. Return code 255: the host was not reached."""
        user, password = str(host["ansible_user"]), self.route.sudo_password
        arguments = [
            "ssh",
            *self.options(),
            "-p",
            str(host["ansible_port"]),
            f"{user}@{host['ansible_host']}",
            as_root(f"sh -c {shlex.quote(command)}", user, password=bool(password)),
        ]
        try:
            with subprocess.Popen(
                arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
                env={**os.environ, **self.environment()},
            ) as process:
                self.running.append(process)
                if self.ended.is_set():  # while it started
                    process.kill()
                try:
                    out, err = process.communicate(prompted(user, password) + stdin, seconds)
                except subprocess.TimeoutExpired:
                    process.kill()
                    return subprocess.CompletedProcess(arguments, 255, "", f"no answer within {seconds} s")
                finally:
                    self.running.remove(process)
            return subprocess.CompletedProcess(arguments, process.returncode, out, err)
        except FileNotFoundError:
            return subprocess.CompletedProcess(arguments, 255, "", NO_SSH)

    def by_hand(self, host: Mapping[str, Any]) -> str:
        """The command for a person to connect to the host."""
        key = " -i KEY" if self.route.login.private_key else ""
        port = "" if host["ansible_port"] == 22 else f" -p {host['ansible_port']}"
        hops = [
            f"{hop.login.user}@{f'[{hop.host}]' if ':' in hop.host else hop.host}:{hop.port}" for hop in self.route.hops
        ]
        jumps = f" -J {','.join(hops)}" if hops else ""
        return f"ssh{key}{port}{jumps} -o UserKnownHostsFile={os.path.relpath(self.known_hosts)} {host['ansible_user']}@{host['ansible_host']}"

    def _agent(self) -> bool:
        return any(login.agent for login in (self.route.login, *(hop.login for hop in self.route.hops)))

    def _pinned(self, login: Login, name: str) -> list[str]:
        """Options for one host of the route. `name`: name of its files in `keys`."""
        key = f'"{self.keys / f"{name}.key"}"' if login.private_key else "none"
        words = {
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": f'"{self.known_hosts}"',
            "GlobalKnownHostsFile": "/dev/null",
            "IdentityFile": key,
            "IdentitiesOnly": "no" if login.agent else "yes",
            "IdentityAgent": "SSH_AUTH_SOCK" if login.agent else "none",
            "BatchMode": "no" if login.password else "yes",
            **(_PASSWORD if login.password else {}),
            "ConnectTimeout": str(CONNECT_SECONDS),
            "ServerAliveInterval": "15",
            "ServerAliveCountMax": "4",
        }
        return ["-F", "/dev/null", *(part for word, value in words.items() for part in ("-o", f"{word}={value}"))]

    def _through(self, hops: tuple[Hop, ...]) -> list[str]:
        """The option for these bastions: each has an ssh process of its own, with its own key, password and pinned host key."""
        if not hops:
            return []
        *before, last = hops
        name = _name(len(before))
        environment = [f"{key}={value}" for key, value in self._asking(last.login, name).items()]
        # Addresses of the earlier hops are written out: ssh would replace %h and %p in all of them with those of the last.
        through = [
            *(["env", *environment] if environment else []),
            "ssh",
            *self._pinned(last.login, name),
            *(part.replace("[%h]:%p", f"[{last.host}]:{last.port}") for part in self._through(tuple(before))),
            "-W",
            "[%h]:%p",
            "-p",
            str(last.port),
            f"{last.login.user}@{last.host}",
        ]
        return ["-o", f"ProxyCommand={shlex.join(through)}"]

    def _asking(self, login: Login, name: str) -> dict[str, str]:
        if not login.password:
            return {}
        file = str(self.keys / f"{name}.password")
        return {"SSH_ASKPASS": str(ASKPASS), "SSH_ASKPASS_REQUIRE": "force", "MULTUS_SITE_PASSWORD_FILE": file}


_PASSWORD = {
    # ssh takes the first value of an option: the one with which Ansible turns passwords off comes later.
    "PasswordAuthentication": "yes",
    "KbdInteractiveAuthentication": "yes",
    "PreferredAuthentications": "publickey,password,keyboard-interactive",
    "NumberOfPasswordPrompts": "1",
}


@contextlib.contextmanager
def shell(route: SshRoute, hosts: str) -> Iterator[Shell]:
    """A shell for the nodes. Its secrets are in files that only the owner can read, and that are deleted on exit. `hosts`: known_hosts."""
    with tempfile.TemporaryDirectory(prefix="multus-site-") as name:
        folder = Path(name)
        lay_out(route, folder / "keys")
        (folder / "known_hosts").write_text(hosts)
        reached = Shell(route, folder / "keys", folder / "known_hosts")
        try:
            yield reached
        finally:
            reached.ended.set()
            for process in list(reached.running):
                process.kill()


def lay_out(route: SshRoute, keys: Path) -> None:
    """Write the private keys and passwords into a new folder, in files that only the owner can read."""
    shutil.rmtree(keys, ignore_errors=True)
    keys.mkdir(mode=0o700)
    logins = {"node": route.login, **{_name(number): hop.login for number, hop in enumerate(route.hops)}}
    for name, login in logins.items():
        for kind, text in (("key", login.private_key.strip()), ("password", login.password)):
            if text:
                write_secret(keys / f"{name}.{kind}", text + "\n")


def write_secret(file: Path, text: str) -> None:
    """Create a file that only the owner can read."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(text)


def _name(number: int) -> str:
    return f"bastion{number}"
