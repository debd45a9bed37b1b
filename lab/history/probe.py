"""Records, on a node, which addresses and MACs are live in each of its network namespaces. Runs there, with its Python and no packages.

`python3 -c PROBE TASK`; TASK is JSON: {"node", "segments": {interface of the node: segment}, "interval"}. Writes events (lab/history/record.py) until nobody reads them.
Links and addresses come from rtnetlink dumps (RFC 3549; linux/rtnetlink.h, if_link.h), as `ip -j` reads them, but without a process for each look: five looks a second
at a node's namespaces would take half a core otherwise. It enters a namespace for the dump only, so that it keeps none alive.
"""

from __future__ import annotations

import ctypes
import ipaddress
import json
import os
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Any, Dict, Tuple  # noqa: UP035 - the node's Python may be 3.8

NETLINK_ROUTE = 0
RTM_NEWLINK, RTM_GETLINK, RTM_NEWADDR, RTM_GETADDR = 16, 18, 20, 22
NLM_F_REQUEST, NLM_F_DUMP = 1, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
IFLA_ADDRESS, IFLA_IFNAME, IFLA_LINK, IFLA_MASTER, IFLA_LINK_NETNSID = 1, 3, 5, 10, 37
IFA_ADDRESS, IFA_LOCAL = 1, 2
IFF_UP, IFF_LOOPBACK = 1, 8
SCOPE_LINK = 253
CLONE_NEWNET = 0x40000000
SLOWLY_SECONDS = 1.0
"""How often sandboxes, reservations and the namespaces of processes are read."""
HEARTBEAT_SECONDS = 5.0

NETNS = Path("/run/netns")
BUNDLES = Path("/run/containerd/io.containerd.runtime.v2.task/k8s.io")
HOST_LOCAL = Path("/var/lib/cni/networks")
HOST = "host"

Key = Tuple[str, str, str, str, str]  # noqa: UP006 - netns, interface, segment, kind, value
Link = Dict[str, Any]  # noqa: UP006


def attributes(data: bytes) -> dict[int, bytes]:
    """The attributes of a netlink message (struct rtattr)."""
    found, at = {}, 0
    while at + 4 <= len(data):
        size, kind = struct.unpack_from("=HH", data, at)
        if size < 4:
            break
        found[kind & 0x3FFF] = data[at + 4 : at + size]
        at += (size + 3) & ~3
    return found


def messages(sock: socket.socket, kind: int) -> list[tuple[int, bytes]]:
    """The answer to a dump request: type and payload of each message."""
    # nlmsghdr, then the shortest body that both requests accept: struct ifinfomsg.
    sock.send(struct.pack("=IHHII", 32, kind, NLM_F_REQUEST | NLM_F_DUMP, 1, 0) + bytes(16))
    found: list[tuple[int, bytes]] = []
    while True:
        data, at = sock.recv(1 << 17), 0
        while at + 16 <= len(data):
            size, message = struct.unpack_from("=IH", data, at)
            if message in (NLMSG_DONE, NLMSG_ERROR):
                return found
            found.append((message, data[at + 16 : at + size]))
            at += (size + 3) & ~3


def number(data: bytes | None) -> int:
    """An attribute's 32 bits; 0 if it is not there."""
    return struct.unpack("=I", data)[0] if data else 0


def dump() -> dict[int, Link]:
    """The links of the namespace that this process is in, with their addresses, by index."""
    links: dict[int, Link] = {}
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE) as sock:
        sock.bind((0, 0))
        for kind, body in messages(sock, RTM_GETLINK):
            if kind != RTM_NEWLINK:
                continue
            _, _, index, flags = struct.unpack_from("=BxHiI", body)
            found = attributes(body[16:])
            links[index] = {
                "name": found.get(IFLA_IFNAME, b"").rstrip(b"\0").decode(),
                "mac": found.get(IFLA_ADDRESS, b"").hex(":"),
                "parent": number(found.get(IFLA_LINK)),
                "elsewhere": IFLA_LINK_NETNSID in found,
                "master": number(found.get(IFLA_MASTER)),
                "up": bool(flags & IFF_UP),
                "loopback": bool(flags & IFF_LOOPBACK),
                "addresses": [],
            }
        for kind, body in messages(sock, RTM_GETADDR):
            if kind != RTM_NEWADDR:
                continue
            _, _, _, scope, index = struct.unpack_from("=BBBBI", body)
            found = attributes(body[8:])
            raw = found.get(IFA_LOCAL) or found.get(IFA_ADDRESS)
            if raw and index in links and scope != SCOPE_LINK:
                links[index]["addresses"].append(str(ipaddress.ip_address(raw)))
    return links


