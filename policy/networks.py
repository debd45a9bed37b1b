"""What networks may take: addresses, and the NICs that carry them."""

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .pods import template_of
from .resources import Policy, Resource, Settings, entries, strings

ANNOTATION = "k8s.v1.cni.cncf.io/networks"
NODE = "multus-site:index:NodeVM"
_NAD = ":NetworkAttachmentDefinition"
_ATTACHMENT = "multus-site:index:NetworkAttachment"
_LINKS = "multus-site:index:NodeNetworks"
_HOSTNAME = "kubernetes.io/hostname"

Range = tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ipaddress.IPv4Address | ipaddress.IPv6Address]


def plugins_of(resource: Resource) -> list[Mapping[str, Any]]:
    """The CNI plugins of a NetworkAttachmentDefinition's configuration; none of another resource, or of one that is no JSON."""
    config = resource.at("spec", "config") if resource.type.endswith(_NAD) else None
    try:
        data = json.loads(config) if isinstance(config, str) else None
    except ValueError:
        return []
    if not isinstance(data, dict):
        return []
    return entries(data["plugins"]) if "plugins" in data else [data]


def on_management(resource: Resource, settings: Settings) -> Iterator[str]:
    """Networks on the NIC that the cluster itself lives by; its VLANs too, which share its wire."""
    forbidden = settings["interfaces"]
    mend = (
        "give the network a NIC of its own (networks.NAME.master), or name the management NIC in the policy's settings"
    )
    for plugin in plugins_of(resource):
        for key in ("master", "device"):
            if nic := _management(plugin.get(key), forbidden):
                yield f"{key} of network {resource.object_name()}: {plugin[key]} is the management NIC {nic}, or shares it; {mend}"
    if resource.type == _ATTACHMENT:
        for master in strings(resource.at("masters")):
            if nic := _management(master, forbidden):
                yield f"master of network {resource.name}: on some node it is {master}, the management NIC {nic}, or shares it; {mend}"
    if resource.type == _LINKS:
        for link in strings(resource.at("links")):
            name, kind, *rest = link.split()
            below = rest[:1] if kind == "vlan" else rest[2:]
            for one in below:
                if nic := _management(one, forbidden):
                    yield f"link {name}: {one} is the management NIC {nic}, or shares it; make the link of another NIC (links.{name})"


def _management(interface: object, forbidden: Sequence[str]) -> str:
    own = interface.partition(".")[0] if isinstance(interface, str) else ""
    return own if own in forbidden else ""


def in_forbidden_ranges(resource: Resource, settings: Settings) -> Iterator[str]:
    """Addresses that the organisation keeps for something else."""
    for taken, where in _addresses(resource):
        for text in settings["ranges"]:
            kept = ipaddress.ip_network(text, strict=False)
            first, last = taken
            if first.version == kept.version and int(first) <= int(kept[-1]) and int(last) >= int(kept[0]):
                shown = f"{first}" if first == last else f"{first}-{last}"
                yield f"{where}: {shown} is in {text}, which networks may not use; choose addresses outside of it"


def no_subnets(settings: Settings) -> Iterator[str]:
    """Ranges that are none."""
    ranges = settings.get("ranges", [])
    for text in ranges if isinstance(ranges, list) else [ranges]:
        try:
            ipaddress.ip_network(text if isinstance(text, str) else "", strict=False)
        except ValueError:
            yield f"ranges: {text!r} is no subnet; write a list of such as 10.0.0.0/16 and fd00::/8"


def _addresses(resource: Resource) -> Iterator[tuple[Range, str]]:
    """Ranges and single addresses with who takes them, in words."""
    name = resource.object_name()
    for plugin in plugins_of(resource):
        ipam = plugin.get("ipam")
        if not isinstance(ipam, Mapping):
            continue
        written = [ipam, *entries(ipam.get("ipRanges"))]
        ranges = ipam.get("ranges")
        for sets in ranges if isinstance(ranges, list) else ():
            written += entries(sets if isinstance(sets, list) else [sets])
        for entry in written:
            if found := _range_of(entry):
                yield found, f"ipam of network {name}"
        for address in entries(ipam.get("addresses")):
            if found := _single(address.get("address")):
                yield found, f"ipam.addresses of network {name}"
    for written_range in strings(resource.at("ranges")) if resource.type == _ATTACHMENT else ():
        if found := _text_range(written_range):
            yield found, f"ipam of network {resource.name}"
    for selection in _selections(resource):
        for fixed in strings(selection.get("ips")):
            if found := _single(fixed):
                yield found, f"ips of {name} on network {selection.get('name')}"


def _range_of(data: Mapping[str, Any]) -> Range | None:
    """The addresses that one range hands out: `subnet` or `range` from start to end (host-local's and whereabouts' words)."""
    whole = _text_range(data.get("subnet") or data.get("range"))
    first, last = (_single(data.get(a) or data.get(b)) for a, b in (("rangeStart", "range_start"), ("rangeEnd", "range_end")))  # fmt: skip
    if whole is None:
        return None
    return (first or whole)[0], (last or whole)[1]


