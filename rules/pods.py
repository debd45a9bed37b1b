"""Rules on what a pod asks for, by itself: the annotation's form, names, addresses."""

import difflib

from rules import jsontext
from rules.addresses import parse_address, parse_cidr
from rules.interfaces import LONGEST
from rules.mac import octets, unicast
from rules.plugin_keys import NAMES
from rules.registry import Problem, Problems, rule
from rules.selections import ANNOTATION, KEYS, is_json, json_items, misfits, short_items, split_item, texts
from rules.subjects import Attached, Part, Plugin, Pod
from rules.syntax import LABEL

_MULTUS = "multus-cni pkg/k8sclient/k8sclient.go"
_KNOWN = {
    ANNOTATION,
    "k8s.v1.cni.cncf.io/network-status",
    "k8s.v1.cni.cncf.io/resourceName",
    "v1.multus-cni.io/default-network",
}


@rule(
    "ANNOTATION_JSON",
    "error",
    "configuration",
    "An annotation that Multus cannot read",
    example='k8s.v1.cni.cncf.io/networks: \'[{"name": "internal", "ips": "10.1.10.5"}]\'',
    source=f"{_MULTUS} parsePodNetworkAnnotation; multus-cni pkg/types NetworkSelectionElement",
)
def annotation_json(pod: Pod) -> Problems:
    """The multi-network specification lets an invalid annotation be ignored; Multus lets the pod fail."""
    value = pod.annotations.get(ANNOTATION)
    path = (*pod.metadata, "annotations", ANNOTATION)
    if value is not None and not isinstance(value, str):
        yield Problem(path, "an annotation is text", "Put it into quotes: 'internal, external', or '[{\"name\": …}]'.")
    if not isinstance(value, str) or not is_json(value):
        return
    data, mistake = jsontext.parse(value)
    if mistake is not None:
        yield Problem(path, f"not JSON: {mistake.message}", mistake.hint, offset=mistake.offset)
    elif not isinstance(data, list):
        yield Problem(path, "the JSON is not a list", 'Write brackets around it: [{"name": …}].')
    for selection in pod.selections:
        for key, kind in misfits(selection.item) if selection.item else ():
            yield Problem((*selection.path, key), f"{key} is not {NAMES[kind]}", f"Write {NAMES[kind]}.")
        for ip in texts(selection.item, "ips") if selection.item else ():
            if (parse_cidr(ip) if "/" in ip else parse_address(ip)) is None:
                yield Problem((*selection.path, "ips"), f"{ip!r} is no IP address", "Write one such as 10.1.10.5/24.")
        for gateway in texts(selection.item, "default-route") if selection.item else ():
            if parse_address(gateway) is None:
                yield Problem(
                    (*selection.path, "default-route"),
                    f"{gateway!r} is no IP address",
                    "Write the gateway such as 10.1.10.1.",
                )


@rule(
    "ANNOTATION_EMPTY_ITEM",
    "error",
    "configuration",
    "An attachment without a name",
    example="k8s.v1.cni.cncf.io/networks: internal,,external",
    source=f"{_MULTUS} parsePodNetworkAnnotation",
)
def annotation_empty_item(pod: Pod) -> Problems:
    """Multus looks for a network with an empty name, and the pod fails."""
    value = pod.annotations.get(ANNOTATION)
    path = (*pod.metadata, "annotations", ANNOTATION)
    if not isinstance(value, str) or not value:
        return
    if is_json(value):
        for i, item in enumerate(json_items(value) or []):
            if not isinstance(item, dict) or Part(item, (), pod.facts).get("name") in (None, ""):
                yield Problem((*path, i), "an attachment without a name", 'Give "name", or take it out.')
        return
    for offset, item in short_items(value):
        parts = split_item(item)
        if not item or (parts and not parts[1]):
            yield Problem(
                path,
                "an empty item between commas" if not item else f"{item!r} names no network",
                "Take the comma out, or write the name.",
                offset=offset,
            )


@rule(
    "ANNOTATION_NS_IN_NAME",
    "error",
    "configuration",
    "namespace/name in the JSON form",
    example='[{"name": "telecom/internal"}]',
    source=f"{_MULTUS} parsePodNetworkAnnotation: only the short form is split at '/'",
)
def annotation_ns_in_name(attached: Attached) -> Problems:
    """In the JSON form the namespace has a key of its own."""
    selection = attached.selection
    if selection.item and "/" in selection.name:
        before, _, name = selection.name.partition("/")
        yield Problem(
            (selection.item.key("name"),),
            f"{selection.name!r} is no name",
            f'Write "namespace": "{before}", "name": "{name}".',
        )


