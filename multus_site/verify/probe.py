"""Inspect a node and the networks of its pods. Runs on the node, with its Python 3.8 or later and no packages.

It enters each pod's network namespace from outside, so it works for images without a shell and adds nothing to a pod. `python3 probe.py TASK`, TASK and the answer on standard output are JSON (shapes: multus_site/verify/observed.py).
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import re
import select
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Dict, TextIO  # noqa: UP035 - the node's Python may be 3.8

from multus_site.verify.packets import BROADCAST, arp, is_address, path_mtu, ping, query, twins

AT_ONCE = 16
POD_SECONDS = 75
"""For one pod; verify waits 90 seconds for a node."""
VERSION_SECONDS = 5
"""For a plugin to say which versions of the specification it supports."""
BIN = Path("/opt/cni/bin")
MOST_BYTES = 4 << 20
"""What is read of a pod: the memory is that of the Multus daemon."""
RESOLVER_BYTES = 65536
CLONE_NEWNET = 0x40000000
ON_UPLINK = ("macvlan", "macvtap")
"""Kinds of links that share a NIC and have MAC addresses of their own."""

Json = Dict[str, Any]  # noqa: UP006 - read when it runs


def main(task: Json) -> None:
    answer: Json = {"node": look_at_node(task), "pods": {}}
    pids = pids_of([pod["uid"] for pod in task["pods"]])
    waiting = list(task["pods"])
    running: dict[int, Looking] = {}
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            pod = waiting.pop(0)
            if pod["uid"] in pids:
                look = start(pod, pids[pod["uid"]], task)
                running[look.reader] = look
            else:
                answer["pods"][pod["uid"]] = {"error": "no process of this pod runs on the node"}
        for reader in select.select(list(running), [], [], 1)[0] if running else []:
            part = os.read(reader, 65536)
            running[reader].text += part
            if not part:
                look = running.pop(reader)
                end(look)
                answer["pods"][look.uid] = answer_of(look.text)
        for look in [one for one in running.values() if time.monotonic() > one.until or len(one.text) > MOST_BYTES]:
            del running[look.reader]
            end(look)
            answer["pods"][look.uid] = {"error": "the inspection of the pod took too long, or found too much"}
    print(json.dumps(answer))


class Looking:
    """The process that inspects a pod, and what it has written."""

    def __init__(self, uid: str, pid: int, reader: int) -> None:
        self.uid, self.pid, self.reader = uid, pid, reader
        self.text = b""
        self.until = time.monotonic() + POD_SECONDS


def end(look: Looking) -> None:
    """End the process: nothing that is in a pod may keep one of root's on the node."""
    os.close(look.reader)
    os.kill(look.pid, signal.SIGKILL)
    os.waitpid(look.pid, 0)


def answer_of(text: bytes) -> Json:
    """Return what the process of a pod wrote; one that was killed wrote a part of it, or nothing."""
    try:
        return dict(json.loads(text))
    except (ValueError, TypeError):
        return {"error": "the inspection of the pod ended early"}


def look_at_node(task: Json) -> Json:
    folder = Path("/etc/cni/net.d")
    files = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    seen: Json = {"files": files, "multusConf": content_of(folder / "00-multus.conf"), "binaries": {}, "programs": {}}
    cluster = [called_by(folder / name) for name in files if name.endswith((".conf", ".conflist", ".json"))]
    seen["cluster"] = sorted({plugin for plugins in cluster for plugin in plugins})
    for name in sorted({*task["binaries"], *task["needed"], *seen["cluster"]}):
        path = BIN / name
        seen["programs"][name] = program(path)
        if name in task["binaries"] and path.is_file():
            seen["binaries"][name] = hashlib.sha256(path.read_bytes()).hexdigest()
    links = output("ip", "-j", "-d", "link")
    seen["links"] = [short(link) for link in listed(links) if link.get("ifname") in task["uplinks"]]
    seen["names"] = {link["ifindex"]: link["ifname"] for link in listed(links) if "ifindex" in link}
    if task.get("evidence"):
        seen["evidence"] = {
            "ls -l /opt/cni/bin": output("ls", "-l", "/opt/cni/bin"),
            "ls -l /etc/cni/net.d": output("ls", "-l", str(folder)),
            "ip -d link": output("ip", "-d", "link"),
        }
    return seen


def called_by(path: Path) -> list[str]:
    """Return the plugins that a configuration calls: its own, those of its list, and their address management."""
    try:
        whole = json.loads(content_of(path))
        plugins = [whole, *whole.get("plugins", [])]
        parts = [*plugins, *(plugin["ipam"] for plugin in plugins if isinstance(plugin.get("ipam"), dict))]
    except (ValueError, TypeError, AttributeError):
        return []
    names = [part.get("type") for part in parts]
    return [name for name in names if isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name)]


