"""Find what pods left behind on a node, and remove it if asked. Runs on the node, with its Python 3.8 or later and no packages.

`main(TASK)` prints the answer as JSON (shapes: multus_site/verify/leaks.py). What is reserved is compared with the sandboxes that the
container runtime knows; what is younger than a start may take belongs to a sandbox that is not listed yet.
Files: host-local plugins/ipam/host-local/backend/disk (ADDRESS in DIR/NETWORK: container ID, CR LF, interface; `lock`, held by flock);
libcni libcni/api.go cacheAdd (DIR/results/NETWORK-ID-INTERFACE); multus-cni pkg/multus saveScratchNetConf (DIR/ID).
"""

from __future__ import annotations

import fcntl
import ipaddress
import json
import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any, Dict, Iterator  # noqa: UP035 - the node's Python may be 3.8

Json = Dict[str, Any]  # noqa: UP006 - read when it runs

ROOT = Path(os.environ.get("MULTUS_SITE_ROOT", "/"))
"""For tests; everything below is relative to it."""
DATA = "/var/lib/cni/networks"
MULTUS = "/var/lib/cni/multus"
CACHE = "/var/lib/cni"
ID = re.compile("[0-9a-f]{64}")
"""What containerd and CRI-O call a sandbox."""
CUT_ID = re.compile("[0-9a-f]{0,64}")
"""The same, or the beginning of it that a full disk let through."""
NAME = re.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]*")
"""Of a network (cni pkg/utils ValidateNetworkName). Tenants choose it, and it becomes a part of a path."""
RUNTIME_NETWORKS = {"multus-cni-network", "cni-loopback"}
"""What the container runtime itself caches results of."""
SECONDS = 20


class RuntimeUnknownError(Exception):
    """The sandboxes are not known, so nothing can be judged; the message says why."""


def main(task: Json) -> None:
    print(json.dumps(answer(task)))


def answer(task: Json) -> Json:
    seen: Json = {"error": "", "sandboxes": [], "reserved": {}, "left": [], "multus": multus()}
    try:
        known = sandboxes()
        networks = names(task)
        audit = Audit(known, task, networks)
        seen["left"] = audit.left()
        seen["reserved"] = audit.reserved
        seen["sandboxes"] = sorted(known)
    except (RuntimeUnknownError, OSError) as error:
        seen["error"] = str(error)
    return seen


def at(path: str) -> Path:
    return ROOT / path.lstrip("/")


def sandboxes() -> set[str]:
    """Return the sandboxes that the runtime knows, whatever their state, and every ID in the name of a control group with processes."""
    environment = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/local/bin:/usr/bin:/bin:/opt/bin:/usr/sbin")
    try:
        done = subprocess.run(
            ["crictl", "pods", "-o", "json"],
            capture_output=True,
            timeout=SECONDS,
            env=environment,
            check=False,
        )
    except FileNotFoundError:
        msg = "there is no crictl on the node"
        raise RuntimeUnknownError(msg) from None
    except subprocess.TimeoutExpired:
        msg = f"crictl pods did not answer within {SECONDS} s"
        raise RuntimeUnknownError(msg) from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no output"]
        msg = f"crictl pods: {lines[-1][:300]}"
        raise RuntimeUnknownError(msg)
    try:
        known = {str(pod["id"]) for pod in json.loads(done.stdout)["items"] or []}
    except (ValueError, KeyError, TypeError):
        msg = "crictl pods printed something else than pods"
        raise RuntimeUnknownError(msg) from None
    for path in Path("/proc").glob("[0-9]*/cgroup"):
        known.update(ID.findall(content(path)))
    return known


