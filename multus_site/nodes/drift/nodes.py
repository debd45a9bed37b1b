"""Looks at nodes, and holds what is there against what was applied."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from multus_site.model.nodes import Nodes
from multus_site.model.site import Site
from multus_site.render.script import script
from multus_site.ssh.openssh import Shell

SECONDS = 30
FILES = ("/etc/cni/net.d/00-multus.conf", "/opt/cni/bin/multus-shim")
"""What the Multus daemon puts on each node."""


@dataclass(frozen=True)
class Drift:
    """One thing that is not as it was applied. `mended_by`: what puts it back; empty: not ours to put back."""

    node: str
    what: str
    applied: str
    found: str
    mended_by: str = ""

    def line(self) -> str:
        """For a person."""
        how = f"; {self.mended_by} puts it back" if self.mended_by else "; it is not ours to put back"
        return f"{self.node}: {self.what}: applied was {self.applied}, found is {self.found}{how}"

    def row(self) -> dict[str, str]:
        """For machines."""
        row = asdict(self)
        return {
            "node": row["node"],
            "what": row["what"],
            "applied": row["applied"],
            "found": row["found"],
            "mendedBy": row["mended_by"],
        }


class Unreachable(Exception):
    """A node that cannot be looked at; the text says why."""


def look(shell: Shell, nodes: Nodes, node: str, applied: Mapping[str, Any]) -> dict[str, Any]:
    """What is on a node. `applied`: its facts, plugins and networks in the output `nodes`. Raises Unreachable."""
    host = nodes.hosts[node]
    variables = {
        "PLUGINS": " ".join(sorted(applied.get("plugins", {}))),
        "UPLINKS": " ".join(
            sorted({*applied.get("facts", {}).get("nics", {}), *applied.get("networks", {}).get("links", {})})
        ),
    }
    reached = {"ansible_host": host.address, "ansible_port": nodes.ssh.port, "ansible_user": nodes.ssh.user}
    done = shell.run(reached, "sh -s", script("state", variables), SECONDS)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no answer"]
        raise Unreachable("host key" if "Host key verification failed" in done.stderr else said[-1])
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def look_at_all(
    shell: Shell, nodes: Nodes, applied: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any] | Unreachable]:
    """Every node that something was applied to and that is still the site's, all at once."""

    def one(node: str) -> dict[str, Any] | Unreachable:
        try:
            return look(shell, nodes, node, applied[node])
        except Unreachable as error:
            return error

    names = [node for node in applied if node in nodes.hosts]
    with ThreadPoolExecutor(max(1, min(32, len(names)))) as pool:
        return dict(zip(names, pool.map(one, names), strict=True))


def binaries(node: str, applied: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Drift]:
    """Plugin binaries: content, owner and mode."""
    there = found.get("plugins", {})
    for plugin, was in sorted(applied.get("plugins", {}).items()):
        now = there.get(plugin)
        path = f"/opt/cni/bin/{plugin}"
        if "sha256" not in was:
            # Calico renews its own at each start of its pod: what they are is Calico's.
            if now is None:
                yield Drift(node, path, "there", "no such file", "Calico's pod")
        elif now is None:
            yield Drift(node, path, f"sha256 {was['sha256']}", "no such file", "pulumi up")
        elif now["sha256"] != was["sha256"]:
            yield Drift(node, path, f"sha256 {was['sha256']}", f"sha256 {now['sha256']}", "pulumi up")
        elif now["mode"] != "root:root 755":
            yield Drift(node, path, "root:root 755", now["mode"], "pulumi up")


