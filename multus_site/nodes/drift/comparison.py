"""Compares the state of nodes with what was applied to them."""

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from multus_site.cni import go_json
from multus_site.cni.configuration import Config
from multus_site.model.nodes import ContainerNodes, Nodes
from multus_site.model.site import Site
from multus_site.nodes.drift.observation import NodeState
from multus_site.ssh.fan_out import Results
from multus_site.ssh.ssh_route import OtherKeyError
from multus_site.verify.leaks import Leak

FILES = ("/etc/cni/net.d/00-multus.conf", "/opt/cni/bin/multus-shim")
"""Files that the Multus daemon writes on each node."""


@dataclass(frozen=True)
class Drift:
    """One thing that differs from what was applied. `restored_by`: what restores it; empty: the site does not manage it."""

    node: str
    what: str
    applied: str
    found: str
    restored_by: str = ""

    def line(self) -> str:
        """A line for a person."""
        how = f"; {self.restored_by} restores it" if self.restored_by else "; the site does not manage it"
        return f"{self.node}: {self.what}: applied {self.applied}, found {self.found}{how}"

    def row(self) -> dict[str, str]:
        """The keys of the JSON output."""
        return {
            "node": self.node,
            "what": self.what,
            "applied": self.applied,
            "found": self.found,
            "mendedBy": self.restored_by,
        }


def binaries(node: str, applied: Mapping[str, Any], state: NodeState) -> Iterator[Drift]:
    """Plugin binaries: content, owner and mode."""
    for plugin, was in sorted(applied.get("plugins", {}).items()):
        now = state.plugins.get(plugin)
        path = f"/opt/cni/bin/{plugin}"
        if "sha256" not in was:
            # Calico's pod installs this plugin at each start, in Calico's version.
            if now is None:
                yield Drift(node, path, "present", "no such file", "Calico's pod")
        elif now is None:
            yield Drift(node, path, f"sha256 {was['sha256']}", "no such file", "pulumi up")
        elif now.sha256 != was["sha256"]:
            yield Drift(node, path, f"sha256 {was['sha256']}", f"sha256 {now.sha256}", "pulumi up")
        elif now.mode != "root:root 755":
            yield Drift(node, path, "root:root 755", now.mode, "pulumi up")


def cluster_plugins(node: str, applied: Mapping[str, Any], state: NodeState) -> Iterator[Drift]:
    """Plugins of the cluster's own network, which other programs installed: without one, no pod starts on the node."""
    called: set[str] = set()
    for text in state.cluster:
        data, _ = go_json.parse(base64.b64decode(text).decode(errors="replace"))
        if isinstance(data, dict):
            for plugin in Config(data, ()).plugins:
                called |= {plugin.type, plugin.ipam.type if plugin.ipam else ""}
    for plugin in sorted(called - {""} - applied.get("plugins", {}).keys()):
        path = f"/opt/cni/bin/{plugin}"
        mode = state.present.get(plugin)
        if mode is None:
            yield Drift(node, path, "present, for the cluster's own network", "no such file")
        elif not int(mode, 8) & 0o100:
            yield Drift(node, path, "executable, for the cluster's own network", f"mode {mode}")


def nics(
    node: str, applied: Mapping[str, Any], state: NodeState, *, made: bool, hardware: bool = True
) -> Iterator[Drift]:
    """NICs of networks: present, up, with their MTU and MAC address. `made`: whether `up` created the machine.

    `hardware`: whether the MAC address is that of hardware. A container gets new ones whenever it starts.
    """
    for nic, was in sorted(applied.get("facts", {}).get("nics", {}).items()):
        now = state.nics.get(nic)
        if now is None:
            yield Drift(node, nic, f"MAC {was['mac']}", "no such interface")
            continue
        if not now.up:
            yield Drift(node, f"{nic} state", "up", "down", "pulumi up")
        if now.mtu != was["mtu"]:
            yield Drift(node, f"{nic} MTU", str(was["mtu"]), str(now.mtu), "pulumi up" if made else "")
        if hardware and now.mac != was["mac"]:
            yield Drift(node, f"{nic} MAC", was["mac"], now.mac)


