"""Inspect a node and the networks of its pods. Runs on the node, with its Python 3.8 or later and no packages.

It enters each pod's network namespace from outside, so it works for images without a shell and adds nothing to a pod. `python3 probe.py TASK`, TASK and the answer on standard output are JSON (shapes: multus_site/verify/observed.py).
ARP: RFC 826, probes of RFC 5227 (sender 0.0.0.0). Path MTU: ICMP echo with the don't-fragment bit (RFC 1191), IP_PMTUDISC_PROBE.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import random
import re
import select
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Dict  # noqa: UP035 - the node's Python may be 3.8

ARP_SECONDS = 1.0
PING_SECONDS = 1.0
PINGS = 3
SMALLEST = {4: 576, 6: 1280}
"""No path carries less (RFC 791, RFC 8200)."""
AT_ONCE = 16
POD_SECONDS = 75
"""For one pod; verify waits 90 seconds for a node."""
VERSION_SECONDS = 5
"""For a plugin to say which versions of the specification it supports."""
BIN = Path("/opt/cni/bin")
MOST_BYTES = 4 << 20
"""What is read of a pod: the memory is that of the Multus daemon."""
RESOLVER_BYTES = 65536
BROADCAST = b"\xff" * 6
CLONE_NEWNET = 0x40000000

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
        search = resolver(pid)
        enter(pid)
        seen = look_at_pod(pod, search, task)
    except Exception as error:  # reported as this pod's error; the other pods go on
        seen = {"error": f"{type(error).__name__}: {error}"}
    with os.fdopen(writer, "wb") as pipe:
        pipe.write(json.dumps(seen).encode())
    os._exit(0)


def enter(pid: int) -> None:
    """Enter the network namespace of another process."""
    with Path(f"/proc/{pid}/ns/net").open() as file:
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


def arp(link: Json, own: list[str], asked: list[str]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the MACs that answer for the interface's own addresses (other holders), and for the addresses asked."""
    device = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
    device.bind((link["name"], 0x0806))
    mac = bytes.fromhex(link["mac"].replace(":", ""))
    sender = socket.inet_aton(own[0]) if own else b"\0" * 4
    requests = [(b"\0" * 4, address) for address in own] + [(sender, address) for address in asked]
    own_answers: dict[str, list[str]] = {address: [] for address in own}
    answers: dict[str, list[str]] = {address: [] for address in asked}
    until = time.monotonic() + ARP_SECONDS
    again = 0.0
    rounds = 2
    while time.monotonic() < until:
        if rounds and time.monotonic() >= again:
            for source, address in requests:
                body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac + source + b"\0" * 6 + socket.inet_aton(address)
                device.send(BROADCAST + mac + b"\x08\x06" + body)
            rounds, again = rounds - 1, time.monotonic() + ARP_SECONDS / 3
        if select.select([device], [], [], 0.05)[0]:
            frame = device.recv(2048)
            if frame[12:14] == b"\x08\x06" and len(frame) >= 42 and frame[22:28] != mac:
                said, holder = frame[22:28].hex(":"), socket.inet_ntoa(frame[28:32])
                for table in (own_answers, answers):
                    if holder in table and said not in table[holder]:
                        table[holder].append(said)
    return own_answers, answers


def neighbour(name: str, address: str) -> list[str]:
    """Return the MAC that neighbour discovery found (IPv6)."""
    entries = listed(output("ip", "-6", "-j", "neigh", "show", "dev", name, "to", address))
    return [entry["lladdr"] for entry in entries if entry.get("lladdr")]


def ping(name: str, source: str, address: str) -> Json:
    """Send three echoes through this interface; round trips in ms."""
    times = []
    error = ""
    for sequence in range(PINGS):
        try:
            took = echo(name, source, address, 56, sequence, PING_SECONDS)
        except OSError as failure:
            took, error = None, failure.strerror or str(failure)
        if took is not None:
            times.append(round(took * 1000, 3))
    return {"sent": PINGS, "received": len(times), "ms": times, "error": error}


def path_mtu(link: Json, source: str, address: str) -> int:
    """Return the largest packet in bytes, up to the interface's MTU, that returns whole with the don't-fragment bit."""
    family = 6 if ":" in address else 4
    head = 48 if family == 6 else 28

    def passes(size: int, tries: int, seconds: float) -> bool:
        for sequence in range(tries):
            try:
                if echo(link["name"], source, address, size - head, 100 + sequence, seconds) is not None:
                    return True
            except OSError:
                return False
        return False

    low, high = SMALLEST[family], int(link["mtu"])
    if passes(high, 2, 0.4):
        return high
    if not passes(low, 2, 0.4):
        return 0
    while high - low > 1:
        middle = (low + high) // 2
        if passes(middle, 1, 0.15):
            low = middle
        else:
            high = middle
    return low


def echo(name: str, source: str, address: str, size: int, sequence: int, seconds: float) -> float | None:
    """Send an unfragmented ICMP echo with `size` bytes of data; return seconds until its reply, None without one. Raises OSError."""
    six = ":" in address
    kind = socket.AF_INET6 if six else socket.AF_INET
    with socket.socket(kind, socket.SOCK_RAW, socket.getprotobyname("ipv6-icmp" if six else "icmp")) as device:
        device.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode() + b"\0")
        # IP_MTU_DISCOVER and IPV6_MTU_DISCOVER with *_PMTUDISC_PROBE, which Python does not name; IPV6_DONTFRAG
        if six:
            device.setsockopt(socket.IPPROTO_IPV6, 23, 3)
            device.setsockopt(socket.IPPROTO_IPV6, 62, 1)
        else:
            device.setsockopt(socket.IPPROTO_IP, 10, 3)
        device.bind((source, 0))
        number = random.getrandbits(16)
        data = bytes(i & 0xFF for i in range(size))
        packet = struct.pack("!BBHHH", 128 if six else 8, 0, 0, number, sequence) + data
        if not six:
            packet = packet[:2] + struct.pack("!H", checksum(packet)) + packet[4:]
        begun = time.monotonic()
        device.sendto(packet, (address, 0))
        while True:
            left = begun + seconds - time.monotonic()
            if left <= 0 or not select.select([device], [], [], left)[0]:
                return None
            answer, who = device.recvfrom(65535)
            body = answer if six else answer[(answer[0] & 15) * 4 :]
            if who[0] == address and body[0] == (129 if six else 0) and body[4:8] == packet[4:8]:
                # A shorter reply was truncated on its way.
                return time.monotonic() - begun if len(body) == len(packet) else None


def checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


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


def query(server: str, name: str, kind: int) -> tuple[int, int, bytes]:
    """Send a query up to three times; return response code, number of answers and the message. Raises OSError."""
    question = (
        b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0" + struct.pack("!HH", kind, 1)
    )
    number = random.getrandbits(16)
    with socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM) as device:
        device.settimeout(1.5)
        device.connect((server, 53))
        for attempt in range(3):
            device.send(struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + question)
            try:
                answer = device.recv(4096)
                break
            except OSError:  # until Python 3.9 a socket's timeout is not a TimeoutError
                if attempt == 2:
                    raise
    return answer[3] & 15, struct.unpack("!H", answer[6:8])[0], answer


def is_address(text: str) -> bool:
    """Whether it is an IP address; a scope may follow (fe80::1%eth0)."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, text.partition("%")[0])
        except OSError:
            continue
        return True
    return False


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