def segment_of(node: str, namespace: str, link: Link, host: dict[int, Link], segments: dict[str, str]) -> str:
    """The layer-2 segment that a link is on; empty for a port, whose MAC speaks for no host."""
    if namespace == HOST:
        if link["master"] and link["name"] not in segments:
            return ""
        return segments.get(link["name"], f"{node}/{link['name']}")
    parent = host.get(link["parent"]) if link["elsewhere"] else None
    if parent is None:
        return f"{node}/{namespace}/{link['name']}"
    if parent["name"] in segments:
        return segments[parent["name"]]
    bridge = host.get(parent["master"])
    return f"{node}/{(bridge or parent)['name']}"


def live(
    node: str, namespace: str, links: dict[int, Link], host: dict[int, Link], segments: dict[str, str]
) -> set[Key]:
    """What is live in a namespace: each MAC and address of a link that is up."""
    found: set[Key] = set()
    for link in links.values():
        if link["loopback"] or not link["up"]:
            continue
        segment = segment_of(node, namespace, link, host, segments)
        if segment:
            entries = [("address", a) for a in link["addresses"]]
            # A tunnel or a tap without a program may have no MAC.
            entries += [("mac", link["mac"])] if link["mac"].strip("0:") else []
            found |= {(namespace, link["name"], segment, kind, value) for kind, value in entries}
    return found


