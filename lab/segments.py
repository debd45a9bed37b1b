"""Create three layer-2 segments with gateways in a network namespace, as a data centre has them.

A segment is a bridge to which podman connects nodes. Podman chooses the name of a bridge, and deletes the bridge with its
last container. So the bridge is created here first, under podman's name, with an extra port that keeps it.
"""

import contextlib
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab.cache import LabError
from lab.place import MOUNTS, NAMESPACE, NAMESPACE_FILE, RUN, Place, enter
from lab.podman import podman


@dataclass(frozen=True)
class Segment:
    """One layer-2 segment. `gateway`: address and prefix length of its router."""

    name: str
    gateway: str
    addresses_by_podman: bool
    """Whether podman assigns addresses to nodes. Without, the segment only has addresses of pods."""


SEGMENTS = (
    Segment("management", "10.1.1.1/24", addresses_by_podman=True),
    Segment("internal", "10.1.10.1/24", addresses_by_podman=False),
    Segment("external", "10.1.20.1/24", addresses_by_podman=False),
)
ADDRESSES = "/run/containers/networks"
"""Root's podman stores assigned addresses here, by name of the network, and all labs use the same names."""

SERVICES = "10.1.1.1"
"""Address of the mirror and of Pulumi on the management segment."""


def make_segments(place: Place) -> None:
    """Creates namespaces, networks, bridges and gateways that do not exist."""
    if not exists():
        _ip("netns", "add", NAMESPACE)
    _make_mounts()
    _ip("-n", NAMESPACE, "link", "set", "lo", "up")
    known = {n["name"] for n in json.loads(podman(place, "network", "ls", "--format", "json"))}
    for segment in SEGMENTS:
        if segment.name not in known:
            _make_network(place, segment)
        _make_bridge(_bridge(place, segment), segment)
    # No routing: not between segments, and not to other networks.
    subprocess.run(
        enter("sysctl", "-qw", "net.ipv4.ip_forward=0"), check=False, capture_output=True, stdin=subprocess.DEVNULL
    )


def exists() -> bool:
    """Whether the namespace exists."""
    listed = subprocess.run(["ip", "-json", "netns", "list"], check=False, capture_output=True, text=True).stdout
    return any(n.get("name") == NAMESPACE for n in json.loads(listed or "[]"))


def remove_segments(place: Place) -> None:
    """Removes networks and namespace."""
    for segment in SEGMENTS:
        (place.folder / "podman" / "networks" / f"{segment.name}.json").unlink(missing_ok=True)
    if exists():
        _ip("netns", "delete", NAMESPACE)


def processes() -> list[int]:
    """Ids of the processes in the lab's network namespace. Processes of nodes are in other namespaces."""
    if not exists():
        return []
    text = subprocess.run(["ip", "netns", "pids", NAMESPACE], check=False, capture_output=True, text=True).stdout
    return [int(word) for word in text.split()]


def programs(name: str) -> list[int]:
    """Ids of the processes of one program in the lab's network namespace."""
    pids = []
    for pid in processes():
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/comm").read_text().strip() == name:
                pids.append(pid)
    return pids


def _make_mounts() -> None:
    """Creates the mount namespace. It receives mounts of the machine; mounts of nodes stay in it."""
    if os.path.ismount(MOUNTS):
        return
    MOUNTS.touch()
    if not os.path.ismount(RUN):
        # A mount namespace can only be bound to a private mount.
        _run(["mount", "--bind", str(RUN), str(RUN)])
        _run(["mount", "--make-private", str(RUN)])
    for folder in (RUN / "networks", RUN / "netns", Path(ADDRESSES)):
        folder.mkdir(parents=True, exist_ok=True)
    (RUN / "netns" / NAMESPACE).touch()
    # This includes names of the nodes' network namespaces, which would be invalid outside.
    script = f"mount --bind {NAMESPACE_FILE} {RUN}/netns/{NAMESPACE} && mount --rbind {RUN}/netns {NAMESPACE_FILE.parent} && mount --bind {RUN}/networks {ADDRESSES}"
    _run(["unshare", f"--mount={MOUNTS}", "--propagation=slave", "sh", "-c", script])


def _make_network(place: Place, segment: Segment) -> None:
    net, _, prefix = segment.gateway.partition("/")
    subnet = f"{net.rpartition('.')[0]}.0/{prefix}"
    addressing = ["--subnet", subnet, "--gateway", net] if segment.addresses_by_podman else ["--ipam-driver", "none"]
    create = ["network", "create", "--internal", "--disable-dns", *addressing, segment.name]
    podman(place, *create)


def _bridge(place: Place, segment: Segment) -> str:
    return str(json.loads(podman(place, "network", "inspect", segment.name))[0]["network_interface"])


def _make_bridge(bridge: str, segment: Segment) -> None:
    links = {link["ifname"] for link in json.loads(_ip("-n", NAMESPACE, "-json", "link", "show"))}
    if bridge not in links:
        # A fixed MAC address: a bridge otherwise has the lowest of its ports, so the gateway's would change with each node.
        address = "02:00:" + ":".join(f"{int(part):02x}" for part in segment.gateway.partition("/")[0].split("."))
        _ip("-n", NAMESPACE, "link", "add", bridge, "address", address, "type", "bridge")
    port, keeper = f"{segment.name[:8]}-port", f"{segment.name[:8]}-keep"
    if port not in links:
        _ip("-n", NAMESPACE, "link", "add", port, "type", "veth", "peer", "name", keeper)
    # The port stays down: a second interface on the segment would also answer ARP for the gateway's address.
    _ip("-n", NAMESPACE, "link", "set", port, "master", bridge)
    _ip("-n", NAMESPACE, "addr", "replace", segment.gateway, "dev", bridge)
    _ip("-n", NAMESPACE, "link", "set", bridge, "up")


def _ip(*arguments: str) -> str:
    return _run(["ip", *arguments])


def _run(command: list[str]) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        msg = f"{' '.join(command[:6])}: {last}. Take the lab down and try again: make lab-down, then make lab."
        raise LabError(msg)
    return done.stdout