@rule(
    "ANNOTATION_NAME",
    "error",
    "configuration",
    "A name that Multus refuses",
    example="k8s.v1.cni.cncf.io/networks: Macvlan.Internal",
    source=f"{_MULTUS} parsePodNetworkObjectName",
)
def annotation_name(pod: Pod) -> Problems:
    """Names and namespaces are a-z, 0-9 and '-' in the short form; dots are refused though Kubernetes allows them."""
    value = pod.annotations.get(ANNOTATION)
    if not isinstance(value, str) or is_json(value):
        return
    path = (*pod.metadata, "annotations", ANNOTATION)
    for offset, item in short_items(value):
        parts = split_item(item)
        if parts is None:
            yield Problem(
                path, f"{item!r} has too many '/' or '@'", "Write [namespace/]name[@interface].", offset=offset
            )
        elif bad := next((part for part in parts[:2] if part and not LABEL.match(part)), ""):
            yield Problem(
                path,
                f"{bad!r} is no name of a network",
                "Use a-z, 0-9 and '-', a letter or digit first and last.",
                offset=offset,
            )


@rule(
    "ANNOTATION_UNKNOWN_KEY",
    "warning",
    "configuration",
    "A key that Multus does not read",
    example='[{"name": "internal", "ip": "10.1.10.5/24"}]',
    source="multus-cni pkg/types NetworkSelectionElement",
)
def annotation_unknown_key(pod: Pod) -> Problems:
    """It is ignored without a word."""
    known = {key.lower() for key in KEYS}
    for selection in pod.selections:
        for key in selection.item.data if selection.item else ():
            if key.lower() not in known:
                near = difflib.get_close_matches(key, list(KEYS), 1, 0.6)
                hint = f"Did you mean {near[0]}?" if near else f"The keys are {', '.join(KEYS)}."
                yield Problem((*selection.path, key), f"Multus reads no key {key!r}", hint)
    for key in pod.annotations:
        if key.startswith(("k8s.v1.cni.cncf.io/", "v1.multus-cni.io/")) and key not in _KNOWN:
            near = difflib.get_close_matches(key, [ANNOTATION, "v1.multus-cni.io/default-network"], 1, 0.8)
            if near:
                yield Problem(
                    (*pod.metadata, "annotations", key),
                    f"Multus reads no annotation {key!r}",
                    f"Did you mean {near[0]}?",
                )


@rule(
    "ANNOTATION_MISPLACED",
    "warning",
    "configuration",
    "The annotation is on the workload, not on its pods",
    example="kind: Deployment\nmetadata:\n  annotations: {k8s.v1.cni.cncf.io/networks: internal}",
    source="Kubernetes: pods get the annotations of spec.template.metadata",
)
def annotation_misplaced(pod: Pod) -> Problems:
    """The pods start without the network, and nothing complains."""
    if ANNOTATION in pod.outer and ANNOTATION not in pod.annotations:
        yield Problem(
            (*pod.outer_path, "annotations", ANNOTATION),
            f"the pods of this {pod.kind} do not get its annotations",
            "Move it to spec.template.metadata.annotations.",
        )


@rule(
    "IFNAME_TOO_LONG",
    "error",
    "configuration",
    "An interface name that is too long",
    example="k8s.v1.cni.cncf.io/networks: internal@signalling-n2-interface",
    source=f"{_MULTUS} parsePodNetworkObjectName; linux/if.h IFNAMSIZ",
)
def ifname_too_long(attached: Attached) -> Problems:
    """The kernel's names have at most 15 bytes."""
    name = attached.selection.interface
    if len(name.encode()) > LONGEST:
        yield _named(
            attached,
            f"the interface name {name!r} has {len(name.encode())} bytes",
            f"At most {LONGEST}, such as {name.encode()[:LONGEST].decode(errors='ignore')!r}.",
        )


@rule(
    "IFNAME_INVALID",
    "error",
    "configuration",
    "An interface name that cannot be",
    example="k8s.v1.cni.cncf.io/networks: internal@eth0",
    source="cni pkg/utils ValidateInterfaceName; eth0 and lo are the pod's own",
)
def ifname_invalid(attached: Attached) -> Problems:
    """eth0 is the pod's interface to the cluster, lo its loopback."""
    name = attached.selection.interface
    if name in {"eth0", "lo"}:
        yield _named(
            attached, f"{name} is the pod's own interface", "Leave it out for net1, net2, …, or write another name."
        )
    elif name in {".", ".."} or any(c in "/:" or c.isspace() for c in name):
        yield _named(attached, f"{name!r} is no name of an interface", "No white space, no '/' and no ':'.")