def content(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def parsed(path: Path) -> Json:
    """Return a JSON object, empty if it is none."""
    try:
        found = json.loads(content(path))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def configurations() -> list[Path]:
    """Return the CNI configurations of the runtime and of Multus; the first that is not Multus' own is the cluster's network."""
    found: list[Path] = []
    for folder in ("/etc/cni/net.d", "/etc/cni/multus/net.d"):
        files = [p for p in at(folder).glob("*") if p.suffix in {".conf", ".conflist", ".json"} and p.is_file()]
        found += sorted(files, key=lambda path: os.fsencode(path.name))
    return found


def cluster_network() -> Path | None:
    files = (p for p in configurations() if p.parent == at("/etc/cni/net.d") and not p.name.startswith("00-multus"))
    return next(files, None)


def multus() -> Json:
    """Return Multus' configuration on the node, what its shim says of its version, and the cluster's own network."""
    first = cluster_network()
    shim = at("/opt/cni/bin/multus-shim")
    said = ""
    if shim.is_file():
        try:
            done = subprocess.run(
                [str(shim), "-version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=5, check=False
            )
            said = done.stdout.decode(errors="replace").strip()[:200]
        except (OSError, subprocess.TimeoutExpired):
            pass
    return {
        "conf": content(at("/etc/cni/net.d/00-multus.conf")),
        "version": said,
        "networkFile": first.name if first else "",
        "network": content(first) if first else "",
    }


def names(task: Json) -> dict[str, set[str]]:
    """Return the networks of Kubernetes on this node → their host-local folders. Other programs (podman, nerdctl) have networks too."""
    found: dict[str, set[str]] = {}

    def add(config: Json) -> None:
        name = config.get("name")
        if isinstance(name, str) and NAME.fullmatch(name):
            folders = found.setdefault(name, {DATA})
            plugins = config.get("plugins")
            for plugin in plugins if isinstance(plugins, list) else [config]:
                ipam = plugin.get("ipam") if isinstance(plugin, dict) else None
                if isinstance(ipam, dict) and isinstance(ipam.get("dataDir"), str) and ipam["dataDir"]:
                    folders.add(ipam["dataDir"])

    first = cluster_network()
    if first is not None:
        add(parsed(first))
    for path in configurations():
        if path.parent == at("/etc/cni/multus/net.d"):
            add(parsed(path))
    for path in listed(at(MULTUS) / "results"):
        add({"name": parsed(path).get("networkName")})
    for text in task.get("configs", []):
        try:
            config = json.loads(text)
        except ValueError:
            continue
        if isinstance(config, dict):
            add(config)
    for name in task.get("names", []):
        add({"name": name})
    return found


def listed(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:
        return []


class Audit:
    """What is left of pods on this node. `reserved`: network → all of its addresses that host-local holds here."""

    def __init__(self, known: set[str], task: Json, networks: dict[str, set[str]]) -> None:
        self.known, self.networks = known, networks
        self.older, self.free = float(task["older"]), bool(task.get("free"))
        self.reserved: dict[str, list[str]] = {}

    def left(self) -> list[Json]:
        return [*self.addresses(), *self.files(), *self.namespaces()]

    def age(self, path: Path) -> float:
        """Seconds since it was written; 0 where the clock went back."""
        return max(0.0, time.time() - path.stat().st_mtime)

    def item(self, kind: str, path: Path, network: str, what: str, holder: str, interface: str = "") -> Json:
        return {
            "kind": kind,
            "network": network,
            "what": what,
            "holder": holder,
            "interface": interface,
            "seconds": int(self.age(path)),
            "path": str(path),
            "freed": False,
        }

    def addresses(self) -> Iterator[Json]:
        for network in sorted(self.networks):
            for folder in sorted(self.networks[network]):
                found = list(self.of_folder(network, at(folder) / network))
                if found and self.free:
                    self.return_addresses(at(folder) / network, found)
                yield from found

    def of_folder(self, network: str, folder: Path) -> Iterator[Json]:
        for path in listed(folder):
            try:
                ipaddress.ip_address(path.name)
            except ValueError:
                continue  # lock, last_reserved_ip.0
            self.reserved.setdefault(network, []).append(path.name)
            holder, _, interface = content(path).strip().partition("\n")
            holder, interface = holder.strip(), interface.strip()
            try:
                # A file that a full disk cut short names nobody, so nobody returns it.
                ours = CUT_ID.fullmatch(holder) and holder not in self.known
                if ours and self.age(path) > self.older:
                    yield self.item("address", path, network, path.name, holder, interface)
            except OSError:
                continue  # returned meanwhile

    def return_addresses(self, folder: Path, found: list[Json]) -> None:
        """Remove reservations under host-local's own lock, if they still are what they were and their sandbox is still unknown."""
        with (folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            known = sandboxes()
            for one in found:
                path = Path(one["path"])
                holder = content(path).strip().partition("\n")[0].strip()
                try:
                    if holder == one["holder"] and holder not in known and self.age(path) > self.older:
                        path.unlink()
                        one["freed"] = True
                except OSError:
                    continue

    def files(self) -> Iterator[Json]:
        """Caches of sandboxes that are gone: Multus' own, and libcni's results of Multus and of the runtime."""
        for path in listed(at(MULTUS)):
            yield from self.cache("cache", path, "", path.name)
        for folder, ours in ((at(MULTUS) / "results", True), (at(CACHE) / "results", False)):
            for path in listed(folder):
                cached = parsed(path)
                holder = str(cached.get("containerId") or "")
                if not holder:
                    named = ID.search(path.name)
                    holder = named.group() if named else ""
                network = str(cached.get("networkName") or path.name.partition(f"-{holder}")[0])
                if ours or network in self.networks or network in RUNTIME_NETWORKS:
                    yield from self.cache("result", path, network, holder, str(cached.get("ifName") or ""))

    def cache(self, kind: str, path: Path, network: str, holder: str, interface: str = "") -> Iterator[Json]:
        try:
            gone = bool(ID.fullmatch(holder)) and holder not in self.known and self.age(path) > self.older
            if gone:
                one = self.item(kind, path, network, path.name, holder, interface)
                if self.free:
                    path.unlink()
                    one["freed"] = True
                yield one
            elif kind == "cache" and holder in self.known and not self.whole(path):
                # Multus would delete the pod's networks without knowing them, and say that it did.
                yield self.item("damaged", path, network, path.name, holder)
        except OSError:
            return

    def whole(self, path: Path) -> bool:
        try:
            found = json.loads(path.read_text(errors="replace"))
        except ValueError:
            return self.age(path) < 5  # being written
        return isinstance(found, list) and bool(found)

    def namespaces(self) -> Iterator[Json]:
        """Network namespaces of sandboxes in which nothing runs, with the links that are in them."""
        used = {inode(path) for path in Path("/proc").glob("[0-9]*/ns/net")}
        for folder in (at(MULTUS) / "results", at(CACHE) / "results"):
            for path in listed(folder):
                if any(one in path.name for one in ID.findall(path.name) if one in self.known):
                    used.update(inode(at(str(text))) for text in sandbox_paths(parsed(path)))
        for path in sorted(at("/run/netns").glob("cni-*")):
            try:
                if inode(path) in used or self.age(path) <= self.older:
                    continue
                one = self.item("namespace", path, "", path.name, "", ", ".join(links(path.name)))
            except OSError:
                continue
            if self.free:
                done = subprocess.run(["ip", "netns", "del", path.name], stderr=subprocess.DEVNULL, check=False)
                one["freed"] = done.returncode == 0
            yield one


def inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def sandbox_paths(cached: Json) -> list[str]:
    """Return the namespaces that a cached result names."""
    result = cached.get("result")
    interfaces = result.get("interfaces") if isinstance(result, dict) else None
    found = [i.get("sandbox") for i in interfaces if isinstance(i, dict)] if isinstance(interfaces, list) else []
    return [path for path in [*found, cached.get("netns")] if isinstance(path, str) and path]


def links(namespace: str) -> list[str]:
    done = subprocess.run(
        ["ip", "-n", namespace, "-j", "link"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
    )
    try:
        return [link["ifname"] for link in json.loads(done.stdout or b"[]") if link.get("ifname") not in (None, "lo")]
    except (ValueError, KeyError, TypeError):
        return []
