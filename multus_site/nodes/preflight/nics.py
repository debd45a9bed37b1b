"""Checks of the NICs that a site's networks use."""

import ipaddress
from collections.abc import Iterator
from typing import Any

from multus_site.cni.addresses import parse_span
from multus_site.nodes.preflight.finding import Node, Problem, Problems, each
from multus_site.nodes.preflight.requirements import Nic

_TAKES_CHILDREN = {"vrf"}
"""What a NIC may be enslaved to and still have macvlan and ipvlan children."""


def _there(node: Node) -> Iterator[tuple[str, Nic, dict[str, Any]]]:
    """The NICs that the site asks for and that exist: name, requirements, facts."""
    for spec, asked in node.asked.nics.items():
        name = node.nic(spec)
        if name is not None:
            yield name, asked, node.facts["nics"][name]


def _users(nic: Nic) -> str:
    return ", ".join(nic.users)


@each("ADDRESS_MISSING", "error", "The host does not hold the address that the site gives it")
def address(node: Node) -> Problems:
    """Kubernetes binds to it, and Kubespray stops where the host does not hold it. An address that is translated on the way is not the host's own.

    Fix: Correct nodes.hosts.NAME.address; hosts behind translated addresses are reached through a bastion.
    """
    there = node.addresses()
    if ipaddress.ip_address(node.asked.address) not in {ipaddress.ip_interface(held).ip for held in there}:
        yield Problem(
            node.name,
            f"none of its NICs holds {node.asked.address}; it has {', '.join(there) or 'none'}",
            f"Correct nodes.hosts.{node.name}.address; where it is translated on the way, reach the hosts through a bastion",
        )


@each("NIC_MISSING", "error", "A NIC that a network uses does not exist")
def missing(node: Node) -> Problems:
    """Pods of that network do not start there. For a NIC that moves into pods this is a warning, and not reported once the node is in the cluster: a pod has it then.

    Fix: Correct the name, plug it in, or name the nodes that have it (`nodes` of network or link).
    """
    for spec, asked in node.asked.nics.items():
        if node.nic(spec) is None and not (asked.absent and node.ours):
            there = ", ".join(name for name in node.facts["nics"]) or "none"
            yield Problem(
                node.name,
                f"there is no interface {spec}, which {_users(asked)} needs; it has: {there}",
                "Correct the name, or say which nodes have it (`nodes` of the network or link)",
                "warning" if asked.absent else None,
            )


@each("NIC_DOWN", "error", "A NIC can't be set up")
def down(node: Node) -> Problems:
    """`up` set it up before this check, so something takes it down again, or its driver refuses.

    Fix: `dmesg | grep NIC` says why.
    """
    for name, asked, nic in _there(node):
        if not nic["up"] and not asked.absent:
            yield Problem(node.name, f"{name} is down", f"See why: ip link set {name} up; dmesg | grep {name}")


@each("NIC_NO_CARRIER", "error", "A NIC without a link")
def carrier(node: Node) -> Problems:
    """No cable, or nothing on its other end.

    Fix: The cable, the switch port, the virtual network.
    """
    for name, asked, nic in _there(node):
        if nic["up"] and not nic["carrier"] and not asked.absent:
            yield Problem(
                node.name, f"{name} has no carrier", "Check its cable, its switch port or its virtual network"
            )


@each("NIC_MTU_SMALL", "error", "A NIC whose MTU is too small for its networks")
def mtu(node: Node) -> Problems:
    """macvlan and vlan refuse an MTU above their master's; ipvlan accepts it, and large packets are lost.

    Fix: Raise it in the system's network settings and on the switch ports, or lower the network's mtu.
    """
    for name, asked, nic in _there(node):
        if nic["mtu"] < asked.mtu:
            yield Problem(
                node.name,
                f"{name} has an MTU of {nic['mtu']}, and {_users(asked)} asks for {asked.mtu}",
                f"Raise it in the system's network settings (now: ip link set {name} mtu {asked.mtu}) and on its switch ports, or lower the network's mtu",
            )


