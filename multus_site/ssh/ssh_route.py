"""The SSH route to the nodes of a site: logins, bastions and the password for sudo. Plain data, part of the documents on stdin."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from multus_site.model.ssh import Ssh

BASTIONS = ("bastion", "secondBastion")
"""Prefixes of the secrets of bastions, in the order of the route: bastionPrivateKey, bastionPassword. The prefix of the nodes is `ssh`."""
SUDO = "sudoPassword"
KEY_FILES = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
"""Default private keys, used without a configured key and without an agent."""
_T = TypeVar("_T")


class ReachError(Exception):
    """A host was not reached, or a command on it failed; the text is for a person."""


class OtherKeyError(ReachError):
    """The host key of a host is not the pinned one."""


class NotLetInError(ReachError):
    """A host rejects the login."""


@dataclass(frozen=True)
class Login:
    """The login to a host: at least one of private key, password and agent."""

    user: str
    private_key: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    agent: bool = False
    """Whether to try the keys of this machine's SSH agent."""
    named: str = "ssh"
    """Prefix of its secrets."""


@dataclass(frozen=True)
class Hop:
    """A bastion."""

    host: str
    port: int
    host_key: str
    """In the format of authorized_keys."""
    login: Login


@dataclass(frozen=True)
class SshRoute:
    """The route from this machine to each node."""

    login: Login
    port: int = 22
    sudo_password: str = field(default="", repr=False)
    """Empty: sudo needs none."""
    hops: tuple[Hop, ...] = ()
    """Bastions, starting with the one next to this machine."""

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> "SshRoute":
        """From the output of `asdict`. Raises TypeError or KeyError."""
        hops = tuple(Hop(**{**hop, "login": Login(**hop["login"])}) for hop in data["hops"])
        return cls(**{**data, "login": Login(**data["login"]), "hops": hops})

    def secrets(self) -> list[str]:
        """Texts that must not appear in output."""
        logins = [self.login, *(hop.login for hop in self.hops)]
        return [text for one in logins for text in (one.private_key, one.password) if text] + [self.sudo_password]


def keys_of(named: str) -> tuple[str, str]:
    """The configuration keys of a private key and a password."""
    return f"{named}PrivateKey", f"{named}Password"


def secrets_of(ssh: Ssh, read: Callable[[str, str | None], _T | None]) -> dict[str, _T]:
    """Configuration key → secret, for the secrets that are set and that the site's route needs.

    `read` gets a key, and the file that the site names for it, if any. An agent replaces the private key.
    """
    private_key, password = keys_of("ssh")
    wanted: dict[str, str | None] = {} if ssh.agent else {private_key: ssh.private_key_file}
    wanted |= dict.fromkeys((password, SUDO))
    for named in BASTIONS[: len(ssh.bastions)]:
        wanted |= dict.fromkeys(keys_of(named))
    found = {key: read(key, file) for key, file in wanted.items()}
    return {key: value for key, value in found.items() if value is not None}


def lacking(ssh: Ssh, secrets: Mapping[str, object]) -> str | None:
    """What to type if no secret for the login to the nodes is set; otherwise None."""
    if ssh.agent or any(key in secrets for key in keys_of("ssh")):
        return None
    return (
        "multus-site:sshPrivateKey is not set. Type: pulumi config set --secret multus-site:sshPrivateKey < KEY_FILE\n"
        "Or log in with a password (multus-site:sshPassword), or with the keys of your SSH agent (nodes.ssh.agent: true)"
    )


def opened_by(bastion: int, secrets: Mapping[str, object]) -> str:
    """Prefix of the secrets of a bastion: its own if one is set, otherwise that of the nodes."""
    named = BASTIONS[bastion]
    return named if any(key in secrets for key in keys_of(named)) else "ssh"


def ssh_route(ssh: Ssh, secrets: Mapping[str, str]) -> SshRoute:
    """The route of a site, with the secrets of `secrets_of`."""

    def login(user: str, named: str) -> Login:
        private_key, password = (secrets.get(key, "") for key in keys_of(named))
        return Login(user, private_key, line(password), ssh.agent and named == "ssh", named)

    hops = (
        Hop(bastion.host, bastion.port, bastion.host_key, login(bastion.user, opened_by(number, secrets)))
        for number, bastion in enumerate(ssh.bastions)
    )
    return SshRoute(login(ssh.user, "ssh"), ssh.port, line(secrets.get(SUDO, "")), tuple(hops))


def line(password: str) -> str:
    """A password without the line end that a file or a pipe adds."""
    return password.rstrip("\r\n")


def known_as(host: str, port: int) -> str:
    """A host's name in OpenSSH's known_hosts."""
    return host if port == 22 else f"[{host}]:{port}"


def known_hosts(ssh: Ssh, keys: Mapping[str, str]) -> str:
    """OpenSSH's known_hosts of a site. `keys`: address of a node → its public host key."""
    pinned = [(address, ssh.port, key) for address, key in keys.items()]
    pinned += [(bastion.host, bastion.port, bastion.host_key) for bastion in ssh.bastions]
    return "".join(f"{known_as(host, port)} {key}\n" for host, port, key in pinned)


def earlier(data: dict[str, Any], user: str, port: int) -> dict[str, Any]:
    """The route in a document of release 0.1.0, which `pulumi destroy` of a later release may get: one key, at most one bastion."""
    key, jump, host_key = data.pop("private_key"), data.pop("bastion", None), data.pop("bastion_key", "")
    hops = []
    if jump:
        login = {"user": jump.pop("user"), "private_key": key}
        hops.append({**jump, "host_key": host_key, "login": login})
    return {"login": {"user": user, "private_key": key}, "port": port, "hops": hops}
