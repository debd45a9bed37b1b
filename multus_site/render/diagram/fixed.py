"""Fixed addresses in a picture: of the pods that have them, and the subnets and gateways that follow from them."""

from collections.abc import Iterable, Iterator
from ipaddress import ip_interface

from multus_site.model.attachable import Attachable
from multus_site.model.ipam import Static
from multus_site.model.site import Site
from multus_site.model.workloads import Attachment

NAMED = 6
"""Up to this many replicas are listed with their addresses."""


def subnets(site: Site, networks: Iterable[str]) -> Iterator[str]:
    """The subnets of the addresses that workloads fix on some networks, and of those that the networks themselves have."""
    names = list(networks)
    for name in names:
        if (ipam := _static(site, name)) is not None:
            yield from (str(ip_interface(entry.address).network) for entry in ipam.addresses)
    for workload in site.workloads.values():
        for attachment in workload.networks:
            if attachment.name in names:
                given = (*attachment.ips, *(ip for ips in attachment.ips_by_replica for ip in ips))
                # an address without a length is one of the network's ranges
                yield from (str(ip_interface(ip).network) for ip in map(str, given) if "/" in ip)


def gateways(site: Site, networks: Iterable[str]) -> Iterator[str]:
    """The routers of networks with static addresses."""
    for name in networks:
        if (ipam := _static(site, name)) is not None:
            yield from map(str, ipam.gateways)
            yield from (str(entry.gateway) for entry in ipam.addresses if entry.gateway)


def of_pods(site: Site, workload: str, attachment: Attachment) -> Iterator[tuple[str, str]]:
    """Pod and addresses that an attachment fixes; the pod is empty where there is only one."""
    if attachment.ips:
        yield "", " ".join(map(str, attachment.ips))
    elif (ipam := _static(site, attachment.name)) is not None and ipam.addresses:
        yield "", " ".join(str(entry.address) for entry in ipam.addresses)
    replicas = attachment.ips_by_replica
    for i, addresses in enumerate(replicas[:NAMED]):
        yield f"{workload}-{i}", " ".join(map(str, addresses))
    if len(replicas) > NAMED:
        yield f"{len(replicas) - NAMED} more", f"to {' '.join(map(str, replicas[-1]))}"


def _static(site: Site, name: str) -> Static | None:
    network = site.networks[name]
    ipam = network.ipam if isinstance(network, Attachable) else None
    return ipam if isinstance(ipam, Static) else None
