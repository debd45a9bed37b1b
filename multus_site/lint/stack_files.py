"""Rules on a stack file beside the site: its secrets, its keys, and what it shares with other stacks."""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from multus_site.lint.engine import Origin
from multus_site.lint.finding import Level
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.model.paths import Data, Path
from multus_site.model.site import Site

PREFIX = "multus-site:"

SECRETS = (
    *("sshPrivateKey", "sshPassword", "sudoPassword"),
    *("bastionPrivateKey", "bastionPassword", "secondBastionPrivateKey", "secondBastionPassword"),
    "hostKeySeed",
)
"""Keys of the stack's configuration whose value is a secret (docs/secrets.md)."""

KEYS = ("site", "kubesprayVariables", *SECRETS)


@dataclass(frozen=True, slots=True, eq=False)
class StackConfig:
    """The configuration of a stack file."""

    config: dict[str, Data]
    path: Path = ("config",)


@dataclass(frozen=True, slots=True, eq=False)
class NamedSite:
    """A site with the name of its stack; empty if the file's name does not tell it."""

    site: Site
    stack: str
    path: Path = ()


@dataclass(frozen=True, slots=True, eq=False)
class Neighbour:
    """A site in the comparison of stacks."""

    site: Site
    file: str
    origin: Origin
    path: Path = ()


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """All sites that are compared."""

    sites: Sequence[Neighbour]
    path: Path = ()


@rule(
    "STACK_SECRET",
    "error",
    "text",
    "A secret in clear text",
    example="config: {multus-site:sshPassword: letmein}",
    source="docs/secrets.md; pulumi config set --secret",
)
def stack_secret(stack: StackConfig) -> Problems:
    """Stack files are committed. Pulumi encrypts a secret in place: {secure: …}."""
    for key in SECRETS:
        name = f"{PREFIX}{key}"
        value = stack.config.get(name)
        if value is not None and not _encrypted(value):
            hint = f"Change the secret, and store the new one with: pulumi config set --secret {name}"
            yield Problem((name,), f"{name} is in clear text", hint)


def _encrypted(value: Data) -> bool:
    return isinstance(value, dict) and set(value) == {"secure"}


@rule(
    "STACK_KEY",
    "error",
    "text",
    "A key beside the site that nothing reads",
    example="config: {multus-site:sshPrivatKey: {secure: …}}",
    source="docs/secrets.md",
)
def stack_key(stack: StackConfig) -> Problems:
    """Pulumi passes any key to the program, and the program ignores those that it does not know."""
    known = [f"{PREFIX}{key}" for key in KEYS]
    for key in stack.config:
        if key in known:
            continue
        near = difflib.get_close_matches(key, known, 1, 0.85)
        if near:
            yield Problem((key,), f"nothing reads the key {key!r}", f"Did you mean {near[0]}?")
        elif key.startswith(PREFIX):
            yield Problem((key,), f"nothing reads the key {key!r}", f"Remove it; the keys are {', '.join(known)}.")


@rule(
    "SITE_NAME",
    "warning",
    "text",
    "A site whose name is not its stack's",
    example="stacks/Pulumi.dallas.yaml: config: {multus-site:site: {name: austin, …}}",
    source="docs/site.md name: cluster name, names of machines, reports",
)
def site_name(named: NamedSite) -> Problems:
    """A copied stack file keeps the name of the other site, and with it the names of its cluster and machines."""
    if named.stack and named.site.name != named.stack:
        hint = f"Write name: {named.stack}, unless the site exists under this name already."
        yield Problem(("name",), f"the site is named {named.site.name}, its stack {named.stack}", hint)


@rule(
    "SITES_SHARE_HOSTS",
    "error",
    "sites",
    "Two sites with the same hosts or the same name",
    example="the host key of dallas' node1 is that of austin's node1 too",
    source="RFC 4253: a host key names one host",
)
def sites_share_hosts(neighbours: Neighbours) -> Problems:
    """Each stack would install its own cluster on the host, over the other's. Two machines made of one image share host keys."""
    seen: dict[tuple[str, object], tuple[Neighbour, Path]] = {}
    told: set[tuple[int, int, Path]] = set()
    for here in neighbours.sites:
        for key, path, shown in _identities(here.site):
            other, there = seen.setdefault(key, (here, path))
            if other is here or (id(here), id(other), path[:3]) in told:
                continue
            told.add((id(here), id(other), path[:3]))
            # The same address with another key may be another host of another network.
            level: Level | None = "warning" if key[0] == "address" else None
            hint = "Give each site its own name." if key[0] == "name" else "Remove the host from one of the two sites."
            for one, second, place in ((here, other, path), (other, here, there)):
                yield Problem(place, f"{shown} also in {second.file}", hint, level, subject=one)


def _identities(site: Site) -> Iterator[tuple[tuple[str, object], Path, str]]:
    """What identifies a site and its hosts, with the path and the words for it."""
    yield ("name", site.name), ("name",), f"the name {site.name} is"
    if site.nodes.makes_machines:
        return
    route = tuple((bastion.host, bastion.port) for bastion in site.nodes.ssh.bastions)
    for name, host in site.nodes.hosts.items():
        path: Path = ("nodes", "hosts", name)
        if host.host_key is not None:
            yield ("key", host.host_key), (*path, "hostKey"), "this host key is"
        yield ("address", (route, host.address)), (*path, "address"), f"{host.address} is a host, reached the same way,"