@each("NIC_IN_USE", "error", "A NIC that is already part of a bond or bridge")
def enslaved(node: Node) -> Problems:
    """The kernel gives such a NIC no macvlan and no ipvlan children (EBUSY), and another bond can't take it. Links that the site makes itself do not count.

    Fix: Name the bond or bridge instead, or take the NIC out of it.
    """
    nics = node.facts["nics"]
    for name, asked, nic in _there(node):
        above = nic["master"]
        if not above or above in node.asked.made or nics.get(above, {}).get("kind") in _TAKES_CHILDREN:
            continue
        if asked.children or asked.taken:
            yield Problem(
                node.name,
                f"{name} is part of {above}, and {_users(asked)} needs it",
                f"Name {above} instead, or take {name} out of it",
            )


@each("NIC_OWN", "warning", "A NIC that carries the node's own traffic")
def own(node: Node) -> Problems:
    """Through a NIC that macvlan or ipvlan pods share, a node and its own pods do not hear each other. A NIC that moves into a pod or a bond takes the node's address with it: that is an error.

    Fix: Another NIC; with a single one, VLANs of it (`links`) or nothing.
    """
    for name, asked, nic in _there(node):
        if name != node.own and not nic["default"]:
            continue
        what = "holds the node's own address" if name == node.own else "holds its default route"
        if asked.taken:
            yield Problem(
                node.name,
                f"{name} {what}, and {_users(asked)} takes it away",
                "Name another NIC: the node would be lost",
                "error",
            )
        elif asked.children:
            yield Problem(
                node.name,
                f"{name} {what}, and {_users(asked)} is on it: pods and their own node will not hear each other there",
                "Name another NIC, if there is one",
            )


@each("NIC_HAS_ADDRESS", "warning", "An address on a NIC that is for pods")
def addresses(node: Node) -> Problems:
    """This works, and some sites want the node itself in a network; usually DHCP was left on. Where the NIC moves into a pod or a bond the address is lost: that is an error.

    Fix: Remove it in the system's network settings, unless it is intended.
    """
    for name, asked, nic in _there(node):
        if not nic["addresses"] or name == node.own or nic["default"]:
            continue
        there = ", ".join(nic["addresses"])
        if asked.taken:
            yield Problem(
                node.name,
                f"{name} has {there}, which is lost when {_users(asked)} takes it",
                "Remove the address in the system's network settings",
                "error",
            )
        elif asked.children:
            yield Problem(
                node.name,
                f"{name} has {there}, and {_users(asked)} is on it",
                "Remove it in the system's network settings, unless the node is meant to be in that network",
            )


@each("ADDRESS_IN_RANGE", "warning", "A node's address in a range that pods get addresses from")
def in_range(node: Node) -> Problems:
    """Sooner or later a pod gets the same address.

    Fix: Exclude it from the range (rangeStart, rangeEnd, exclude).
    """
    for name, asked, nic in _there(node):
        for address in nic["addresses"]:
            own = ipaddress.ip_interface(address).ip
            spans = (parse_span(f"{first}-{last}") for first, last in asked.ranges)
            if any(span.contains(own) for span in spans if span):
                yield Problem(
                    node.name,
                    f"{name} has {own}, which is in a range of {_users(asked)}",
                    "Exclude it from the range (rangeStart and rangeEnd, or exclude)",
                )


@each("SRIOV_FUNCTIONS", "error", "A NIC that supports too few virtual functions")
def functions(node: Node) -> Problems:
    """The NIC's firmware and the BIOS limit how many it can have (sriov_totalvfs).

    Fix: Turn SR-IOV on, or lower numVfs.
    """
    for name, asked, nic in _there(node):
        if nic["functions"] < asked.functions:
            there = f"{nic['functions']} virtual functions at most" if nic["functions"] else "no SR-IOV"
            yield Problem(
                node.name,
                f"{name} has {there}, and the site asks for {asked.functions}",
                "Turn SR-IOV on in the BIOS and the NIC's firmware, or lower sriov.pools.<name>.numVfs",
            )
