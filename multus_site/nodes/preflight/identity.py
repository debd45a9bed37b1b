"""Checks of what must differ from host to host, and of the time, which must not."""

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence

from multus_site.nodes.preflight.finding import Level, Node, Problem, Problems, each, together

CLOCK_SECONDS = 5
"""So far apart clocks may be: a second or two is the measurement's, etcd warns above one."""


@each("MACHINE_ID_MISSING", "error", "/etc/machine-id is empty")
def machine_id(node: Node) -> Problems:
    """It tells whether a node is the same machine still, and systemd's DHCP client is known by it.

    Fix: `systemd-machine-id-setup`.
    """
    if not node.facts["machineId"]:
        yield Problem(node.name, "/etc/machine-id is empty", "Make one: systemd-machine-id-setup")


@together("MACHINE_ID_SHARED", "error", "Two hosts with one machine-id")
def machine_id_shared(nodes: Sequence[Node]) -> Problems:
    """Machines that were cloned with it: to Kubernetes, to DHCP servers and to this site they are one.

    Fix: `rm /etc/machine-id /var/lib/dbus/machine-id; systemd-machine-id-setup`, and a reboot.
    """
    for node, value in _shared(nodes, "machineId"):
        yield Problem(
            node,
            f"the machine-id {value} is on several hosts",
            "Make others: rm /etc/machine-id /var/lib/dbus/machine-id; systemd-machine-id-setup; reboot",
        )


@together("PRODUCT_UUID_SHARED", "warning", "Two machines with one product_uuid")
def product_uuid_shared(nodes: Sequence[Node]) -> Problems:
    """Kubernetes asks for different ones (kubeadm: before you begin); boards and hypervisors exist that give one to all.

    Fix: A UUID of its own for a virtual machine; with boards nothing can be done, and mostly nothing comes of it.
    """
    real = [node for node in nodes if not node.container]
    for node, value in _shared(real, "productUuid"):
        yield Problem(
            node,
            f"the product_uuid {value} is on several hosts",
            "Give virtual machines UUIDs of their own, if they are such",
        )


@together("MAC_SHARED", "error", "Two hosts with one MAC address")
def mac_shared(nodes: Sequence[Node]) -> Problems:
    """A switch sends the frames of both to the one that it heard last. Looked at are the NICs that the site uses.

    Fix: MAC addresses of its own for the machine that was cloned.
    """
    holders: dict[str, list[tuple[str, str]]] = {}
    for node in nodes:
        for nic in node.wired():
            mac = node.facts["nics"][nic]["mac"]
            # Tunnels (tun, WireGuard, ipip) have none.
            if not set(mac) <= set("0:"):
                holders.setdefault(mac, []).append((node.name, nic))
    for mac, ends in holders.items():
        for name, nic in ends:
            if others := [f"{their} of {other}" for other, their in ends if other != name]:
                yield Problem(
                    name,
                    f"{nic} has the MAC address {mac}, as {' and '.join(others)} has",
                    "Give each machine MAC addresses of its own",
                )


@each("CLOCK_UNSYNCHRONISED", "warning", "Nothing keeps the clock")
def unsynchronised(node: Node) -> Problems:
    """Certificates and etcd need clocks that agree, and they part by themselves.

    Fix: `timedatectl set-ntp true`, with a server that the host reaches.
    """
    if node.facts["synchronized"] is False and not node.container:
        yield Problem(
            node.name,
            "its clock is not synchronized",
            "Turn it on: timedatectl set-ntp true, with a server of the site in /etc/systemd/timesyncd.conf or chrony.conf",
        )


@together("CLOCK_DIFFERS", "error", "A clock far from the others'")
def clocks(nodes: Sequence[Node]) -> Problems:
    """Certificates are not valid yet where the clock is behind, and etcd's leases end early. This machine's clock counts as one of the others.

    Fix: The same.
    """
    known = {node.name: node.offset for node in nodes if node.offset is not None}
    if not known:
        return
    alone = len(known) == 1
    # Of two clocks that differ neither is right by that: this machine's is the third.
    middle = 0.0 if alone else statistics.median_low([0.0, *known.values()])
    level: Level | None = "warning" if alone else None
    for name, offset in known.items():
        apart = round(offset - middle)
        if abs(apart) > CLOCK_SECONDS:
            whose = "that of this machine" if alone else "those of the others"
            way = "ahead of" if apart > 0 else "behind"
            yield Problem(
                name, f"its clock is {abs(apart)} s {way} {whose}", "Set it right: timedatectl set-ntp true", level
            )


def _shared(nodes: Sequence[Node], key: str) -> Iterator[tuple[str, str]]:
    """Each node whose fact others have too, with the fact."""
    counts = Counter(node.facts[key] for node in nodes)
    for node in nodes:
        if node.facts[key] and counts[node.facts[key]] > 1:
            yield node.name, node.facts[key]
