"""Rules on addresses that pods request, or that static IPAM assigns to all of them."""

from multus_site.cni.addresses import Address, Network, hosts_hint, octets, parse_address, parse_cidr, usable
from multus_site.cni.go_object import Part
from multus_site.cni.ranges import fixed_of, handed_out, networks, ranges_of
from multus_site.cni.selections import Selection
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.subjects import Attached, Everything, Ipam, Pod


@rule(
    "IPS_WRONG",
    "error",
    "together",
    "An address that the network cannot assign",
    example='"ips": ["10.1.20.5/24"] on a NAD of 10.1.10.0/24',
    source="plugins/ipam/static/main.go (CIDR notation); host-local backend/allocator",
)
def ips_wrong(attached: Attached) -> Problems:
    """static needs a prefix length; host-local assigns only addresses of its ranges. Network, broadcast and gateway addresses are not for pods."""
    item, nad = attached.selection.item, attached.nad
    for ipam in nad.config.addresses if item and nad and nad.config else ():
        for ip in item.texts("ips") if item else ():
            cidr = parse_cidr(ip)
            address = cidr[0] if cidr else parse_address(ip)
            problem = _wrong_for(ipam, ip, address, cidr[1] if cidr else None) if address else None
            if problem and item:
                yield Problem((item.key("ips"),), *problem)


def _wrong_for(ipam: Ipam, ip: str, address: Address, network: Network | None) -> tuple[str, str] | None:
    """Message and hint on an address that a pod requests and the IPAM plugin cannot assign."""
    if ipam.type == "static":
        if network is None:
            length = next((n.prefixlen for n in networks(ipam) if n.version == address.version and address in n), None)
            guess = f"Write {ip}/{24 if address.version == 4 else 64}, or use the network's prefix length."
            return f"{ip} has no prefix length, and static needs one", f"Write {ip}/{length}." if length else guess
        if network.num_addresses > 2 and network.version == 4 and not usable(network).contains(address):
            kind = "network" if address == network.network_address else "broadcast"
            return f"{ip} is the {kind} address", f"Use {hosts_hint(network)}."
        if address in [one.gateway for one in fixed_of(ipam)]:
            return f"{ip} is the gateway's address", f"Use another address of {network}."
        return None
    pools = [pool for pool in ranges_of(ipam) if pool.span and pool.network] if ipam.type == "host-local" else []
    if not pools:
        return None
    if not any(pool.span and pool.span.contains(address) for pool in pools):
        return f"{ip} is not in {', '.join(str(pool.span) for pool in pools)}", "Use an address of the network's range."
    if not any(span.contains(address) for span in handed_out(ipam)):
        return f"{ip} is the gateway's address", "Use another address of the network's range."
    return None


@rule(
    "IPS_TWICE",
    "error",
    "together",
    "Two attachments request the same address",
    example='two pods with "ips": ["10.1.10.5/24"] or with one "mac" on one network',
    source="RFC 5227; IEEE 802: an address names one station of a segment",
)
def ips_twice(everything: Everything) -> Problems:
    """Both answer for it, and connections break at random."""
    seen: dict[tuple[str, object], tuple[Pod, Selection]] = {}
    for pod in everything.pods:
        for selection in pod.selections:
            item = selection.item
            for key, address in _requested(item) if item else ():
                other, before = seen.setdefault((selection.full_name, address), (pod, selection))
                if before is selection or (other is not pod and other.title == pod.title):
                    continue
                place = (*selection.path, item.key(key) if item else key)
                message = f"{address} is also requested by {_holder(other, pod)}"
                yield Problem(place, message, "Give each its own address.", None, None, pod)


def _requested(item: Part) -> list[tuple[str, object]]:
    """The addresses that an attachment requests, each with its key."""
    ips = [(parse_cidr(ip) or (parse_address(ip),))[0] for ip in item.texts("ips")]
    mac = octets(item.text("mac"))
    return [*(("ips", ip) for ip in ips if ip is not None), *((("mac", mac.hex(":")),) if mac else ())]


@rule(
    "STATIC_SHARED",
    "error",
    "together",
    "One static address for several pods",
    example='two pods on a NAD with {"type": "static", "addresses": [{"address": "10.1.10.5/24"}]}',
    source="plugins/ipam/static/main.go: it keeps no record of assigned addresses",
)
def static_shared(everything: Everything) -> Problems:
    """static assigns the same addresses to every pod of the network, unless a pod requests its own."""
    nads = {nad.full_name: nad for nad in everything.nads if nad.config}
    holders: dict[str, tuple[Pod, Selection]] = {}
    for pod in everything.pods:
        for selection in pod.selections:
            nad = nads.get(selection.full_name)
            own = selection.item is not None and bool(selection.item.get("ips"))
            addresses = [
                one.base
                for ipam in (nad.config.addresses if nad and nad.config else ())
                if ipam.type == "static"
                for one in fixed_of(ipam)
            ]
            if not addresses or own:
                continue
            other, before = holders.setdefault(selection.full_name, (pod, selection))
            if (before is selection and pod.many < 2) or (other is not pod and other.title == pod.title):
                continue
            holder = f"each of {pod.many} pods" if before is selection else f"{_holder(other, pod)} too"
            message = f"{addresses[0]} of {selection.full_name} is assigned to {holder}"
            hint = 'Let pods request theirs: "capabilities": {"ips": true} and no addresses in the network; or use whereabouts.'
            yield Problem(selection.path, message, hint, None, selection.offset, pod)


def _holder(other: Pod, pod: Pod) -> str:
    return "this pod" if other is pod else other.title
