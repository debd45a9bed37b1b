"""What the cluster says, beside what the probes see: pods, whether they are ready, and whereabouts' allocations. Polled, so that an API server that was away is no gap to guess about."""

import ipaddress
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab.cache import LabError
from lab.commands import Commands
from multus_site.cni.selections import selections_of

POLL_SECONDS = 2.0
ASKED = "k8s.v1.cni.cncf.io/networks"
POOLS = "ippools.whereabouts.cni.cncf.io"


def asked(pod: dict[str, Any]) -> int:
    """How many interfaces a pod asks for."""
    text = pod["metadata"].get("annotations", {}).get(ASKED, "")
    return len(selections_of(text, pod["metadata"].get("namespace", "default"), ()))


def ready(pod: dict[str, Any]) -> bool:
    """Whether a pod that stays is ready; one that is going has no promise to keep."""
    conditions = pod.get("status", {}).get("conditions") or []
    stays = "deletionTimestamp" not in pod["metadata"]
    return stays and any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)


def allocated(pools: list[dict[str, Any]]) -> dict[tuple[str, str], str]:
    """(range, address) → the sandbox that holds it, of whereabouts' pools. A key is the offset from the range's first address."""
    found = {}
    for pool in pools:
        first = ipaddress.ip_network(pool["spec"]["range"], strict=False).network_address
        for offset, entry in (pool["spec"].get("allocations") or {}).items():
            found[f"whereabouts/{pool['spec']['range']}", str(first + int(offset))] = entry.get("id") or entry.get(
                "podref", ""
            )
    return found


class Watch(threading.Thread):
    """Polls until it is stopped; `record` writes an event."""

    def __init__(self, lab: Commands, record: Callable[..., None]) -> None:
        super().__init__(daemon=True)
        self.lab, self.record = lab, record
        self.over = threading.Event()
        self.pods: dict[str, tuple[Any, ...]] = {}
        self.held: dict[tuple[str, str], str] = {}
        self.missed = 0

    def run(self) -> None:
        while not self.over.is_set():
            begun = time.monotonic()
            try:
                self.poll()
            except LabError:
                self.missed += 1
            self.over.wait(max(0.0, POLL_SECONDS - (time.monotonic() - begun)))

    def stop(self) -> None:
        """Waits for the last poll."""
        self.over.set()
        self.join(30)

    def poll(self) -> None:
        """One look. Raises LabError."""
        items = self.lab.get(f"pods,{POOLS}", "-A", seconds=10)["items"]
        self.take_pods([one for one in items if one["kind"] == "Pod"])
        self.take_pools([one for one in items if one["kind"] == "IPPool"])
        self.record("polled", pods=len(self.pods), missed=self.missed)

    def take_pods(self, pods: list[dict[str, Any]]) -> None:
        """Writes what is new of pods on nodes."""
        now = {}
        for pod in pods:
            if not (node := pod["spec"].get("nodeName")) or pod["spec"].get("hostNetwork"):
                continue
            name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
            now[pod["metadata"]["uid"]] = (name, node, asked(pod), ready(pod))
        for uid, seen in now.items():
            if self.pods.get(uid) != seen:
                self.record("pod", uid=uid, **dict(zip(("pod", "node", "asked", "ready"), seen, strict=True)))
        for uid in set(self.pods) - set(now):
            self.record("deleted", uid=uid)
        self.pods = now

    def take_pools(self, pools: list[dict[str, Any]]) -> None:
        """Writes what is new of allocations."""
        now = allocated(pools)
        for (store, address), owner in self.held.items():
            if now.get((store, address)) != owner:
                self.record("released", store=store, address=address, owner=owner)
        for (store, address), owner in now.items():
            if self.held.get((store, address)) != owner:
                self.record("reserved", store=store, address=address, owner=owner)
        self.held = now


def writer(path: Path) -> Callable[..., None]:
    """A function that appends an event with the present time to a record; threads may share it."""
    lock, file = threading.Lock(), path.open("a", encoding="utf-8")

    def record(event: str, **more: Any) -> None:  # noqa: ANN401 - any JSON
        with lock:
            file.write(json.dumps({"t": round(time.time(), 3), "event": event, **more}) + "\n")
            file.flush()

    return record
