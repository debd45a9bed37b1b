"""Credentials for hosts that are not in a site yet: a key file, the SSH agent or a password; and their form in the site."""

import asyncio
import contextlib
import getpass
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from multus_site.cli.usage_error import usage_error
from multus_site.ssh.ssh_route import KEY_FILES, keys_of


@dataclass(frozen=True)
class Opening:
    """The credentials: at least a key, an agent or a password."""

    key_file: Path | None
    private_key: str
    agent: bool
    password: str
    sudo_password: str

    @property
    def called(self) -> str:
        """For messages."""
        shown = [
            (str(self.key_file), self.private_key),
            ("the keys of your SSH agent", self.agent),
            ("that password", self.password),
        ]
        return " or ".join(what for what, there in shown if there)

    @property
    def file_in_project(self) -> str | None:
        """The path of the key file in the project, if it is there."""
        if self.key_file is None:
            return None
        file, here = self.key_file.expanduser().resolve(), Path.cwd()
        return str(file.relative_to(here)) if file.is_relative_to(here) else None

    def secrets(self, stack: str) -> list[str]:
        """Commands that set the secrets that are not in a file of the project."""
        key, password = keys_of("ssh")
        command = f"pulumi config set --stack {stack} --secret multus-site:"
        lines = [f"{command}{key} < {self.key_file}"] if self.private_key and not self.file_in_project else []
        lines += [f"{command}{password}"] if self.password else []
        return [*lines, f"{command}sudoPassword"] if self.sudo_password else lines


def opening(key: Path | None, *, ask_password: bool, ask_sudo_password: bool) -> Opening:
    """The credentials that the options select. Exits 2 if there are none."""
    password = _asked("Password on the hosts: ") if ask_password else ""
    sudo_password = _asked("sudo's password on the hosts: ") if ask_sudo_password else ""
    file, text, agent = key, "", False
    if key is not None:
        text = _private_key(key)
    elif not ask_password:
        agent = asyncio.run(_agent_has_keys())
        if not agent:
            file = next((f for f in map(Path, KEY_FILES) if f.expanduser().is_file()), None)
            if file is None:
                usage_error(
                    "no key found, neither in an SSH agent nor in ~/.ssh; name its file with --key, or add --ask-password"
                )
            text = _private_key(file)
    return Opening(file, text, agent, password, sudo_password)


def _private_key(file: Path) -> str:
    """Its text."""
    try:
        text = file.expanduser().read_text(encoding="utf-8")
        asyncssh.import_private_key(text)
    except OSError as error:
        usage_error(f"{file} cannot be read: {error.strerror}; name the file of your private key")
    except ValueError as error:
        if "passphrase" in str(error).lower():
            usage_error(f"{file} has a passphrase; type ssh-add {file}, and omit --key")
        usage_error(f"{file} contains no private key; name the file without .pub")
    return text


async def _agent_has_keys() -> bool:
    path = os.environ.get("SSH_AUTH_SOCK")
    keys: object = None
    if path:
        with contextlib.suppress(OSError, ValueError):  # the agent is gone
            async with await asyncssh.connect_agent(path) as agent:
                keys = await agent.get_keys()
    return bool(keys)


def _asked(question: str) -> str:
    """A secret, from the terminal or a line of standard input."""
    if sys.stdin.isatty():
        return getpass.getpass(question)
    return sys.stdin.readline().rstrip("\r\n")