@rule(
    "IFNAME_DUPLICATE",
    "error",
    "configuration",
    "Two attachments with one interface name",
    example="k8s.v1.cni.cncf.io/networks: internal@net2,external",
    source="multus-cni pkg/multus/multus.go getIfname: a custom name still takes its position",
)
def ifname_duplicate(pod: Pod) -> Problems:
    """Attachments without a name are called net1, net2, … by position, custom names counted: `a@net2,b` gives net2 twice."""
    seen: dict[str, str] = {}
    for selection in pod.selections:
        if selection.interface in seen:
            message = f"{selection.full_name} and {seen[selection.interface]} would both be {selection.interface}"
            hint = "Name both, or neither: an attachment without a name is called by its position."
            yield Problem(selection.path, message, hint, offset=selection.offset)
        seen.setdefault(selection.interface, selection.full_name)


@rule(
    "MAC_MULTICAST",
    "error",
    "configuration",
    "A multicast MAC address",
    example='[{"name": "internal", "mac": "e7:d1:44:8d:65:b0"}]',
    source="kernel is_valid_ether_addr: 'cannot assign requested address'; IEEE 802",
)
def mac_multicast(part: Attached | Plugin) -> Problems:
    """The lowest bit of the first byte says multicast; an interface's own address must have it clear."""
    holder = part.selection.item if isinstance(part, Attached) else part
    mac = holder.text("mac") if holder else ""
    found = octets(mac)
    if holder and found and found[0] & 1:
        yield Problem(
            (holder.key("mac"),),
            f"{mac} is a multicast address (its first byte is odd)",
            f"Make the first byte even, such as {unicast(mac)}.",
        )


@rule(
    "MAC_INVALID",
    "error",
    "configuration",
    "No MAC address",
    example='[{"name": "internal", "mac": "02:00:0a:01:0a"}]',
    source="Go net.ParseMAC; kernel is_valid_ether_addr",
)
def mac_invalid(part: Attached | Plugin) -> Problems:
    """Six bytes, not all zero."""
    holder = part.selection.item if isinstance(part, Attached) else part
    mac = holder.text("mac") if holder else ""
    if holder and mac and (octets(mac) is None or not any(octets(mac) or b"")):
        yield Problem(
            (holder.key("mac"),),
            f"{mac!r} is no MAC address of an interface",
            "Write six bytes such as 02:00:0a:01:0a:05.",
        )


@rule(
    "DEFAULT_ROUTE_TWICE",
    "error",
    "configuration",
    "Two default routes of one family",
    example='[{"name": "a", "default-route": ["10.1.10.1"]}, {"name": "b", "default-route": ["10.1.20.1"]}]',
    source="multus-cni pkg/types/conf.go CheckGatewayConfig: 'multus does not support ECMP for default-route'",
)
def default_route_twice(pod: Pod) -> Problems:
    """Multus takes one gateway of each family for the whole pod."""
    seen: dict[int, str] = {}
    for selection in pod.selections:
        for gateway in texts(selection.item, "default-route") if selection.item else ():
            address = parse_address(gateway)
            if address is None:
                continue
            if address.version in seen:
                path = (*selection.path, "default-route")
                yield Problem(
                    path,
                    f"the default route goes to {seen[address.version]} already",
                    "Keep one gateway of each family in the whole pod.",
                )
            seen.setdefault(address.version, gateway)


@rule(
    "IPS_WITH_REPLICAS",
    "error",
    "configuration",
    "One fixed address for several pods",
    example='kind: Deployment, replicas: 2, [{"name": "internal", "ips": ["10.1.10.5/24"]}]',
    source="Kubernetes: each replica has the same annotations",
)
def ips_with_replicas(pod: Pod) -> Problems:
    """Every replica asks for the same address or the same MAC."""
    for selection in pod.selections:
        for key in ("ips", "mac") if pod.replicas > 1 else ():
            if selection.item and selection.item.get(key):
                path = (*selection.path, selection.item.key(key))
                yield Problem(
                    path,
                    f"{pod.replicas} replicas would have the same {key}",
                    "Set replicas: 1, or let the network's address management give them.",
                )


def _named(attached: Attached, message: str, hint: str) -> Problem:
    selection = attached.selection
    if selection.item:
        return Problem((selection.item.key("interface"),), message, hint)
    return Problem((), message, hint, offset=selection.offset)
