"""Turns facts of hosts into nodes of a site. Pure: no host, no files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from multus_site.cli.adoption import Adopted
from multus_site.cli.host_list import Target
from multus_site.model.types import label

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""Kernel's name → name in a site."""

MASTERS = ("physical", "bond", "vlan", "veth")
"""Kinds of interfaces that networks can use; veth are the NICs of system containers."""

_API_SERVER = "/etc/kubernetes/manifests/kube-apiserver.yaml"
_ETCD = ("/var/lib/etcd/member", "/etc/kubernetes/manifests/etcd.yaml")


@dataclass(frozen=True, slots=True)
class Seen:
    """An inspected host: `facts` are the output of multus_site/scripts/facts.sh."""

    target: Target
    host_key: str
    facts: Mapping[str, Any]

    @property
    def host_name(self) -> str:
        """The host's own name."""
        return str(self.facts["hostname"])

    @property
    def nics(self) -> dict[str, Mapping[str, Any]]:
        """NICs that do not belong to pods, by name."""
        kinds = (*MASTERS, "bridge")
        return {name: nic for name, nic in sorted(self.facts["nics"].items()) if nic["kind"] in kinds}

    def has(self, address: str) -> bool:
        """Whether this is an address of the host, or the one that it is reached at."""
        of_nics = [one for nic in self.facts["nics"].values() for one in nic["addresses"]]
        held = [one.partition("/")[0] for one in (*of_nics, *self.facts["loopback"])]
        return address in (self.target.address, *held)


def state(nic: Mapping[str, Any]) -> str:
    """Why an interface cannot be a network's master, in a word or two; empty if it can."""
    if nic.get("master"):
        return f"in {nic['master']}"
    if nic["addresses"] or nic["default"]:
        return "has addresses"
    if not nic["up"]:
        return "down"
    if not nic["carrier"]:
        return "no carrier"
    return "" if nic["kind"] in MASTERS else str(nic["kind"])


def take_over(adopted: Adopted, seen: Sequence[Seen]) -> dict[str, Seen]:
    """Adds hosts to the site and updates those that its cluster reported: name → host, in the given order."""
    named = _named(adopted, seen)
    of_cluster = dict(adopted.hosts)
    hosts = {}
    for name, host in named.items():
        architecture = ARCHITECTURES.get(host.facts["architecture"])
        if architecture is None:
            adopted.left_out.append(
                f"{host.target.called}: its architecture is {host.facts['architecture']}; a site's hosts are amd64 or arm64"
            )
            continue
        address = of_cluster.get(name, {}).get("address", host.target.address)
        if address != host.target.address:
            adopted.findings.append(
                f"{name}: its address in the cluster is {address}, but it was reached at {host.target.address}; the site file has the address in the cluster, since `up` connects to that one"
            )
        hosts[name] = {"address": address, "hostKey": host.host_key}
        if architecture != "amd64":
            hosts[name]["architecture"] = architecture
    adopted.hosts = {}
    for name, roles in _roles(adopted, {n: named[n] for n in hosts}, of_cluster).items():
        adopted.hosts[name] = {**hosts[name], **({"roles": roles} if roles != ["worker"] else {})}
    adopted.hosts |= {name: host for name, host in of_cluster.items() if name not in named}
    found = {name: named[name] for name in hosts}
    adopted.findings += _differences(found)
    adopted.remarks["networks"] = _nics(found, bool(adopted.networks))
    return found


def _named(adopted: Adopted, seen: Sequence[Seen]) -> dict[str, Seen]:
    """Name → host. The name is the user's, else the cluster's, else the host's own if it is unique, else its position in the list."""
    given = [
        host.target.name or next((n for n, node in adopted.hosts.items() if host.has(node["address"])), "")
        for host in seen
    ]
    own = [host.host_name.partition(".")[0].lower() for host in seen]
    own = [name if _is_label(name) and name != "localhost" else "" for name in own]
    named: dict[str, Seen] = {}
    for i, host in enumerate(seen):
        name = given[i]
        if not name and own.count(own[i]) == 1 and own[i] not in {*given, *adopted.hosts}:
            name = own[i]
        if not name:
            taken = {*given, *own, *adopted.hosts, *named}
            name = next(free for n in range(i + 1, i + 2 + len(taken)) if (free := f"node{n}") not in taken)
        if name in named:
            adopted.left_out.append(f"{host.target.called}: {named[name].target.called} already has the name {name}")
            continue
        named[name] = host
    return named


