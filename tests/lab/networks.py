"""The lab's site with the networks of tests/lab/networks.site.yaml, and what a data centre would have for them."""

import contextlib
import json
import subprocess
from pathlib import Path

import yaml

from lab.place import enter
from tests.lab.running import PROJECT

FOLDER = Path(__file__).parent
SITE = "multus-site:site"
SPARE = "02:00:00:00:09:09"
LEASES = "10.1.20.160", "10.1.20.169"


def stack_file(target):
    """A stack file of the lab's site with the further networks and workloads."""
    data = yaml.safe_load((PROJECT / "stacks" / "Pulumi.lab.yaml").read_text())
    more = yaml.safe_load((FOLDER / "networks.site.yaml").read_text())
    for key, entries in more.items():
        data["config"][SITE][key] |= entries
    del data["config"][SITE]["cniPlugins"]["plugins"]
    target.write_text(yaml.safe_dump(data, sort_keys=False))
    return target


def furnish(lab):
    """A spare NIC on node2, and an alternative name for every node's second uplink."""
    for node in ("node1", "node2", "node3"):
        lab.node(node, "ip", "link", "property", "add", "dev", "ens7", "altname", "to-external", check=False)
    lab.node(
        "node2", "ip", "link", "add", "spare0", "address", SPARE, "type", "veth", "peer", "name", "spare1", check=False
    )
    lab.node("node2", "ip", "link", "set", "spare1", "up")


@contextlib.contextmanager
def dhcp_server(lab, folder):
    """busybox's DHCP server on the external segment, in the lab's namespace."""
    (busybox,) = lab.place.cache.root.glob("image/base-*/busybox")
    links = json.loads(subprocess.run(enter("ip", "-j", "addr"), capture_output=True, text=True, check=True).stdout)
    (bridge,) = (
        link["ifname"] for link in links if any(a.get("local") == "10.1.20.1" for a in link.get("addr_info", []))
    )
    (folder / "leases").touch()
    (folder / "udhcpd.conf").write_text(
        f"start {LEASES[0]}\nend {LEASES[1]}\ninterface {bridge}\nlease_file {folder}/leases\npidfile {folder}/pid\n"
        "opt subnet 255.255.255.0\nopt router 10.1.20.1\nopt lease 600\n"
    )
    command = enter(str(busybox), "udhcpd", "-f", str(folder / "udhcpd.conf"))
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        server.terminate()
        server.wait(10)


__all__ = ["LEASES", "dhcp_server", "furnish", "stack_file"]
