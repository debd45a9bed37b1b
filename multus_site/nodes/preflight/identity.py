"""Checks of what must differ between hosts, and of clocks, which must agree."""

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence

from multus_site.nodes.preflight.finding import Level, Node, Problem, Problems, each, together

CLOCK_SECONDS = 5
"""Largest difference between clocks. The measurement accounts for a second or two; etcd warns above one."""


@each("MACHINE_ID_MISSING", "error", "/etc/machine-id is empty")
def machine_id(node: Node) -> Problems:
    """It identifies the machine of a node, and the DHCP client of systemd uses it.

    Fix: `systemd-machine-id-setup`.
    """
    if not node.facts["machineId"]:
        yield Problem(
            node.name, "/etc/machine-id is empty; the site needs an ID for each host", "systemd-machine-id-setup"
        )


@together("MACHINE_ID_SHARED", "error", "Two hosts have the same machine-id")
def machine_id_shared(nodes: Sequence[Node]) -> Problems:
    """The machines were cloned with it. Kubernetes, DHCP servers and this site take them for one machine.

    Fix: `rm /etc/machine-id /var/lib/dbus/machine-id; systemd-machine-id-setup`, then reboot.
    """
    for node, value in _shared(nodes, "machineId"):
        yield Problem(
            node,
            f"several hosts have the machine-id {value}; each host needs its own",
            "rm /etc/machine-id /var/lib/dbus/machine-id; systemd-machine-id-setup; reboot",
        )


@together("PRODUCT_UUID_SHARED", "warning", "Two machines have the same product_uuid")
def product_uuid_shared(nodes: Sequence[Node]) -> Problems:
    """Kubernetes expects different ones (kubeadm: before you begin); some boards and hypervisors give all machines the same.

    Fix: Give virtual machines UUIDs of their own. A board's UUID cannot be changed; this is usually harmless.
    """
    real = [node for node in nodes if not node.container]
    for node, value in _shared(real, "productUuid"):
        yield Problem(
            node,
            f"several hosts have the product_uuid {value}; Kubernetes expects one for each host",
            "give virtual machines UUIDs of their own; on physical machines, ignore this",
        )


@together("MAC_SHARED", "error", "Two hosts have the same MAC address")
def mac_shared(nodes: Sequence[Node]) -> Problems:
    """A switch sends the frames of both hosts to the host that sent last. Only NICs that the site uses are checked.

    Fix: Give the cloned machine MAC addresses of its own.
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
            if others := [f"{other_nic} of {other}" for other, other_nic in ends if other != name]:
                yield Problem(
                    name,
                    f"{nic} has the MAC address {mac}, the same as {' and '.join(others)}",
                    "give each machine MAC addresses of its own",
                )


@each("CLOCK_UNSYNCHRONISED", "warning", "The clock is not synchronized")
def unsynchronised(node: Node) -> Problems:
    """Certificates and etcd need clocks that agree, and clocks drift apart.

    Fix: `timedatectl set-ntp true`, with an NTP server that the host reaches.
    """
    if node.facts["synchronized"] is False and not node.container:
        yield Problem(
            node.name,
            "the clock is not synchronized; certificates and etcd need clocks that agree",
            "timedatectl set-ntp true, with an NTP server of the site in /etc/systemd/timesyncd.conf or chrony.conf",
        )


@together("CLOCK_DIFFERS", "error", "A clock differs from those of the other hosts")
def clocks(nodes: Sequence[Node]) -> Problems:
    """Where a clock is behind, certificates are not valid yet; etcd's leases end early. The clock of the machine that runs `up` counts as one of the others.

    Fix: `timedatectl set-ntp true`, with an NTP server that the host reaches.
    """
    offsets = {node.name: node.offset for node in nodes if node.offset is not None}
    if not offsets:
        return
    alone = len(offsets) == 1
    # With two hosts, the clock of this machine decides which one is wrong.
    middle = 0.0 if alone else statistics.median_low([0.0, *offsets.values()])
    level: Level | None = "warning" if alone else None
    for name, offset in offsets.items():
        difference = round(offset - middle)
        if abs(difference) > CLOCK_SECONDS:
            reference = "this machine" if alone else "the other hosts"
            relation = "ahead of" if difference > 0 else "behind"
            yield Problem(
                name,
                f"the clock is {abs(difference)} s {relation} {reference}; the limit is {CLOCK_SECONDS} s",
                "timedatectl set-ntp true",
                level,
            )


def _shared(nodes: Sequence[Node], key: str) -> Iterator[tuple[str, str]]:
    """Each node whose value of the fact other nodes have too, with the value."""
    counts = Counter(node.facts[key] for node in nodes)
    for node in nodes:
        if node.facts[key] and counts[node.facts[key]] > 1:
            yield node.name, node.facts[key]