def _is_label(text: str) -> bool:
    try:
        label(text)
    except ValueError:
        return False
    return True


def _roles(
    adopted: Adopted, hosts: Mapping[str, Seen], of_cluster: Mapping[str, dict[str, Any]]
) -> dict[str, list[str]]:
    """Roles of each host in the existing cluster; a proposal if there is none."""
    if of_cluster:
        return {name: of_cluster.get(name, {}).get("roles", ["worker"]) for name in hosts}
    if any(host.facts["cluster"]["kubelet"] for host in hosts.values()):
        adopted.remarks["hosts"] = [
            "Roles come from what runs on the hosts. Only the cluster knows whether pods run on",
            "control plane nodes too: adopt with --kubeconfig asks it.",
        ]
        return {name: _running(host.facts["cluster"]) for name, host in hosts.items()}
    first = 3 if len(hosts) >= 3 else 1
    where = "on three hosts, so that one can fail" if first == 3 else "on one host"
    adopted.remarks["hosts"] = [
        f"Roles are a proposal: control plane and etcd are {where}.",
        "Pods run there too; remove worker if they must not.",
    ]
    return {name: ["control-plane", "etcd", "worker"] if i < first else ["worker"] for i, name in enumerate(hosts)}


def _running(cluster: Mapping[str, Any]) -> list[str]:
    """Roles of a host, from its files."""
    left = cluster["left"]
    roles = ["control-plane"] if _API_SERVER in left else []
    roles += ["etcd"] if any(path in left for path in _ETCD) else []
    return roles + (["worker"] if cluster["kubelet"] or not roles else [])


def _free(hosts: Mapping[str, Seen]) -> dict[str, list[str]]:
    """Interface that can be a network's master → hosts where it can."""
    free: dict[str, list[str]] = {}
    for name, host in hosts.items():
        for nic, found in host.nics.items():
            if not state(found):
                free.setdefault(nic, []).append(name)
    return dict(sorted(free.items()))


def _differences(hosts: Mapping[str, Seen]) -> list[str]:
    """Differences between hosts in the interfaces that can be masters."""
    sentences = []
    for nic, able in _free(hosts).items():
        if others := [name for name in hosts if name not in able]:
            there = {name: hosts[name].facts["nics"].get(nic) for name in others}
            why = [f"{name} ({state(found) if found else 'missing'})" for name, found in there.items()]
            sentences.append(f"{nic} is free on {_several(able)}, and not on {_several(why)}")
        for key, what in (("mtu", "MTU"), ("speed", "speed in Mbit/s"), ("driver", "driver")):
            values: dict[str, list[str]] = {}
            for name in able:
                values.setdefault(str(hosts[name].facts["nics"][nic][key] or "unknown"), []).append(name)
            if len(values) > 1:
                found = "; ".join(f"{value} on {_several(names)}" for value, names in values.items())
                sentences.append(f"{nic} differs in its {what}: {found}")
    return sentences


def _several(names: Sequence[str]) -> str:
    """Up to five names, and the number of the others."""
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _nics(hosts: Mapping[str, Seen], have_networks: bool) -> list[str]:
    """Comment: the interfaces of the hosts, and a proposed network on each that is free on all hosts."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name, host in hosts.items():
        for nic, found in host.nics.items():
            groups.setdefault((nic, described(found)), []).append(name)
    lines = ["Interfaces of the hosts. One that is free, up and without an address, can be a network's master."]
    for (nic, what), names in sorted(groups.items()):
        lines.append(f"  {nic}: {what} ({'all hosts' if len(names) == len(hosts) else _several(names)})")
    proposed = [nic for nic, able in _free(hosts).items() if len(able) == len(hosts)]
    if proposed and not have_networks:
        lines += ["With your own addresses for RANGE:", "networks:"]
        lines += [
            f"  {nic.replace('.', '-').lower()}-net: {{type: macvlan, master: {nic}, ipam: {{type: whereabouts, range: RANGE}}}}"
            for nic in proposed
        ]
    return lines


def described(nic: Mapping[str, Any]) -> str:
    """An interface in one line, without what differs on every host: MAC and addresses."""
    speed = f"{nic['speed'] / 1000:g} Gbit/s" if nic["speed"] else ""
    return ", ".join(filter(None, [nic["driver"] or nic["kind"], speed, f"MTU {nic['mtu']}", state(nic) or "free"]))
