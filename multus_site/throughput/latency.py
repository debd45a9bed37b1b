"""Measure round trips of one small UDP packet, as netperf's UDP_RR does. Runs on the node, in a pod's network.

`serve` answers for some seconds; `ask` returns the median round trip in microseconds.
"""

from __future__ import annotations

import json
import select
import socket
import time
from typing import Any, Dict  # noqa: UP035 - the node's Python may be 3.8

from multus_site.verify.probe import enter, pids_of

Json = Dict[str, Any]  # noqa: UP006 - read when it runs
SIZE = 64
LOST_SECONDS = 0.5
IDLE_SECONDS = 1.0


def main(task: Json) -> None:
    pid = pids_of([task["uid"]]).get(task["uid"])
    if pid is None:
        print(json.dumps({"error": "no process of this pod runs on the node"}))
        return
    enter(pid)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        if task["device"]:
            device.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, task["device"].encode() + b"\0")
        device.bind((task["own"], task["port"] if task["role"] == "serve" else 0))
        print(json.dumps(serve(device, task) if task["role"] == "serve" else ask(device, task)))


def serve(device: socket.socket, task: Json) -> Json:
    """Wait for the first request, and end after IDLE_SECONDS without one."""
    count = 0
    while select.select([device], [], [], IDLE_SECONDS if count else task["seconds"])[0]:
        data, who = device.recvfrom(2048)
        device.sendto(data, who)
        count += 1
    return {"answered": count}


def ask(device: socket.socket, task: Json) -> Json:
    device.connect((task["other"], task["port"]))
    device.settimeout(LOST_SECONDS)
    times = []
    lost = 0
    until = time.monotonic() + task["seconds"]
    number = 0
    while time.monotonic() < until:
        number += 1
        data = number.to_bytes(8, "big") + b"\0" * (SIZE - 8)
        begun = time.monotonic()
        try:
            device.send(data)
            while device.recv(2048)[:8] != data[:8]:
                pass
            times.append(time.monotonic() - begun)
        except OSError:
            lost += 1
            time.sleep(0.05)
    times.sort()
    middle = round(times[len(times) // 2] * 1e6, 1) if times else None
    return {"microseconds": middle, "trips": len(times), "lost": lost}
