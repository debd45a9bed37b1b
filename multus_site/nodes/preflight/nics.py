"""Checks of the NICs that a site's networks use."""

import ipaddress
from collections.abc import Iterator
from typing import Any, NamedTuple

from multus_site.cni.addresses import parse_span
from multus_site.cni.uplinks import is_name
from multus_site.nodes.preflight.finding import Node, Problem, Problems, each
from multus_site.nodes.preflight.requirements import NicRequirements

_TAKES_CHILDREN = {"vrf"}
"""Kinds of interfaces whose members can still have macvlan and ipvlan children."""


class _PresentNic(NamedTuple):
    """A NIC that the site needs and the host has."""

    name: str
    spec: str
    """The NIC as the site gives it."""
    needs: NicRequirements
    facts: dict[str, Any]

    @property
    def users(self) -> str:
        return ", ".join(self.needs.users)

    @property
    def by_altname_only(self) -> bool:
        """Whether the site gives it as a name, and that is one of its alternative names."""
        return is_name(self.spec) and self.spec != self.name


def _present_nics(node: Node) -> Iterator[_PresentNic]:
    for spec, needs in node.requirements.nics.items():
        name = node.nic(spec)
        if name is not None:
            yield _PresentNic(name, spec, needs, node.facts["nics"][name])


@each("ADDRESS_MISSING", "error", "The host does not have the address that the site gives it")
def address(node: Node) -> Problems:
    """Kubernetes binds to this address, and Kubespray stops if the host does not have it. An address that NAT translates is not the host's own.

    Fix: Correct nodes.hosts.NAME.address; reach hosts behind NAT through a bastion.
    """
    wanted, addresses = node.requirements.address, node.addresses()
    if ipaddress.ip_address(wanted) not in {ipaddress.ip_interface(one).ip for one in addresses}:
        yield Problem(
            node.name,
            f"no NIC has {wanted}, the host's address in the site; found {', '.join(addresses) or 'no address'}",
            f"correct nodes.hosts.{node.name}.address; if NAT translates it, reach the hosts through a bastion",
        )


@each("NIC_MISSING", "error", "A NIC that a network uses does not exist")
def missing(node: Node) -> Problems:
    """Pods of that network do not start on this node. For a NIC that moves into pods this is a warning, and not reported once the node is in the cluster: a pod may have it.

    Fix: Correct the name, plug in the NIC, or list the nodes that have it (`nodes` of the network or link).
    """
    for spec, needs in node.requirements.nics.items():
        if node.nic(spec) is None and not (needs.absent and node.ours):
            names = ", ".join(node.facts["nics"]) or "no interface"
            yield Problem(
                node.name,
                f"no interface {spec}, which {', '.join(needs.users)} needs; found {names}",
                "correct the name, or list the nodes that have it (`nodes` of the network or link)",
                "warning" if needs.absent else None,
            )


@each("NIC_ALTNAME", "error", "A NIC whose name in the site is only one of its alternative names")
def altname(node: Node) -> Problems:
    """`up` sets up NICs by their names, and the verification looks for them by name: neither finds this one.

    Fix: Write `master: {altname: NAME}`, or the NIC's name; for links and SR-IOV pools, the NIC's name.
    """
    for nic in _present_nics(node):
        if nic.by_altname_only and not nic.needs.absent:
            yield Problem(
                node.name,
                f"{nic.spec} is only an alternative name of {nic.name}; {nic.users} needs a NIC of that name",
                f"write `master: {{altname: {nic.spec}}}` in the network, or the name {nic.name}",
            )


@each("NIC_DOWN", "error", "A NIC is down")
def down(node: Node) -> Problems:
    """`up` set it up before this check, so something takes it down again, or its driver refuses.

    Fix: `dmesg | grep NIC` shows the cause.
    """
    for nic in _present_nics(node):
        if not (nic.facts["up"] or nic.needs.absent or nic.by_altname_only):
            yield Problem(
                node.name,
                f"{nic.name} is down; {nic.users} needs it up",
                f"find the cause: ip link set {nic.name} up; dmesg | grep {nic.name}",
            )


@each("NIC_NO_CARRIER", "error", "A NIC has no link")
def carrier(node: Node) -> Problems:
    """No cable is plugged in, or nothing is at its other end.

    Fix: Check the cable, the switch port or the virtual network.
    """
    for nic in _present_nics(node):
        if nic.facts["up"] and not nic.facts["carrier"] and not nic.needs.absent:
            yield Problem(
                node.name,
                f"{nic.name} has no carrier; {nic.users} needs a link",
                "check its cable, its switch port or its virtual network",
            )


