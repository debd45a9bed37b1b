"""A DHCP server on the lab's external segment, as a data centre may have one: busybox's, in the lab's namespace."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from lab.place import Place, enter

FIRST, LAST = "10.1.20.150", "10.1.20.199"
"""Addresses that it leases."""
GATEWAY = "10.1.20.1"


@contextlib.contextmanager
def server(place: Place, folder: Path) -> Iterator[None]:
    """Runs the server; `folder` keeps its configuration and leases."""
    (busybox,) = place.cache.root.glob("image/base-*/busybox")
    links = json.loads(subprocess.run(enter("ip", "-j", "addr"), capture_output=True, text=True, check=True).stdout)
    (bridge,) = (link["ifname"] for link in links if any(a.get("local") == GATEWAY for a in link.get("addr_info", [])))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "leases").touch()
    (folder / "udhcpd.conf").write_text(
        f"start {FIRST}\nend {LAST}\ninterface {bridge}\nlease_file {folder}/leases\npidfile {folder}/pid\n"
        f"opt subnet 255.255.255.0\nopt router {GATEWAY}\nopt lease 120\n"
    )
    # It ends with this process, however that ends: two servers would lease one address twice.
    command = [
        "setpriv",
        "--pdeathsig",
        "TERM",
        "--",
        *enter(str(busybox), "udhcpd", "-f", str(folder / "udhcpd.conf")),
    ]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)
