"""Lists, on a node, what CNI plugins keep for sandboxes. Runs there, with its Python and no packages; prints [{"kind", "name", "owner"}] as JSON."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

SANDBOX = re.compile("[0-9a-f]{64}")
RESERVATIONS = Path("/var/lib/cni/networks")
CACHES = {"Multus' cache": Path("/var/lib/cni/multus"), "CNI's cache": Path("/var/lib/cni/results")}
BUNDLES = Path("/run/containerd/io.containerd.runtime.v2.task/k8s.io")
NETNS = Path("/run/netns")


def reservations() -> list[dict[str, str]]:
    """host-local's files (plugins/ipam/host-local/backend/disk): the address is the name, the owner the first line."""
    found = []
    for path in RESERVATIONS.glob("*/*"):
        if not path.name.startswith(("lock", "last_reserved")):
            owner = path.read_text().split("\n")[0].strip()
            found.append({"kind": "reservation", "name": f"{path.parent.name} {path.name}", "owner": owner})
    return found


def caches() -> list[dict[str, str]]:
    """Caches of attachments: the sandbox's id is part of the name."""
    found = []
    for kind, folder in CACHES.items():
        for path in folder.glob("*") if folder.is_dir() else ():
            match = SANDBOX.search(path.name)
            if path.is_file() and match:
                found.append({"kind": kind, "name": path.name, "owner": match[0]})
    return found


def namespaces() -> list[dict[str, str]]:
    """Network namespaces that the runtime made, with their sandbox."""
    owners = {}
    for bundle in BUNDLES.glob("*/config.json"):
        try:
            spaces = json.loads(bundle.read_text()).get("linux", {}).get("namespaces", [])
        except (OSError, ValueError):
            continue
        for space in spaces:
            if space.get("type") == "network" and space.get("path"):
                owners[Path(space["path"]).name] = bundle.parent.name
    return [
        {"kind": "namespace", "name": path.name, "owner": owners.get(path.name, "")} for path in NETNS.glob("cni-*")
    ]


def links() -> list[dict[str, str]]:
    """Pairs with both ends on the node: an ADD that was killed between making one and moving its end. Those of a namespace that is gone go with it."""
    shown = subprocess.run(["ip", "-j", "-d", "link"], capture_output=True, text=True, check=True).stdout
    pairs = [link for link in json.loads(shown) if (link.get("linkinfo") or {}).get("info_kind") == "veth"]
    return [
        {"kind": "link", "name": link["ifname"], "owner": ""}
        for link in pairs
        if "link_netnsid" not in link and "link_netns" not in link
    ]


if __name__ == "__main__":
    print(json.dumps([*reservations(), *caches(), *namespaces(), *links()]))
