"""The data of a new site, from answers: one a host, a network, a workload."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from multus_site.model.defaults import Defaults
from multus_site.model.load import SiteError, parse_site
from multus_site.model.site import Site

HOST = "NAME=ADDRESS[,RACK]"
NETWORK = "NAME=[TYPE:]MASTER,RANGE[,GATEWAY]"
WORKLOAD = "NAME=IMAGE[,NETWORK…]"
_TYPES = "macvlan, ipvlan, vlan.ID (such as vlan.110) or sriov (MASTER is then the pool, such as intel.com/fast)"
_ROLES = ["control-plane", "etcd", "worker"]
_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMMBiOX5o5vhHt6iyc5/g8YeZZ4gvCxLKOYupGSW5Sv/"
"""Stands for a key that is not known yet, so that the rest can be checked."""
_HEAD = "# yaml-language-server: $schema=./site.schema.json\n"


class AnswerError(ValueError):
    """An answer that cannot be used; the message says why."""


@dataclass
class NewSite:
    """What was answered so far. `base` is the site that it is copied from."""

    name: str
    user: str | None = None
    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)
    networks: dict[str, dict[str, Any]] = field(default_factory=dict)
    workloads: dict[str, dict[str, Any]] = field(default_factory=dict)
    base: dict[str, Any] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)
    """The options that give the same answers."""

    def take(self, option: str, text: str, defaults: Defaults | None) -> None:
        """One more answer. Raises AnswerError, and is as before, if the site could not have it."""
        name, equals, value = text.partition("=")
        if not name or not equals or not value:
            msg = f"{option} {text}: not NAME=…; see multus-site new --help"
            raise AnswerError(msg)
        part = {"--node": self.hosts, "--network": self.networks, "--workload": self.workloads}[option]
        if name in part:
            msg = f"{option} {text}: {name} is used twice; give each its own name"
            raise AnswerError(msg)
        read = {"--node": _host, "--network": _network, "--workload": _workload}[option]
        part[name] = read(text, value)
        if self.hosts:
            try:
                self.check(defaults)
            except SiteError as error:
                del part[name]
                raise AnswerError(str(error)) from None
        self.flags += [option, text]

    def data(self, *, checked: bool = False) -> dict[str, Any]:
        """The site; `checked`: with a key for each host that has none yet."""
        hosts = {}
        first = 3 if len(self.hosts) >= 3 else 1
        for i, (name, host) in enumerate(self.hosts.items()):
            key = host.get("hostKey") or (_KEY if checked else "")
            hosts[name] = {"address": host["address"], "hostKey": key}
            if i < first:
                hosts[name]["roles"] = list(_ROLES)
            if "rack" in host:
                hosts[name]["rack"] = host["rack"]
        nodes = {"backend": "existing", **self.base.get("nodes", {})}
        if self.user:
            nodes["ssh"] = {**nodes.get("ssh", {}), "user": self.user}
        found = {**self.base, "name": self.name, "nodes": {**nodes, "hosts": hosts}}
        for key, own in (("networks", self.networks), ("workloads", self.workloads)):
            if own or found.get(key):
                found[key] = {**found.get(key, {}), **own}
        return {key: found[key] for key in dict.fromkeys(("name", "nodes", *found))}

    def check(self, defaults: Defaults | None) -> Site:
        """Raises SiteError for everything that is wrong, but for missing host keys."""
        return parse_site(self.data(checked=True), source=f"site {self.name}", defaults=defaults)

    def copy(self, base: Mapping[str, Any], defaults: Defaults | None) -> list[str]:
        """Take over what fits of another site: everything but its name and hosts. Returns what was left out, and why."""
        self.base = {key: value for key, value in base.items() if key not in {"name", "racks"}}
        nodes = dict(base.get("nodes", {}))
        nodes.pop("hosts", None)
        self.base["nodes"] = nodes
        left: list[str] = []
        while True:
            try:
                self.check(defaults)
            except SiteError as error:
                gone = {mistake.path[:2]: mistake for mistake, _ in error.mistakes}
                dropped = [str(gone[path]) for path in gone if _drop(self.base, path)]
                if not dropped:
                    raise
                left += dropped
                continue
            return left


def _drop(data: dict[str, Any], path: Sequence[str | int]) -> bool:
    part = data.get(str(path[0])) if path else None
    if len(path) == 2 and path[0] != "nodes" and isinstance(part, dict) and path[1] in part:
        data[str(path[0])] = {key: value for key, value in part.items() if key != path[1]}
        return True
    return False


def _host(text: str, value: str) -> dict[str, Any]:
    address, comma, rack = value.partition(",")
    if comma and not rack:
        msg = f"--node {text}: not {HOST}, such as node1=10.1.1.5,r1"
        raise AnswerError(msg)
    return {"address": address, **({"rack": rack} if rack else {})}


def _network(text: str, value: str) -> dict[str, Any]:
    kind, colon, rest = value.partition(":")
    if not colon or "," in kind:
        kind, rest = "macvlan", value
    master, _, rest = rest.partition(",")
    addresses, _, gateway = rest.partition(",")
    if not master or not addresses:
        msg = f"--network {text}: not MASTER,RANGE[,GATEWAY], such as ens6,10.20.0.0/24,10.20.0.1"
        raise AnswerError(msg)
    kind, _, number = kind.partition(".")
    if kind not in {"macvlan", "ipvlan", "vlan", "sriov"} or bool(number) != (kind == "vlan"):
        msg = f"--network {text}: TYPE is {_TYPES}; write any other type into the file (docs/networks.md)"
        raise AnswerError(msg)
    ipam = {"type": "whereabouts", "range": addresses, **({"gateway": gateway} if gateway else {})}
    own = {"resourceName": master} if kind == "sriov" else {"master": master}
    return {
        "type": kind,
        **own,
        **({"vlanId": int(number) if number.isdigit() else number} if number else {}),
        "ipam": ipam,
    }


def _workload(text: str, value: str) -> dict[str, Any]:
    image, *networks = value.split(",")
    if not image or not all(networks):
        msg = f"--workload {text}: not {WORKLOAD}, such as probe=registry.k8s.io/pause:3.10,core"
        raise AnswerError(msg)
    return {"image": image, **({"networks": networks} if networks else {})}


def text_of(data: dict[str, Any], file: Path) -> str:
    """The stack file: a new one, or the one that is there with the site in it, such as what `pulumi stack init` wrote."""
    yaml = YAML()
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    there = file.read_text(encoding="utf-8") if file.exists() else ""
    stack = yaml.load(there) or {}
    config = stack.setdefault("config", {})
    config.setdefault("pulumi:disable-default-providers", ["*"])
    config["multus-site:site"] = data
    out = StringIO()
    yaml.dump(stack, out)
    return ("" if "yaml-language-server" in there else _HEAD) + out.getvalue()