@each("NIC_MTU_SMALL", "error", "The MTU of a NIC is too small for its networks")
def mtu(node: Node) -> Problems:
    """macvlan and vlan refuse an MTU above that of their master; ipvlan accepts it, and large packets are lost.

    Fix: Raise the MTU in the system's network settings and on the switch ports, or lower the network's mtu.
    """
    for nic in _present_nics(node):
        if nic.facts["mtu"] < nic.needs.mtu:
            yield Problem(
                node.name,
                f"{nic.name} has an MTU of {nic.facts['mtu']}; {nic.users} needs {nic.needs.mtu}",
                "raise it in the system's network settings and on the switch ports "
                f"(until the next boot: ip link set {nic.name} mtu {nic.needs.mtu}), or lower the network's mtu",
            )


@each("NIC_IN_USE", "error", "A NIC is already part of a bond or bridge")
def enslaved(node: Node) -> Problems:
    """The kernel refuses macvlan and ipvlan children of such a NIC (EBUSY), and another bond cannot take it. Links that the site creates do not count.

    Fix: Use the bond or bridge instead, or remove the NIC from it.
    """
    for nic in _present_nics(node):
        above = nic.facts["master"]
        kind = node.facts["nics"].get(above, {}).get("kind")
        if not above or above in node.requirements.made or kind in _TAKES_CHILDREN:
            continue
        if nic.needs.children or nic.needs.taken:
            yield Problem(
                node.name,
                f"{nic.name} is part of {above}; {nic.users} needs the NIC itself",
                f"use {above} instead, or remove {nic.name} from it",
            )


@each("NIC_OWN", "warning", "A NIC carries the node's own traffic")
def own(node: Node) -> Problems:
    """A node and its own pods cannot reach each other through a NIC that macvlan or ipvlan pods share. A NIC that moves into a pod or a bond takes the node's address with it: that is an error.

    Fix: Use another NIC. If the host has only one, use a VLAN of it (`links`), or accept the warning.
    """
    for nic in _present_nics(node):
        if nic.name != node.own and not nic.facts["default"]:
            continue
        what = "has the node's own address" if nic.name == node.own else "has the node's default route"
        if nic.needs.taken:
            yield Problem(
                node.name,
                f"{nic.name} {what}; {nic.users} would take the NIC and cut the node off",
                "use another NIC",
                "error",
            )
        elif nic.needs.children:
            yield Problem(
                node.name,
                f"{nic.name} {what}, and {nic.users} uses it: a node and its own pods cannot reach each other through it",
                "use another NIC, if the host has one",
            )


@each("NIC_HAS_ADDRESS", "warning", "A NIC for pods has an address")
def addresses(node: Node) -> Problems:
    """This works, and some sites want the node itself in a network; usually DHCP was left on. If the NIC moves into a pod or a bond, the address is lost: that is an error.

    Fix: Remove the address in the system's network settings, unless it is intended.
    """
    for nic in _present_nics(node):
        if not nic.facts["addresses"] or nic.name == node.own or nic.facts["default"]:
            continue
        held = ", ".join(nic.facts["addresses"])
        if nic.needs.taken:
            yield Problem(
                node.name,
                f"{nic.name} has {held}, which is lost when {nic.users} takes the NIC",
                "remove the address in the system's network settings",
                "error",
            )
        elif nic.needs.children:
            yield Problem(
                node.name,
                f"{nic.name} has {held}; {nic.users} uses the NIC for pods",
                "remove the address in the system's network settings, unless the node belongs in that network",
            )


@each("ADDRESS_IN_RANGE", "warning", "A node's address is in a range that pods get addresses from")
def in_range(node: Node) -> Problems:
    """Sooner or later a pod gets the same address.

    Fix: Exclude the address from the range (rangeStart and rangeEnd, or exclude).
    """
    for nic in _present_nics(node):
        spans = [span for first, last in nic.needs.ranges if (span := parse_span(f"{first}-{last}"))]
        for text in nic.facts["addresses"]:
            held = ipaddress.ip_interface(text).ip
            if any(span.contains(held) for span in spans):
                yield Problem(
                    node.name,
                    f"{nic.name} has {held}, which {nic.users} can give to a pod",
                    "exclude it from the range (rangeStart and rangeEnd, or exclude)",
                )


@each("SRIOV_FUNCTIONS", "error", "A NIC supports too few virtual functions")
def functions(node: Node) -> Problems:
    """The NIC's firmware and the BIOS limit the number (sriov_totalvfs).

    Fix: Enable SR-IOV, or lower numVfs.
    """
    for nic in _present_nics(node):
        most = nic.facts["functions"]
        if most < nic.needs.functions:
            supported = f"at most {most} virtual functions" if most else "no SR-IOV"
            yield Problem(
                node.name,
                f"{nic.name} supports {supported}; the site needs {nic.needs.functions} virtual functions",
                "enable SR-IOV in the BIOS and the NIC's firmware, or lower sriov.pools.<name>.numVfs",
            )
