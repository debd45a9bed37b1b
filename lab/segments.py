"""What a data centre would already have: three layer-2 segments with their gateways, in a network namespace of their own.

A segment is a bridge that podman plugs nodes into. Podman numbers bridges itself and takes one away with its last
container; so each is made here first, under the name that podman chose, and kept by a port of ours.
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
    """One layer-2 segment. `gateway`: address with prefix length of the segment's router."""

    name: str
    gateway: str
    addresses_by_podman: bool
    """Whether nodes get addresses on it when they are made; the others carry pods' addresses only."""


SEGMENTS = (
    Segment("management", "10.1.1.1/24", addresses_by_podman=True),
    Segment("internal", "10.1.10.1/24", addresses_by_podman=False),
    Segment("external", "10.1.20.1/24", addresses_by_podman=False),
)
ADDRESSES = "/run/containers/networks"
"""Where podman, if it is root's, keeps which addresses it gave: of networks by their names, which are the same in every lab."""

SERVICES = "10.1.1.1"
"""Address of mirror and registry, and of Pulumi itself, on the management segment."""


def make_segments(place: Place) -> None:
    """Namespaces, networks, bridges and gateways; what is there already stays."""
    if not exists():
        _ip("netns", "add", NAMESPACE)
    _make_mounts()
    _ip("-n", NAMESPACE, "link", "set", "lo", "up")
    known = {n["name"] for n in json.loads(podman(place, "network", "ls", "--format", "json"))}
    for segment in SEGMENTS:
        if segment.name not in known:
            _make_network(place, segment)
        _make_bridge(_bridge(place, segment), segment)
    # Nodes reach nothing beyond the segments, and one segment not the other.
    subprocess.run(
        enter("sysctl", "-qw", "net.ipv4.ip_forward=0"), check=False, capture_output=True, stdin=subprocess.DEVNULL
    )


def exists() -> bool:
    """Whether the namespace is there."""
    listed = subprocess.run(["ip", "-json", "netns", "list"], check=False, capture_output=True, text=True).stdout
    return any(n.get("name") == NAMESPACE for n in json.loads(listed or "[]"))


def remove_segments(place: Place) -> None:
    """Networks and namespace, with everything in them."""
    for segment in SEGMENTS:
        (place.folder / "podman" / "networks" / f"{segment.name}.json").unlink(missing_ok=True)
    if exists():
        _ip("netns", "delete", NAMESPACE)


def processes() -> list[int]:
    """Ids of the processes inside the lab's network, nodes' own not counted (they have networks of their own)."""
    if not exists():
        return []
    text = subprocess.run(["ip", "netns", "pids", NAMESPACE], check=False, capture_output=True, text=True).stdout
    return [int(word) for word in text.split()]


def programs(name: str) -> list[int]:
    """Ids of the processes of one program inside the lab's network."""
    found = []
    for pid in processes():
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/comm").read_text().strip() == name:
                found.append(pid)
    return found


def _make_mounts() -> None:
    """The mount namespace. Mounts of the machine go on to it; what nodes mount stays in it."""
    if os.path.ismount(MOUNTS):
        return
    MOUNTS.touch()
    if not os.path.ismount(RUN):
        # A namespace can be kept on a private mount only.
        _run(["mount", "--bind", str(RUN), str(RUN)])
        _run(["mount", "--make-private", str(RUN)])
    for folder in (RUN / "networks", RUN / "netns", Path(ADDRESSES)):
        folder.mkdir(parents=True, exist_ok=True)
    (RUN / "netns" / NAMESPACE).touch()
    # The names of nodes' own network namespaces too: outside they would be names of nothing.
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
        # With an address of its own: else it takes the lowest of its ports', and the gateway has another with each node that comes or goes.
        address = "02:00:" + ":".join(f"{int(part):02x}" for part in segment.gateway.partition("/")[0].split("."))
        _ip("-n", NAMESPACE, "link", "add", bridge, "address", address, "type", "bridge")
    port, keeper = f"{segment.name[:8]}-port", f"{segment.name[:8]}-keep"
    if port not in links:
        _ip("-n", NAMESPACE, "link", "add", port, "type", "veth", "peer", "name", keeper)
    # Never up: a second interface on the segment would answer ARP for the gateway's address too.
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
