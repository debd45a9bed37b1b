"""The `ipam` object of a CNI configuration."""

import ipaddress
from typing import Any

from multus_site.cni.addresses import parse_address
from multus_site.cni.configuration import Ipam
from multus_site.cni.ranges import handed_out
from multus_site.model.ipam import AnyIpam, Dhcp, HostLocal, IpRange, Route, Static, Whereabouts

DHCP_METRIC = 1000
"""Metric of the routes that a DHCP server sends. Other routes have none and take precedence."""


def ipam_config(ipam: AnyIpam) -> dict[str, Any]:
    """The `ipam` of a plugin's configuration; an empty object leaves the interface without an address."""
    if isinstance(ipam, HostLocal):
        ranges = [[entry.model_dump(mode="json", by_alias=True, exclude_none=True)] for entry in ipam.ranges]
        return {"type": "host-local", "ranges": ranges, **_routes(ipam.routes)}
    if isinstance(ipam, Whereabouts):
        return _whereabouts(ipam)
    if isinstance(ipam, Static):
        addresses = [entry.model_dump(mode="json", by_alias=True, exclude_none=True) for entry in ipam.addresses]
        return {"type": "static", **({"addresses": addresses} if addresses else {}), **_routes(ipam.routes)}
    if not isinstance(ipam, Dhcp):
        return {}
    # The pod's default route stays on eth0: request no router, and give the route a high metric if the server sends one anyway.
    return {"type": "dhcp", "request": [{"skipDefault": True, "option": "subnet-mask"}], "priority": DHCP_METRIC}


def _whereabouts(ipam: Whereabouts) -> dict[str, Any]:
    first, *further = ranges = list(ipam.all_ranges())
    found: dict[str, Any] = {"type": "whereabouts", **_pool(first)}
    routes = ipam.routes
    if len({":" in entry.range for entry in ranges}) > 1:
        # whereabouts would set its only gateway for addresses of the other family too (cmd/whereabouts.go cmdAdd).
        routes = tuple(_by_gateway(route, ranges) for route in routes)
    elif ipam.gateway:
        found["gateway"] = ipam.gateway
    if further:
        found["ipRanges"] = [_pool(entry) for entry in further]
    if ipam.network_name:
        found["network_name"] = ipam.network_name
    return {**found, **_routes(routes)}


def _by_gateway(route: Route, ranges: list[IpRange]) -> Route:
    """The route; without a gateway, it gets the one of its family."""
    family = ipaddress.ip_network(route.dst).version
    gateways = (r.gateway for r in ranges if r.gateway and ipaddress.ip_address(r.gateway).version == family)
    return route if route.gw else Route(dst=route.dst, gw=next(gateways, None))


def _pool(entry: IpRange) -> dict[str, Any]:
    """A range of whereabouts, which also assigns the gateway's address to pods unless it is excluded."""
    pool: dict[str, Any] = {"range": entry.range, **({"exclude": list(entry.exclude)} if entry.exclude else {})}
    gateway = parse_address(entry.gateway or "")
    given = handed_out(Ipam({"type": "whereabouts", **pool}, ()))
    if gateway and any(span.contains(gateway) for span in given):
        pool["exclude"] = [*entry.exclude, entry.gateway]
    return pool


def _routes(routes: tuple[Route, ...]) -> dict[str, Any]:
    return (
        {"routes": [route.model_dump(mode="json", by_alias=True, exclude_none=True) for route in routes]}
        if routes
        else {}
    )
