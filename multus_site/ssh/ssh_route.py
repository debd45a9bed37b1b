"""The way to the nodes of a site: what opens them, the bastions before them, what sudo wants. Plain data that runners get by stdin."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from multus_site.model.ssh import Ssh

BASTIONS = ("bastion", "secondBastion")
"""What the secrets of a bastion begin with, in the order of the way: bastionPrivateKey, bastionPassword. Those of the nodes begin with `ssh`."""
SUDO = "sudoPassword"
KEY_FILES = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
"""Private keys that are used where none is named and there is no agent."""
_T = TypeVar("_T")


class ReachError(Exception):
    """A host is not reached, or a command on it failed; the text is for a person."""


class OtherKeyError(ReachError):
    """A host showed another host key than the one that is pinned for it."""


class NotLetInError(ReachError):
    """A host does not take what it was shown."""


@dataclass(frozen=True)
class Login:
    """What opens a host. One of the three is there at least."""

    user: str
    private_key: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    agent: bool = False
    """Whether the keys of this machine's SSH agent are tried."""
    named: str = "ssh"
    """What the names of its secrets begin with."""


@dataclass(frozen=True)
class Hop:
    """A bastion."""

    host: str
    port: int
    host_key: str
    """As in authorized_keys."""
    login: Login


@dataclass(frozen=True)
class Way:
    """From this machine to each node."""

    login: Login
    port: int = 22
    sudo_password: str = field(default="", repr=False)
    """Empty: sudo is not to ask for one."""
    hops: tuple[Hop, ...] = ()
    """Bastions, the first from here first."""

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> "Way":
        """From what `asdict` made of one. Raises TypeError or KeyError where it is none."""
        hops = tuple(Hop(**{**hop, "login": Login(**hop["login"])}) for hop in data["hops"])
        return cls(**{**data, "login": Login(**data["login"]), "hops": hops})

    def secrets(self) -> list[str]:
        """All that nobody may see."""
        logins = [self.login, *(hop.login for hop in self.hops)]
        return [text for one in logins for text in (one.private_key, one.password) if text] + [self.sudo_password]


def keys_of(named: str) -> tuple[str, str]:
    """The keys of a stack's configuration for a private key and a password."""
    return f"{named}PrivateKey", f"{named}Password"


def secrets_of(ssh: Ssh, read: Callable[[str, str | None], _T | None]) -> dict[str, _T]:
    """Key of the configuration → its secret, of those that are set and that the site's way needs.

    `read` gets a key and the file that the site names instead, if it does. An agent's keys stand in for the private key.
    """
    private_key, password = keys_of("ssh")
    wanted: dict[str, str | None] = {} if ssh.agent else {private_key: ssh.private_key_file}
    wanted |= dict.fromkeys((password, SUDO))
    for named in BASTIONS[: len(ssh.bastions)]:
        wanted |= dict.fromkeys(keys_of(named))
    found = {key: read(key, file) for key, file in wanted.items()}
    return {key: value for key, value in found.items() if value is not None}


def lacking(ssh: Ssh, there: Mapping[str, object]) -> str | None:
    """What to type where nothing opens the nodes."""
    if ssh.agent or any(key in there for key in keys_of("ssh")):
        return None
    return (
        "multus-site:sshPrivateKey is not set. Type: pulumi config set --secret multus-site:sshPrivateKey < KEY_FILE\n"
        "Or log in with a password (multus-site:sshPassword), or with the keys of your SSH agent (nodes.ssh.agent: true)"
    )


def opened_by(bastion: int, there: Mapping[str, object]) -> str:
    """What the secrets that open a bastion begin with: its own, where it has any, else the nodes'."""
    named = BASTIONS[bastion]
    return named if any(key in there for key in keys_of(named)) else "ssh"


def way(ssh: Ssh, secrets: Mapping[str, str]) -> Way:
    """The way that a site describes, with the secrets of `secrets_of`."""

    def login(user: str, named: str) -> Login:
        private_key, password = (secrets.get(key, "") for key in keys_of(named))
        return Login(user, private_key, line(password), ssh.agent and named == "ssh", named)

    hops = (
        Hop(bastion.host, bastion.port, bastion.host_key, login(bastion.user, opened_by(number, secrets)))
        for number, bastion in enumerate(ssh.bastions)
    )
    return Way(login(ssh.user, "ssh"), ssh.port, line(secrets.get(SUDO, "")), tuple(hops))


def line(password: str) -> str:
    """A password as it is typed: what a file or a pipe put behind it is no part of it."""
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
    """Takes the way out of a document of release 0.1.0, whose stack may be destroyed by a later one: one key, one bastion at most."""
    key, jump, host_key = data.pop("private_key"), data.pop("bastion", None), data.pop("bastion_key", "")
    hops = []
    if jump:
        login = {"user": jump.pop("user"), "private_key": key}
        hops.append({**jump, "host_key": host_key, "login": login})
    return {"login": {"user": user, "private_key": key}, "port": port, "hops": hops}
