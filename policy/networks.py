"""What networks may take: addresses, and the NICs that carry them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from multus_site.cni import configuration
from multus_site.cni.addresses import Span, parse_address, parse_block, parse_span, single, whole
from multus_site.cni.configuration import Config
from multus_site.cni.ranges import Range, fixed_of, ranges_of, repeats_between_nodes
from multus_site.cni.selections import ANNOTATION, Selection, selections_of

from .pods import template_of
from .resources import Policy, Resource, Settings, entries, strings

NODE = "multus-site:index:NodeVM"
_NAD = ":NetworkAttachmentDefinition"
_ATTACHMENT = "multus-site:index:NetworkAttachment"
_LINKS = "multus-site:index:NodeNetworks"
_HOSTNAME = "kubernetes.io/hostname"


def config_of(resource: Resource) -> Config:
    """The CNI configuration of a NetworkAttachmentDefinition; one without plugins of another resource."""
    return configuration.read(resource.at("spec", "config") if resource.type.endswith(_NAD) else None)


def on_management(resource: Resource, settings: Settings) -> Iterator[str]:
    """Networks on the NIC that the cluster itself uses, or on a VLAN of it."""
    forbidden = settings["interfaces"]
    fix = (
        "give the network a NIC of its own (networks.NAME.master), or name the management NIC in the policy's settings"
    )
    for plugin in config_of(resource).plugins:
        for key in ("master", "device"):
            if nic := _management(plugin.text(key), forbidden):
                yield f"{key} of network {resource.object_name()}: {plugin.text(key)} is the management NIC {nic}, or shares it; {fix}"
    if resource.type == _ATTACHMENT:
        for master in strings(resource.at("masters")):
            if nic := _management(master, forbidden):
                yield f"master of network {resource.name}: on some node it is {master}, the management NIC {nic}, or shares it; {fix}"
    if resource.type == _LINKS:
        for link in strings(resource.at("links")):
            name, kind, *rest = link.split()
            below = rest[:1] if kind == "vlan" else rest[2:]
            for one in below:
                if nic := _management(one, forbidden):
                    yield f"link {name}: {one} is the management NIC {nic}, or shares it; make the link of another NIC (links.{name})"


def _management(interface: str, forbidden: Sequence[str]) -> str:
    own = interface.partition(".")[0]
    return own if own in forbidden else ""


def in_forbidden_ranges(resource: Resource, settings: Settings) -> Iterator[str]:
    """Addresses that the organisation keeps for something else."""
    for taken, where in _addresses(resource):
        for text in settings["ranges"]:
            kept = parse_block(text)
            if kept and taken.overlaps(kept):
                yield f"{where}: {taken} is in {text}, which networks may not use; choose addresses outside of it"


def no_subnets(settings: Settings) -> Iterator[str]:
    """Ranges that are none."""
    ranges = settings.get("ranges", [])
    for text in ranges if isinstance(ranges, list) else [ranges]:
        if not isinstance(text, str) or parse_block(text) is None:
            yield f"ranges: {text!r} is no subnet; write a list of such as 10.0.0.0/16 and fd00::/8"


def _addresses(resource: Resource) -> Iterator[tuple[Span, str]]:
    """Ranges and single addresses with who takes them, in words."""
    name = resource.object_name()
    for ipam in config_of(resource).addresses:
        for key, ranges in (("ipam", ranges_of(ipam)), ("ipam.addresses", fixed_of(ipam))):
            yield from ((span, f"{key} of network {name}") for one in ranges if (span := _claimed(one)))
    for text in strings(resource.at("ranges")) if resource.type == _ATTACHMENT else ():
        if found := parse_span(text) or parse_block(text):
            yield found, f"ipam of network {resource.name}"
    for selection in _selections(resource):
        for ip in selection.item.texts("ips") if selection.item else ():
            if address := parse_address(ip.partition("/")[0]):
                yield single(address), f"ips of {name} on network {selection.name}"


def _claimed(one: Range) -> Span | None:
    """From the first to the last address that a range names; its whole network where it names none."""
    if one.network is None:
        return None
    every = whole(one.network)
    first, last = one.start or every.ends[0], one.end or every.ends[1]
    return Span(every.family, int(first), int(last)) if one.span else every


def host_local_across_nodes(resources: Sequence[Resource], settings: Settings) -> Iterator[tuple[Resource | None, str]]:
    """host-local networks whose pods can run on several nodes: each node counts for itself, and hands the same addresses out."""
    del settings
    if sum(resource.type == NODE for resource in resources) == 1:
        return
    for nad in resources:
        if not any(map(repeats_between_nodes, config_of(nad).addresses)):
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
    wanted = f"{nad.at('metadata', 'namespace') or 'default'}/{nad.object_name()}"
    return any(selection.full_name == wanted for selection in _selections(resource))


def _selections(resource: Resource) -> list[Selection]:
    """What a pod's annotation asks for."""
    pod = template_of(resource)
    metadata = pod[1].get("metadata") if pod else None
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    text = annotations.get(ANNOTATION) if isinstance(annotations, Mapping) else None
    here = str(resource.at("metadata", "namespace") or "default")
    return selections_of(text, here, ()) if isinstance(text, str) else []


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
    "Networks use host-local only if their pods stay on one node.",
    of_all=host_local_across_nodes,
)
MANAGEMENT_NIC = Policy(
    "no-network-on-management-nic",
    "No network, VLAN or bond uses the NIC that holds the node's own address.",
    of_one=on_management,
    settings={
        "interfaces": {
            "type": "array",
            "items": {"type": "string"},
            "default": ["eth0"],
            "description": "NICs that hold nodes' own addresses.",
        }
    },
)
FORBIDDEN_RANGES = Policy(
    "no-forbidden-ranges",
    "Network and pod addresses are outside ranges that the organisation reserves.",
    of_one=in_forbidden_ranges,
    mistakes=no_subnets,
    settings={
        "ranges": {
            "type": "array",
            "items": {"type": "string"},
            "default": ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "::1/128", "fe80::/10", "ff00::/8"],
            "description": "Reserved subnets, IPv4 and IPv6.",
        }
    },
)  # fmt: skip