def nics(node: str, applied: Mapping[str, Any], found: Mapping[str, Any], *, made: bool) -> Iterator[Drift]:
    """NICs that networks are on: there, up, with the MTU and MAC that they had. `made`: the machine was made by `up`."""
    there = found.get("nics", {})
    for nic, was in sorted(applied.get("facts", {}).get("nics", {}).items()):
        now = there.get(nic)
        if now is None:
            yield Drift(node, nic, f"MAC {was['mac']}", "no such interface")
            continue
        if not now["up"]:
            yield Drift(node, f"{nic} state", "up", "down", "pulumi up")
        if now["mtu"] != was["mtu"]:
            yield Drift(node, f"{nic} MTU", str(was["mtu"]), str(now["mtu"]), "pulumi up" if made else "")
        if now["mac"] != was["mac"]:
            yield Drift(node, f"{nic} MAC", was["mac"], now["mac"])


def networks(node: str, applied: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Drift]:
    """What networks have on the node for themselves: VLAN sub-interfaces and bonds, and configurations that differ by node."""
    ours = applied.get("networks", {})
    for link, was in sorted(ours.get("links", {}).items()):
        now = found.get("nics", {}).get(link)
        if now is None:
            yield Drift(node, link, "there", "no such interface", "pulumi up")
            continue
        if not now["up"]:
            yield Drift(node, f"{link} state", "up", "down", "pulumi up")
        if now["mtu"] != was["mtu"]:
            yield Drift(node, f"{link} MTU", str(was["mtu"]), str(now["mtu"]), "pulumi up")
    for path, sha in sorted(ours.get("files", {}).items()):
        there = found.get("configs", {}).get(path)
        if there != sha:
            yield Drift(node, path, f"sha256 {sha}", f"sha256 {there}" if there else "no such file", "pulumi up")


def mendable(nodes: Nodes, node: str, applied: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Drift]:
    """What drifted of that which the node's own commands apply; not all of it is theirs to put back."""
    yield from binaries(node, applied, found)
    yield from nics(node, applied, found, made=nodes.makes_machines)
    yield from networks(node, applied, found)


def files(node: str, found: Mapping[str, Any]) -> Iterator[Drift]:
    """What the Multus daemon put there; it does so again within a minute."""
    for path in FILES:
        if path not in found.get("files", []):
            yield Drift(node, path, "there", "missing", "the Multus daemon")


def identity(node: str, applied: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Drift]:
    """Whether it is the same machine still."""
    for key, what in (("machineId", "machine-id"), ("hostname", "host name")):
        was, now = applied.get("facts", {}).get(key), found.get(key)
        if was and was != now:
            yield Drift(node, what, str(was), str(now))


def kubespray(site: Site, seen: Mapping[str, Mapping[str, Any]]) -> Iterator[Drift]:
    """The release of Kubespray that was applied, by the record on the first control plane node that has one."""
    for node in site.with_role("control-plane"):
        record = seen.get(node, {}).get("kubespray")
        if record:
            version = (record.get("applied") or {}).get("version")
            if version != site.kubespray.version:
                yield Drift(node, "Kubespray", site.kubespray.version, str(version or "none"), "pulumi up")
            if record.get("attempted"):
                yield Drift(
                    node, "Kubespray's last playbook", "finished", f"{record['attempted']} did not succeed", "pulumi up"
                )
            return
    first = site.with_role("control-plane")[0]
    if first in seen:
        yield Drift(first, "record of Kubespray", site.kubespray.version, "missing", "pulumi up")


def drifts(
    site: Site, applied: Mapping[str, Mapping[str, Any]], seen: Mapping[str, dict[str, Any] | Unreachable]
) -> tuple[list[Drift], dict[str, str]]:
    """All that drifted, and the nodes that could not be looked at with the reason."""
    found: list[Drift] = []
    blind: dict[str, str] = {}
    looked: dict[str, dict[str, Any]] = {}
    for node, state in seen.items():
        if isinstance(state, Unreachable):
            if str(state) == "host key":
                found.append(Drift(node, "SSH host key", "the pinned one", "another one"))
            else:
                blind[node] = str(state)
            continue
        looked[node] = state
        for some in (
            identity(node, applied[node], state),
            files(node, state),
            mendable(site.nodes, node, applied[node], state),
        ):
            found += some
    return [*found, *kubespray(site, looked)], blind
