"""Rules on gateways and routes, and on valid ranges that are rarely intended."""

from ipaddress import IPv6Address

from multus_site.cni.addresses import Address, Network, hosts_hint, parse_address, parse_block, parse_cidr, whole
from multus_site.cni.catalogue import chained_plugin
from multus_site.cni.ranges import fixed_of, networks, ranges_of
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.rules.node_addresses import stays_on_node
from multus_site.lint.subjects import Ipam, Plugin
from multus_site.model.paths import Data, Path

_MAIN = 254
"""The kernel's main routing table."""


@rule(
    "GATEWAY_OUTSIDE_SUBNET",
    "warning",
    "configuration",
    "A gateway outside the network",
    example='{"type": "host-local", "subnet": "10.1.10.0/24", "gateway": "10.1.11.1"}',
    source="ip-route(8): the next hop must be reachable; no plugin checks it",
)
def gateway_outside_subnet(ipam: Ipam) -> Problems:
    """The pod cannot reach it: the kernel rejects routes through it, or they lead nowhere."""
    for path, gateway, own in _gateways(ipam):
        if not own or int(gateway) == 0 or (isinstance(gateway, IPv6Address) and gateway.is_link_local):
            continue
        if not any(whole(subnet).contains(gateway) for subnet in own):
            yield Problem(path, f"{gateway} is not in {', '.join(str(s) for s in own)}", f"Use {hosts_hint(own[0])}.")


@rule(
    "GATEWAY_ALLOCATABLE",
    "warning",
    "configuration",
    "A pod can get the gateway's address",
    example='{"type": "whereabouts", "range": "10.1.10.0/24", "gateway": "10.1.10.1"}',
    source="whereabouts#601; host-local excludes the gateway (allocator.go)",
)
def gateway_allocatable(ipam: Ipam) -> Problems:
    """whereabouts does not reserve the gateway's address: the first pod gets it, and the network fails."""
    for one in fixed_of(ipam) if ipam.type == "static" else ():
        if one.base == one.gateway:
            hint = "Give the pod another address, or set gateway to the router's address."
            path = (*one.part.path, "gateway")
            yield Problem(path, f"the pod's own address {one.gateway} is also its gateway", hint)
    gateway = parse_address(ipam.text("gateway"), sloppy=True)
    if ipam.type != "whereabouts" or gateway is None:
        return
    for pool in ranges_of(ipam):
        if any(span.contains(gateway) for span in pool.handed_out):
            hint = f'Add "exclude": ["{gateway}/{gateway.max_prefixlen}"] beside "{pool.key}".'
            message = f"the gateway {gateway} is in the range {pool.span} for pods"
            yield Problem((ipam.key("gateway"),), message, hint)
            return


@rule(
    "GATEWAY_UNSPECIFIED",
    "warning",
    "configuration",
    "An unspecified gateway address",
    example='{"type": "static", "addresses": [{"address": "10.4.5.6/16", "gateway": "0.0.0.0"}]}',
    source="RFC 1122 3.2.1.3",
)
def gateway_unspecified(ipam: Ipam) -> Problems:
    """0.0.0.0 and :: are not host addresses."""
    for path, gateway, _ in _gateways(ipam):
        if int(gateway) == 0:
            yield Problem(path, f"{gateway} is not a host address", "Write the gateway's address, or remove the key.")


@rule(
    "PUBLIC_IP_RANGE",
    "warning",
    "configuration",
    "Public addresses",
    example='{"type": "host-local", "subnet": "20.1.10.0/24"}',
    source="RFC 1918, RFC 6598; IANA IPv4 special-purpose registry",
)
def public_ip_range(ipam: Ipam) -> Problems:
    """If the addresses belong to somebody else, pods can no longer reach them. They are fine if they are yours."""
    for pool in ranges_of(ipam):
        if pool.network and pool.network.version == 4 and pool.network.is_global and pool.network.prefixlen > 0:
            yield Problem(
                pool.key_path(pool.key),
                f"{pool.network} is public",
                "Use a part of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16, unless the network is yours.",
            )