def networks(node: str, applied: Mapping[str, Any], state: NodeState) -> Iterator[Drift]:
    """VLAN interfaces and bonds that the site created, and configurations of the node."""
    were = applied.get("networks", {})
    for link, was in sorted(were.get("links", {}).items()):
        now = state.nics.get(link)
        if now is None:
            yield Drift(node, link, "present", "no such interface", "pulumi up")
            continue
        if not now.up:
            yield Drift(node, f"{link} state", "up", "down", "pulumi up")
        if now.mtu != was["mtu"]:
            yield Drift(node, f"{link} MTU", str(was["mtu"]), str(now.mtu), "pulumi up")
    for path, sha in sorted(were.get("files", {}).items()):
        found = state.configs.get(path)
        if found != sha:
            yield Drift(node, path, f"sha256 {sha}", f"sha256 {found}" if found else "no such file", "pulumi up")


def of_commands(nodes: Nodes, node: str, applied: Mapping[str, Any], state: NodeState) -> Iterator[Drift]:
    """Drift of what commands on the node applied; they do not restore all of it."""
    yield from binaries(node, applied, state)
    yield from cluster_plugins(node, applied, state)
    yield from nics(node, applied, state, made=nodes.makes_machines, hardware=not isinstance(nodes, ContainerNodes))
    yield from networks(node, applied, state)


def files(node: str, state: NodeState) -> Iterator[Drift]:
    """Files of the Multus daemon, which restores them within a minute."""
    for path in FILES:
        if path not in state.files:
            yield Drift(node, path, "present", "missing", "the Multus daemon")


def identity(node: str, applied: Mapping[str, Any], state: NodeState) -> Iterator[Drift]:
    """Machine ID and host name."""
    for key, what, now in (("machineId", "machine-id", state.machineId), ("hostname", "host name", state.hostname)):
        was = applied.get("facts", {}).get(key)
        if was and was != now:
            yield Drift(node, what, str(was), now)


def kubespray(site: Site, states: Mapping[str, NodeState]) -> Iterator[Drift]:
    """The applied release of Kubespray, from the record on the first control plane node that has one."""
    for node in site.with_role("control-plane"):
        record = states[node].kubespray if node in states else None
        if record:
            applied = record.get("applied")
            version = applied.get("version") if isinstance(applied, dict) else None
            if version != site.kubespray.version:
                yield Drift(node, "Kubespray", site.kubespray.version, str(version or "none"), "pulumi up")
            if record.get("attempted"):
                yield Drift(
                    node, "Kubespray's last playbook", "finished", f"{record['attempted']} did not succeed", "pulumi up"
                )
            return
    first = site.with_role("control-plane")[0]
    if first in states:
        yield Drift(first, "record of Kubespray", site.kubespray.version, "missing", "pulumi up")


def left_behind(leaks: Iterable[Leak]) -> list[Drift]:
    """What pods left on nodes and in the pools of whereabouts: `up` gives back all but the damaged cache of a pod that runs."""
    return [
        Drift(leak.where, leak.what, "nothing without a pod", leak.kind, "pulumi up" if leak.returnable else "")
        for leak in leaks
    ]


def drifts(
    site: Site, applied: Mapping[str, Mapping[str, Any]], observed: Results[NodeState]
) -> tuple[list[Drift], dict[str, str]]:
    """All drift; and node → reason, for nodes whose state is unknown."""
    found: list[Drift] = []
    unknown: dict[str, str] = {}
    for node, error in observed.failed.items():
        if isinstance(error, OtherKeyError):
            found.append(Drift(node, "SSH host key", "the pinned one", "another one"))
        else:
            unknown[node] = str(error)
    for node, state in observed.done.items():
        found += identity(node, applied[node], state)
        found += files(node, state)
        found += of_commands(site.nodes, node, applied[node], state)
    return [*found, *kubespray(site, observed.done)], unknown