def _text_range(text: object) -> Range | None:
    """`10.1.10.0/24`, or `10.1.10.200-10.1.10.250/24` as whereabouts writes it."""
    begin, dash, end = str(text).partition("-")
    if dash:
        first, last = _single(begin), _single(end)
        return (first[0], last[1]) if first and last else None
    try:
        network = ipaddress.ip_network(str(text), strict=False)
    except ValueError:
        return None
    return network[0], network[-1]


def _single(text: object) -> Range | None:
    try:
        address = ipaddress.ip_interface(str(text)).ip
    except ValueError:
        return None
    return address, address


def host_local_across_nodes(resources: Sequence[Resource], settings: Settings) -> Iterator[tuple[Resource | None, str]]:
    """host-local networks whose pods can run on several nodes: each node counts for itself, and hands the same addresses out."""
    del settings
    if sum(resource.type == NODE for resource in resources) == 1:
        return
    for nad in resources:
        ipams = [plugin.get("ipam") for plugin in plugins_of(nad)]
        if not any(isinstance(ipam, Mapping) and ipam.get("type") == "host-local" for ipam in ipams):
            continue
        users = [resource for resource in resources if _uses(resource, nad)]
        nodes = [_nodes_of(user) for user in users]
        if None in nodes or len(frozenset().union(*(n for n in nodes if n))) > 1:
            pods = ", ".join(sorted({user.object_name() for user in users}))
            yield (
                nad,
                f"ipam of network {nad.object_name()}: host-local, and its pods ({pods}) can run on several nodes, where they would get "
                "the same addresses; take whereabouts, split the range (ipam.addressesPerNode), or keep them on one node (workloads.NAME.nodes)",
            )


def _uses(resource: Resource, nad: Resource) -> bool:
    here = resource.at("metadata", "namespace") or "default"
    wanted = (nad.at("metadata", "namespace") or "default", nad.object_name())
    return any((s.get("namespace") or here, s.get("name")) == wanted for s in _selections(resource))


def _selections(resource: Resource) -> list[Mapping[str, Any]]:
    """What a pod's annotation asks for, in Multus' short form or in JSON."""
    pod = template_of(resource)
    metadata = pod[1].get("metadata") if pod else None
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    text = annotations.get(ANNOTATION) if isinstance(annotations, Mapping) else None
    if not isinstance(text, str):
        return []
    if text.lstrip().startswith(("[", "{")):
        try:
            data = json.loads(text)
        except ValueError:
            return []
        return entries(data if isinstance(data, list) else [data])
    items = (re.fullmatch(r"\s*(?:([^/@\s]+)/)?([^/@\s]+)(?:@\S+)?\s*", item) for item in text.split(","))
    return [{"namespace": item[1], "name": item[2]} for item in items if item]


def _nodes_of(resource: Resource) -> frozenset[str] | None:
    """The nodes that the pods are kept on; None for any."""
    pod = template_of(resource)
    spec = Resource("", "", pod[1].get("spec") or {}) if pod else Resource("", "")
    for name in (spec.at("nodeName"), spec.at("nodeSelector", _HOSTNAME)):
        if isinstance(name, str):
            return frozenset({name})
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    terms = entries(spec.at("affinity", "nodeAffinity", required, "nodeSelectorTerms"))
    chosen = [_in_term(term) for term in terms]
    return None if not chosen or None in chosen else frozenset().union(*(c for c in chosen if c is not None))


def _in_term(term: Mapping[str, Any]) -> frozenset[str] | None:
    for expression in entries(term.get("matchExpressions")):
        if expression.get("key") == _HOSTNAME and expression.get("operator") == "In":
            return frozenset(strings(expression.get("values")))
    return None


HOST_LOCAL = Policy(
    "no-host-local-across-nodes",
    "Addresses of pods on several nodes are kept apart.",
    of_all=host_local_across_nodes,
)
MANAGEMENT_NIC = Policy(
    "no-network-on-management-nic",
    "Networks stay off the NIC that the cluster lives by.",
    of_one=on_management,
    settings={
        "interfaces": {
            "type": "array",
            "items": {"type": "string"},
            "default": ["eth0"],
            "description": "Names of NICs that hold nodes' own addresses.",
        }
    },
)
FORBIDDEN_RANGES = Policy(
    "no-forbidden-ranges",
    "Networks stay out of ranges that the organisation keeps for something else.",
    of_one=in_forbidden_ranges,
    mistakes=no_subnets,
    settings={
        "ranges": {
            "type": "array",
            "items": {"type": "string"},
            "default": ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "::1/128", "fe80::/10", "ff00::/8"],
            "description": "Ranges as subnets, IPv4 and IPv6.",
        }
    },
)  # fmt: skip