@rule(
    "ROUTE_TOO_WIDE",
    "warning",
    "configuration",
    "A route that captures cluster traffic",
    example='{"type": "host-local", "subnet": "10.1.10.0/24", "routes": [{"dst": "0.0.0.0/0"}]}',
    source="containernetworking/plugins#698; multus-cni#847, #1507",
)
def route_too_wide(part: Ipam | Plugin) -> Problems:
    """The pod already has a default route on eth0. With a second one, replies leave through the wrong interface."""
    plugin = part.plugin if isinstance(part, Ipam) else part
    if plugin and (any(_separates_routes(other) for other in plugin.config.plugins) or _is_default_network(plugin)):
        return
    if isinstance(part, Ipam):
        yield from _wide_routes(part)
    elif part.reads("isDefaultGateway") and part.get("isDefaultGateway") is True:
        hint = 'Set "isGateway": true, and add "routes": [{"dst": …}] to ipam for the networks behind the bridge.'
        message = "isDefaultGateway adds a second default route beside that of eth0"
        yield Problem((part.key("isDefaultGateway"),), message, hint)


def _is_default_network(plugin: Plugin) -> bool:
    """Whether the default route is meant: behind its own node that translates addresses; or the cluster's network, a file on each node."""
    if not stays_on_node(plugin):
        return False
    return plugin.get("ipMasq") is True or not plugin.traits.bridge or plugin.config.nad is None


def _separates_routes(plugin: Plugin) -> bool:
    entry = chained_plugin(plugin.type)
    return entry is not None and entry.separates_routes


def _wide_routes(ipam: Ipam) -> Problems:
    cluster = [
        (name, cidr[1])
        for name, texts in (("pods", ipam.facts.pod_cidr), ("services", ipam.facts.service_cidr))
        for t in texts or ()
        if (cidr := parse_cidr(t))
    ]
    own = [whole(network) for network in networks(ipam)]
    nodes = [
        (text, block)
        for text in ipam.facts.node_ips or ()
        if (block := parse_block(text)) and not any(span.overlaps(block) for span in own)
    ]
    for route in ipam.objects("routes"):
        cidr = parse_cidr(route.text("dst"))
        if cidr is None or cidr[1].is_multicast or route.integer("table") not in {None, 0, _MAIN}:
            continue
        hint = 'Route only the networks behind this interface, such as {"dst": "10.20.0.0/16"}; or add {"type": "sbr"} to "plugins".'
        if cidr[1].prefixlen < 8:
            yield Problem(route.path, f"the route to {cidr[1]} competes with the pod's default route", hint)
        elif taken := [
            f"{network} of the cluster's {name}" for name, network in cluster if whole(network).overlaps(whole(cidr[1]))
        ]:
            yield Problem(route.path, f"the route to {cidr[1]} covers {taken[0]}", hint)
        elif theirs := [text for text, span in nodes if span.overlaps(whole(cidr[1]))]:
            yield Problem(route.path, f"the route to {cidr[1]} covers {theirs[0]}, which the nodes use", hint)


def _gateways(ipam: Ipam) -> list[tuple[Path, Address, list[Network]]]:
    """Every gateway and next hop: its path, its address, and the networks of which one must contain it."""
    every = networks(ipam)
    found: list[tuple[Path, Data, list[Network]]] = []
    if ipam.type == "whereabouts":
        found.append(((ipam.key("gateway"),), ipam.get("gateway"), every))
    if ipam.type == "host-local":
        pools = ranges_of(ipam)
        found += [
            (pool.key_path("gateway"), pool.part.get("gateway"), [pool.network] if pool.network else [])
            for pool in pools
        ]
    for list_key, key in (("addresses", "gateway"), ("routes", "gw")):
        for part in ipam.objects(list_key):
            cidr = parse_cidr(part.text("address"), sloppy=True) if list_key == "addresses" else None
            own = every if list_key == "routes" else [cidr[1]] if cidr else []
            found.append(((*part.path, part.key(key)), part.get(key), own))
    parsed = [(path, parse_address(value, sloppy=True), own) for path, value, own in found if isinstance(value, str)]
    return [(path, gateway, own) for path, gateway, own in parsed if gateway is not None]
