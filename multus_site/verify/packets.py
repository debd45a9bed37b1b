"""Packets that the probe sends and waits for: ARP, ICMP, DNS, and frames that carry somebody's MAC address. Runs on the node, like probe.py.

ARP: RFC 826, probes of RFC 5227 (sender 0.0.0.0). Path MTU: ICMP echo with the don't-fragment bit (RFC 1191), IP_PMTUDISC_PROBE.
"""

from __future__ import annotations

import ctypes
import random
import select
import socket
import struct
import time
from typing import Any, Dict  # noqa: UP035 - the node's Python may be 3.8

ARP_SECONDS = 1.0
PING_SECONDS = 1.0
PINGS = 3
SMALLEST = {4: 576, 6: 1280}
"""No path carries less (RFC 791, RFC 8200)."""
BROADCAST = b"\xff" * 6
TWIN_SECONDS = 1.0
ETH_P_ALL = 3
SO_ATTACH_FILTER = 26

Json = Dict[str, Any]  # noqa: UP006 - read when it runs


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


def twins(name: str, sender: bytes, mac: bytes, addresses: list[str], replies_to: bytes) -> list[str]:
    """Return what another host with this MAC address says on an interface: its addresses, or "a frame" where it names none.

    `sender`: MAC address of the interface. `addresses`: those of the MAC address's owner, asked for by ARP with answers sent to `replies_to`;
    every host is asked to answer by IPv6. A switch delivers no answer to a host with the sender's own address, except a broadcast.
    """
    device = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    only_from(device, mac)
    device.bind((name, ETH_P_ALL))
    ours: set[bytes] = set()
    found: dict[str, None] = {}
    until = time.monotonic() + TWIN_SECONDS
    again = 0.0
    rounds = 2
    while time.monotonic() < until:
        if rounds and time.monotonic() >= again:
            for address in addresses:
                body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + replies_to + b"\0" * 10 + socket.inet_aton(address)
                frame = BROADCAST + sender + b"\x08\x06" + body
                ours.add(frame)
                device.send(frame)
            ask_all_hosts(name)
            rounds, again = rounds - 1, time.monotonic() + TWIN_SECONDS / 3
        if select.select([device], [], [], 0.05)[0]:
            frame, (_, _, kind, *_) = device.recvfrom(2048)
            if kind == socket.PACKET_OUTGOING:
                ours.add(frame)
            # A bridge port in hairpin mode, and a switch that reflects, send the owner's own frames back.
            elif frame not in ours:
                found[speaker(frame)] = None
    return list(found)


def only_from(device: socket.socket, mac: bytes) -> None:
    """Let the kernel drop frames of other senders (a classic BPF filter): the interface may be a busy one."""
    high, low = struct.unpack("!IH", mac)
    # Load the first four bytes of the sender, compare; load the other two, compare; take the frame, or nothing of it.
    steps = (
        (0x20, 0, 0, 6),
        (0x15, 0, 3, high),
        (0x28, 0, 0, 10),
        (0x15, 0, 1, low),
        (0x06, 0, 0, 65535),
        (0x06, 0, 0, 0),
    )
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    device.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", len(steps), ctypes.addressof(code)))


def ask_all_hosts(name: str) -> None:
    """Ping every IPv6 host on the link; nothing happens where the interface has no IPv6."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.getprotobyname("ipv6-icmp")) as device:
            device.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 1)
            device.sendto(
                struct.pack("!BBHHH", 128, 0, 0, random.getrandbits(16), 0),
                ("ff02::1", 0, 0, socket.if_nametoindex(name)),
            )
    except OSError:
        pass


def speaker(frame: bytes) -> str:
    """Return the sender's address in a frame: ARP, IPv4 or IPv6."""
    kind, body = frame[12:14], frame[14:]
    if kind == b"\x08\x06" and body[14:18] != b"\0" * 4 and len(body) >= 28:
        return socket.inet_ntoa(body[14:18])
    if kind == b"\x08\x00" and len(body) >= 20:
        return socket.inet_ntoa(body[12:16])
    if kind == b"\x86\xdd" and len(body) >= 40 and body[8:24] != b"\0" * 16:
        return socket.inet_ntop(socket.AF_INET6, body[8:24])
    return "a frame"


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