class Probe:
    """What was seen last, so that only changes are written."""

    def __init__(self, node: str, segments: dict[str, str]) -> None:
        self.node, self.segments = node, segments
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.seen: dict[Key, float] = {}
        self.sandboxes: dict[str, dict[str, str] | None] = {}
        self.reserved: dict[tuple[str, str], str] = {}
        self.by_process: dict[int, str] = {}

    def write(self, event: str, at: float, **more: Any) -> None:  # noqa: ANN401 - any JSON
        print(json.dumps({"t": round(at, 3), "event": event, "node": self.node, **more}), flush=True)

    def look(self) -> None:
        """One look at every namespace."""
        now: dict[Key, tuple[float, float]] = {}
        before = time.time()
        host = dump()
        for key in live(self.node, HOST, host, host, self.segments):
            now[key] = (before, time.time())
        for name, path in self.namespaces().items():
            before = time.time()
            links = self.inside(path)
            after = time.time()
            for key in live(self.node, name, links, host, self.segments):
                now[key] = (before, after)
        for key in [key for key in self.seen if key not in now]:
            self.change("gone", self.seen.pop(key), key)
        for key, (begin, end) in now.items():
            if key not in self.seen:
                self.change("live", end, key)
            self.seen[key] = begin

    def change(self, event: str, at: float, key: Key) -> None:
        namespace, interface, segment, kind, value = key
        self.write(event, at, netns=namespace, interface=interface, segment=segment, kind=kind, value=value)

    def namespaces(self) -> dict[str, str]:
        """Name → path of every network namespace except the node's own."""
        own, device = os.fstat(self.home).st_ino, os.fstat(self.home).st_dev
        found: dict[int, tuple[str, str]] = {inode: (f"net:{inode}", path) for inode, path in self.by_process.items()}
        for path in NETNS.iterdir() if NETNS.is_dir() else ():
            try:
                there = path.stat()
            except OSError:
                continue
            # A file on which no namespace is mounted yet is on another device.
            if there.st_dev == device:
                found[there.st_ino] = (path.name, str(path))
        found.pop(own, None)
        return dict(found.values())

    def inside(self, path: str) -> dict[int, Link]:
        """The links of another namespace; none if it is gone."""
        try:
            namespace = os.open(path, os.O_RDONLY)
        except OSError:
            return {}
        try:
            if self.libc.setns(namespace, CLONE_NEWNET):
                return {}
            try:
                return dump()
            finally:
                if self.libc.setns(self.home, CLONE_NEWNET):
                    sys.exit("cannot return to the node's namespace")
        finally:
            os.close(namespace)

    def slowly(self) -> None:
        """Namespaces of processes, sandboxes and reservations."""
        self.look_at_processes()
        self.look_at_sandboxes()
        self.look_at_reservations()

    def look_at_processes(self) -> None:
        """A namespace whose file is gone lives on as long as a process is in it."""
        self.by_process = {}
        for path in Path("/proc").glob("[0-9]*/ns/net"):
            try:
                self.by_process.setdefault(path.stat().st_ino, str(path))
            except OSError:
                continue

    def look_at_sandboxes(self) -> None:
        """The sandboxes of pods, from the bundles of the runtime: they say so too while containerd is down."""
        now = time.time()
        there = {path.name for path in BUNDLES.iterdir()} if BUNDLES.is_dir() else set()
        for name in there - set(self.sandboxes):
            self.sandboxes[name] = sandbox_of(BUNDLES / name / "config.json")
            if found := self.sandboxes[name]:
                self.write("sandbox", now, id=name, **found)
        for name in set(self.sandboxes) - there:
            if self.sandboxes.pop(name):
                self.write("ended", now, id=name)

    def look_at_reservations(self) -> None:
        """host-local's files: named for the address, the sandbox's id in the first line (plugins/ipam/host-local/backend/disk)."""
        now = time.time()
        there: dict[tuple[str, str], str] = {}
        for path in HOST_LOCAL.glob("*/*") if HOST_LOCAL.is_dir() else ():
            if path.name.startswith(("lock", "last_reserved")):
                continue
            try:
                there[f"{self.node}/host-local/{path.parent.name}", path.name] = path.read_text().split("\n")[0].strip()
            except OSError:
                continue
        for (store, address), owner in self.reserved.items():
            if there.get((store, address)) != owner:
                self.write("released", now, store=store, address=address, owner=owner)
        for (store, address), owner in there.items():
            if self.reserved.get((store, address)) != owner:
                self.write("reserved", now, store=store, address=address, owner=owner)
        self.reserved = there


def sandbox_of(path: Path) -> dict[str, str] | None:
    """A sandbox with a namespace of its own; None for a container, and for a pod in the node's network."""
    try:
        bundle = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    found = bundle.get("annotations") or {}
    spaces = [n.get("path") for n in bundle.get("linux", {}).get("namespaces", []) if n.get("type") == "network"]
    if found.get("io.kubernetes.cri.container-type") != "sandbox" or not spaces or not spaces[0]:
        return None
    name = f"{found.get('io.kubernetes.cri.sandbox-namespace')}/{found.get('io.kubernetes.cri.sandbox-name')}"
    return {"uid": found.get("io.kubernetes.cri.sandbox-uid", ""), "pod": name, "netns": Path(spaces[0]).name}


def main(task: dict[str, Any]) -> None:
    probe = Probe(task["node"], task["segments"])
    probe.write("up", time.time())
    slow = beat = 0.0
    looks, longest, last = 0, 0.0, time.time()
    while True:
        begun = time.time()
        longest, last, looks = max(longest, begun - last), begun, looks + 1
        probe.look()
        if begun - slow >= SLOWLY_SECONDS:
            probe.slowly()
            slow = begun
        if begun - beat >= HEARTBEAT_SECONDS:
            probe.write("sampled", begun, looks=looks, longest=round(longest, 3))
            looks, longest, beat = 0, 0.0, begun
        time.sleep(max(0.01, task["interval"] - (time.time() - begun)))


if __name__ == "__main__":
    try:
        main(json.loads(sys.argv[1]))
    except (BrokenPipeError, KeyboardInterrupt):
        os._exit(0)
