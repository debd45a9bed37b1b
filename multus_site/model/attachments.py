"""What an attachment requests from its network, and what the network cannot give."""

import ipaddress
from collections.abc import Iterator

from multus_site.model.attachable import Attachable
from multus_site.model.ipam import HostLocal, Static, Whereabouts
from multus_site.model.networks import Network, Raw
from multus_site.model.part import Mistake
from multus_site.model.paths import Path
from multus_site.model.workloads import Attachment, Workload


def capabilities(attachment: Attachment) -> Iterator[str]:
    """The CNI capabilities that the attachment uses."""
    if attachment.ips or attachment.ips_by_replica:
        yield "ips"
    if attachment.mac:
        yield "mac"
    if attachment.port_mappings:
        yield "portMappings"


def check_attachment(workload: Workload, attachment: Attachment, network: Network) -> Iterator[Mistake]:
    """What the network cannot give this attachment; paths begin at the attachment."""
    daemons = workload.kind == "DaemonSet"
    several = daemons or workload.replicas > 1
    pods = "a DaemonSet has one on each node" if daemons else f"there are {workload.replicas}"
    if attachment.ips and attachment.ips_by_replica:
        yield Mistake(("ips",), "ipsByReplica is set too; keep one of the two")
    elif attachment.ips and several:
        right = "" if daemons else "write replicas: 1, or "
        yield Mistake(
            ("ips",), f"one pod can hold an address, and {pods}; {right}make it a StatefulSet with ipsByReplica"
        )
    if attachment.mac and several:
        right = "" if daemons else "write replicas: 1, or "
        yield Mistake(("mac",), f"one pod can hold a MAC address, and {pods}; {right}remove it")
    if attachment.ips_by_replica:
        if workload.kind != "StatefulSet":
            yield Mistake(("ipsByReplica",), f"the pods of a {workload.kind} have no ordinals; write kind: StatefulSet")
        elif len(attachment.ips_by_replica) < workload.replicas:
            given = len(attachment.ips_by_replica)
            yield Mistake(("ipsByReplica",), f"{given} entries for {workload.replicas} replicas; give each replica one")
    yield from _check_twice(attachment)
    if isinstance(network, Raw):
        return
    asked = set(capabilities(attachment))
    chained = {getattr(plugin, "capability", "") for plugin in network.chain}
    if "ips" in asked:
        yield from _check_addresses(attachment, network)
    if "mac" in asked and not network.takes_mac and "mac" not in chained:
        yield Mistake(
            ("mac",),
            f"{network.type} does not accept MAC addresses from pods; add chain: [{{type: tuning}}] to the network",
        )
    if "portMappings" in asked and "portMappings" not in chained:
        yield Mistake(
            ("portMappings",), f"network {attachment.name} does not map ports; add chain: [{{type: portmap}}] to it"
        )
    if attachment.default_route and not network.has_interface:
        yield Mistake(("defaultRoute",), "a function under vfio-pci has no interface that a route could use; remove it")


def _check_twice(attachment: Attachment) -> Iterator[Mistake]:
    seen: dict[str, int] = {}
    for i, addresses in enumerate(attachment.ips_by_replica):
        for address in addresses:
            ip = address.partition("/")[0]
            if seen.setdefault(ip, i) != i:
                yield Mistake(("ipsByReplica", i), f"{ip} is also the address of replica {seen[ip]}; give each its own")
    families = [ipaddress.ip_address(gateway).version for gateway in attachment.default_route]
    if len(families) > len(set(families)):
        yield Mistake(("defaultRoute",), "two gateways of one family; keep one for IPv4 and one for IPv6")


def _check_addresses(attachment: Attachment, network: Attachable) -> Iterator[Mistake]:
    pods: list[tuple[Path, tuple[str, ...]]] = [
        *([(("ips",), attachment.ips)] if attachment.ips else []),
        *((("ipsByReplica", i), addresses) for i, addresses in enumerate(attachment.ips_by_replica)),
    ]
    path = pods[0][0][:1]
    ipam = getattr(network, "ipam", None)
    if isinstance(ipam, HostLocal):
        if len(attachment.ips) > 1:
            yield Mistake(path, "host-local assigns one requested address, not several; use ipam: {type: static}")
        return
    if not isinstance(ipam, Static):
        kind = getattr(ipam, "type", "none")
        why = "chooses addresses itself" if isinstance(ipam, Whereabouts) else "assigns no requested address"
        yield Mistake(path, f"the network's ipam {kind} {why}; use ipam: {{type: static}}")
        return
    if ipam.addresses:
        yield Mistake(path, "the network has addresses of its own, which these would replace; keep one of the two")
    for where, addresses in pods:
        for i, address in enumerate(addresses):
            ip = address.partition("/")[0]
            if ip in ipam.gateways:
                yield Mistake((*where, i), f"{ip} is a gateway of the network; give the pod another address")
        yield from (Mistake(where, message) for message in _out_of_reach(addresses, ipam.gateways))


def check_attachments_together(workload: Workload) -> Iterator[Mistake]:
    """Settings of attachments that exclude each other in one workload; paths begin at the workload."""
    holders = [a for a in workload.networks if a.default_route]
    if len(holders) > 1:
        names = " and ".join(a.name for a in holders)
        yield Mistake(("networks",), f"{names} each have a defaultRoute; keep one of them")
    if workload.kind == "DaemonSet" and workload.replicas != 1:
        yield Mistake(("replicas",), "a DaemonSet runs a pod on each node; remove it, or name the nodes with nodes")


def _out_of_reach(addresses: tuple[str, ...], gateways: tuple[str, ...]) -> Iterator[str]:
    """Addresses of one pod that are in no network with a gateway of their family."""
    networks = [ipaddress.ip_interface(address).network for address in addresses]
    known = [ip for ip in map(ipaddress.ip_address, gateways) if not ip.is_link_local]
    for version in (4, 6):
        own = [network for network in networks if network.version == version]
        meant = [ip for ip in known if ip.version == version]
        if own and meant and not any(ip in network for ip in meant for network in own):
            held = " and ".join(a for a in addresses if ipaddress.ip_interface(a).version == version)
            found = f"{held} cannot reach {' or '.join(map(str, meant))}, the network's gateways"
            yield f"{found}; give an address of their network, or correct the prefix length"