def program(path: Path) -> Json:
    """Return what is wrong with a plugin's file, empty if nothing is: the runtime runs it as root, with its version as a question."""
    try:
        status = path.stat()
    except OSError as error:
        gone = path.is_symlink() or not isinstance(error, FileNotFoundError)
        return {"fault": f"it cannot be read: {error.strerror}" if gone else "there is no such file"}
    mode, owner = stat.S_IMODE(status.st_mode), (status.st_uid, status.st_gid)
    if not stat.S_ISREG(status.st_mode):
        return {"fault": "it is no regular file"}
    if owner[0] != 0 or mode & 0o022:
        return {"fault": f"others than root may change it: mode {mode:o}, owner {owner[0]}:{owner[1]}"}
    if not mode & 0o100:
        return {"fault": f"it cannot be executed: mode {mode:o}"}
    variables = {"CNI_COMMAND": "VERSION", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    question = b'{"cniVersion": "1.0.0"}'
    try:
        done = subprocess.run(
            [str(path)], input=question, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=variables, timeout=VERSION_SECONDS, check=False
        )  # fmt: skip
        answer = json.loads(done.stdout[:MOST_BYTES])
        known = isinstance(answer.get("supportedVersions"), list)
    except subprocess.TimeoutExpired:
        return {"fault": f"it does not answer within {VERSION_SECONDS} s"}
    except OSError as error:
        return {"fault": f"it does not run: {error.strerror}"}
    except (ValueError, AttributeError):
        known = False
    return {"fault": "" if known else "it does not answer CNI_COMMAND=VERSION"}


def short(link: Json) -> Json:
    """Return what the checks need of a link in `ip -j -d`."""
    info = link.get("linkinfo") or {}
    data = info.get("info_data") or {}
    return {
        "name": link.get("ifname"),
        "up": "UP" in link.get("flags", []),
        "carrier": "LOWER_UP" in link.get("flags", []) and "NO-CARRIER" not in link.get("flags", []),
        "noArp": "NOARP" in link.get("flags", []),
        "mtu": link.get("mtu", 0),
        "mac": link.get("address", ""),
        "kind": info.get("info_kind", ""),
        "mode": str(data.get("mode", "")),
        "vlan": data.get("id") if info.get("info_kind") == "vlan" else None,
        "parent": link.get("link_index"),
        "addresses": [
            {
                "address": a["local"],
                "prefix": a["prefixlen"],
                "bad": [flag for flag in ("dadfailed", "tentative") if a.get(flag)],
            }
            for a in link.get("addr_info", [])
            if a.get("scope") != "link" and "local" in a
        ],
    }


def pids_of(uids: list[str]) -> dict[str, int]:
    """Return one process of each pod, found by the name of its control group."""
    found: dict[str, int] = {}
    names = {uid: (uid, uid.replace("-", "_")) for uid in uids}
    for path in Path("/proc").glob("[0-9]*/cgroup"):
        text = content_of(path)
        for uid, (plain, systemd) in names.items():
            if uid not in found and (plain in text or systemd in text):
                found[uid] = int(path.parent.name)
    return found


def start(pod: Json, pid: int, task: Json) -> Looking:
    """Fork a process that enters the pod's network and writes its observations into a pipe."""
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        return Looking(pod["uid"], child, reader)
    os.close(reader)
    try:
        with Path("/proc/self/ns/net").open() as node:
            search = resolver(pid)
            enter(pid)
            seen = look_at_pod(pod, search, task)
            join(node)
        for want in pod["interfaces"]:
            if want["name"] in seen["interfaces"] and want["ownMac"]:
                seen["interfaces"][want["name"]].update(look_on_uplink(seen["links"][want["name"]]))
    except Exception as error:  # reported as this pod's error; the other pods go on
        seen = {"error": f"{type(error).__name__}: {error}"}
    with os.fdopen(writer, "wb") as pipe:
        pipe.write(json.dumps(seen).encode())
    os._exit(0)


def enter(pid: int) -> None:
    """Enter the network namespace of another process."""
    with Path(f"/proc/{pid}/ns/net").open() as file:
        join(file)


def join(file: TextIO) -> None:
    """Enter the network namespace of an open file."""
    if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def look_at_pod(pod: Json, search: str, task: Json) -> Json:
    links = {}
    for raw in listed(output("ip", "-j", "-d", "addr")):
        if raw.get("ifname"):
            links[raw["ifname"]] = short(raw)
    seen: Json = {"links": links, "routes": listed(output("ip", "-j", "route")), "interfaces": {}}
    seen["routes"] += listed(output("ip", "-6", "-j", "route"))
    for want in pod["interfaces"]:
        link = links.get(want["name"])
        if link:
            seen["interfaces"][want["name"]] = look_at_interface(want, link)
    seen["dns"] = ask_dns(search, task["name"])
    if task.get("evidence"):
        seen["evidence"] = {"ip -d addr": output("ip", "-d", "addr"), "ip route": output("ip", "route")}
    return seen


def look_at_interface(want: Json, link: Json) -> Json:
    """Send all ARP requests at once, then ping one address at a time."""
    own = [a["address"] for a in link["addresses"] if ":" not in a["address"]]
    asked = [a for a in [*want["gateways"], *want["peers"], *want["strangers"]] if ":" not in a]
    seen: Json = {"arp": {}, "others": {}, "ping": {}, "path": {}}
    if not link["noArp"] and link["up"]:
        seen["others"], seen["arp"] = arp(link, own, asked)
        if want["ownMac"] and link["kind"] not in ON_UPLINK:
            seen["twins"] = twins(link["name"], mac_of(link), mac_of(link), own, BROADCAST)
    source: dict[int, str] = {}
    for a in link["addresses"]:
        source.setdefault(6 if ":" in a["address"] else 4, a["address"])
    for address in [*want["gateways"], *want["peers"]]:
        family = 6 if ":" in address else 4
        if family not in source:
            seen["ping"][address] = {"sent": 0, "received": 0, "ms": [], "error": "the interface has no address"}
            continue
        seen["ping"][address] = ping(link["name"], source[family], address)
        if seen["ping"][address]["received"]:
            seen["path"][address] = path_mtu(link, source[family], address)
            if family == 6:
                seen["arp"][address] = neighbour(link["name"], address)
    return seen


def look_on_uplink(link: Json) -> Json:
    """Look for another host with the MAC address of a macvlan on its NIC: the kernel takes such frames for the macvlan's own, and drops them.

    Runs in the node's network namespace.
    """
    if link["kind"] not in ON_UPLINK or link["noArp"] or not link["up"]:
        return {}
    own = [a["address"] for a in link["addresses"] if ":" not in a["address"]]
    try:
        name = socket.if_indextoname(link["parent"])
        nic = next(short(one) for one in listed(output("ip", "-j", "-d", "link", "show", "dev", name)))
        sender, mac = mac_of(nic), mac_of(link)
        return {"twins": twins(name, sender, mac, own, BROADCAST if sender == mac else sender)}
    except (OSError, StopIteration, TypeError) as error:
        return {"twinsError": str(error) or "its NIC is not on the node"}


def mac_of(link: Json) -> bytes:
    return bytes.fromhex(link["mac"].replace(":", ""))


def neighbour(name: str, address: str) -> list[str]:
    """Return the MAC that neighbour discovery found (IPv6)."""
    entries = listed(output("ip", "-6", "-j", "neigh", "show", "dev", name, "to", address))
    return [entry["lladdr"] for entry in entries if entry.get("lladdr")]


def resolver(pid: int) -> str:
    """Return the pod's resolv.conf, the same for all of its processes; empty if it is no file.

    Its owner may have put a link there, which would lead to the node's files from outside, or a device or pipe, which never ends.
    """
    node = os.open("/", os.O_RDONLY)
    data = b""
    try:
        os.chroot(f"/proc/{pid}/root")
        file = os.open("/etc/resolv.conf", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        if stat.S_ISREG(os.fstat(file).st_mode):
            data = os.read(file, RESOLVER_BYTES)
        os.close(file)
    except OSError:
        pass
    finally:
        os.fchdir(node)
        os.chroot(".")
        os.close(node)
    return data.decode(errors="replace")


def ask_dns(search: str, name: str) -> Json:
    """Resolve `name` in the cluster's domain with the pod's name server (RFC 1035)."""
    server = re.search(r"^nameserver\s+(\S+)", search, re.MULTILINE)
    if not server:
        return {"error": "the pod's resolv.conf has no nameserver"}
    domain = re.search(r"^search .*?\b(svc\.\S+)", search, re.MULTILINE)
    full = name + "." + (domain.group(1) if domain else "svc.cluster.local")
    seen = {"name": full, "server": server.group(1)}
    if not is_address(server.group(1)):
        return dict(seen, error="the pod's resolv.conf names no address as its nameserver")
    for kind, length in ((1, 4), (28, 16)):
        try:
            code, count, data = query(server.group(1), full, kind)
        except OSError as error:
            return dict(seen, error=error.strerror or str(error))
        if code:
            return dict(seen, error="the name does not exist" if code == 3 else f"response code {code}")
        if count:
            family = socket.AF_INET if length == 4 else socket.AF_INET6
            return dict(seen, address=socket.inet_ntop(family, data[-length:]))
    return dict(seen, error="the answer has no address")


def content_of(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""


def listed(text: str) -> list[Json]:
    """Parse the list that `ip -j` prints; empty if it prints nothing. Raises ValueError for other output."""
    try:
        return list(json.loads(text or "[]"))
    except (ValueError, TypeError):
        msg = f"`ip -j` did not print a JSON list; its output begins: {text.strip()[:200]!r}"
        raise ValueError(msg) from None


def output(*command: str) -> str:
    """Return what a command prints, empty if it fails. Raises ValueError where that has no end: a pod's owner may have added routes without number."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as done:
        killer = threading.Timer(20, done.kill)
        killer.start()
        try:
            assert done.stdout  # noqa: S101 - a pipe, as asked for
            text = done.stdout.read(MOST_BYTES + 1)
            if len(text) > MOST_BYTES:
                done.kill()
                raise ValueError(f"`{' '.join(command)}` printed more than {MOST_BYTES >> 20} MiB")  # noqa: EM102
        finally:
            killer.cancel()
    return text.decode(errors="replace") if done.returncode == 0 else ""


if __name__ == "__main__":
    main(json.loads(sys.argv[-1]))
